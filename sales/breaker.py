"""A circuit breaker: whoever answers nobody is left alone for a while, then asked carefully.

Closed, it counts. It opens on an outage: many silences in a row, or hardly an answer among the
latest calls. Who answers some is asked on, and only called slow. When the pause is over a few
probes may ask: two answers close it, four silences open it again. So do two without any answer, and
then for twice as long. Answers to calls of before an opening count for nothing.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, Literal

import msgspec

State = Literal["closed", "open", "half-open"]
# Opens after so many silences in a row,
IN_A_ROW: Final = 12
# or when of the latest calls so many were made, and this share of them was not answered.
WINDOW: Final = 40
WINDOW_LEAST: Final = 30
WINDOW_S: Final = 30.0
SHARE: Final = 0.9
# Slow: so many calls of the window went badly, and at least this share; and what goes badly.
SLOW_LEAST: Final = 2
SLOW_SHARE: Final = 0.25
SLOW_CALL_S: Final = 3.0
PAUSE_FIRST_S: Final = 1.0
PAUSE_MAX_S: Final = 30.0
# Pauses differ by chance, so that several processes don't come back in the same moment.
JITTER: Final = 0.25
PROBES_AT_ONCE: Final = 3
ANSWERS_TO_CLOSE: Final = 2
SILENCES_TO_OPEN: Final = 4
ONLY_SILENCES_TO_OPEN: Final = 2
# While probes are out, others come back after about this.
PROBING_S: Final = 1.0


class Leave(msgspec.Struct, frozen=True):
    """A call may be made; its end is told with this."""

    generation: int
    is_probe: bool


class _Ended(msgspec.Struct, frozen=True):
    at: float
    answered: bool
    took_s: float

    @property
    def went_badly(self) -> bool:
        return not self.answered or self.took_s > SLOW_CALL_S


class Breaker:
    def __init__(self, seconds: Callable[[], float], chance: Random) -> None:
        """`seconds`: a clock that only goes forward."""
        self._seconds, self._chance = seconds, chance
        self._outcomes: deque[_Ended] = deque(maxlen=WINDOW)
        # Of these, how many count for the next opening; the others only tell that it was slow.
        self._counted = self._in_a_row = 0
        self._generation = 0
        self._open_until: float | None = None
        self._pauses = 0
        self._probes_out = 0
        self._probes_answered = 0
        self._probes_silent = 0

    @property
    def state(self) -> State:
        if self._open_until is None:
            return "closed"
        return "open" if self._seconds() < self._open_until else "half-open"

    def wait_s(self) -> float:
        """How long until a call may be made: 0 is now. With chance in it, for a crowd."""
        state = self.state
        if state == "open":
            assert self._open_until is not None
            return self._open_until - self._seconds() + self._chance.uniform(0, PROBING_S)
        if state == "half-open" and self._probes_out >= PROBES_AT_ONCE:
            return self._chance.uniform(PROBING_S / 2, PROBING_S * 3 / 2)
        return 0.0

    def leave(self) -> Leave | None:
        """Permission for one call. None: not now, see wait_s."""
        if self.wait_s() > 0:
            return None
        is_probe = self._open_until is not None
        self._probes_out += is_probe
        return Leave(self._generation, is_probe)

    def is_slow(self) -> bool:
        """Whether who calls should be ready to wait."""
        recent = self._recent()
        badly = sum(1 for call in recent if call.went_badly)
        return self.state != "closed" or badly >= max(SLOW_LEAST, SLOW_SHARE * len(recent))

    def tell(self, leave: Leave, *, answered: bool | None, took_s: float = 0.0) -> None:
        """How the call ended; None: it was called off, which says nothing."""
        if leave.generation != self._generation:
            return
        self._probes_out -= leave.is_probe
        if answered is None:
            return
        self._outcomes.append(_Ended(self._seconds(), answered, took_s))
        if leave.is_probe:
            self._probed(answered=answered)
        else:
            self._count(answered=answered)

    def _probed(self, *, answered: bool) -> None:
        self._probes_answered += answered
        self._probes_silent += not answered
        if self._probes_answered >= ANSWERS_TO_CLOSE:
            self._close()
            return
        most = SILENCES_TO_OPEN if self._probes_answered else ONLY_SILENCES_TO_OPEN
        if self._probes_silent >= most:
            self._open()

    def _count(self, *, answered: bool) -> None:
        self._counted += 1
        self._in_a_row = 0 if answered else self._in_a_row + 1
        recent = self._recent()[-self._counted :]
        silent = sum(1 for call in recent if not call.answered)
        is_most = len(recent) >= WINDOW_LEAST and silent >= SHARE * len(recent)
        if not answered and (self._in_a_row >= IN_A_ROW or is_most):
            self._open()

    def _recent(self) -> list[_Ended]:
        since = self._seconds() - WINDOW_S
        return [call for call in self._outcomes if call.at >= since]

    def _open(self) -> None:
        # Where a probe was answered it is no worse than before.
        self._pauses = max(1, self._pauses + (not self._probes_answered))
        pause_s = min(PAUSE_MAX_S, PAUSE_FIRST_S * 2 ** (self._pauses - 1))
        pause_s *= self._chance.uniform(1 - JITTER, 1 + JITTER)
        self._open_until = self._seconds() + pause_s
        self._begin_anew()

    def _close(self) -> None:
        self._open_until = None
        self._pauses = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._generation += 1
        self._counted = self._in_a_row = 0
        self._probes_out = self._probes_answered = self._probes_silent = 0
