"""A circuit breaker: whoever does not answer is left alone for a while, then asked carefully.

Closed, it counts. After too many silences in a row, or too large a share of them, it opens: nobody
asks. When the pause is over a few probes may ask; if they are answered it closes, one silence
opens it again for twice as long. Answers to calls of before an opening count for nothing.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, Literal

import msgspec

State = Literal["closed", "open", "half-open"]
# Opens after so many silences in a row,
IN_A_ROW: Final = 5
# or when of the latest calls so many were made, and this share of them was not answered.
WINDOW: Final = 20
WINDOW_LEAST: Final = 10
WINDOW_S: Final = 30.0
SHARE: Final = 0.5
PAUSE_FIRST_S: Final = 2.0
PAUSE_MAX_S: Final = 30.0
# Pauses differ by chance, so that several processes don't come back in the same moment.
JITTER: Final = 0.25
PROBES_AT_ONCE: Final = 2
PROBES_TO_CLOSE: Final = 3
# While probes are out, others come back after about this.
PROBING_S: Final = 1.0


class Leave(msgspec.Struct, frozen=True):
    """A call may be made; its end is told with this."""

    generation: int
    is_probe: bool


class Breaker:
    def __init__(self, seconds: Callable[[], float], chance: Random) -> None:
        """`seconds`: a clock that only goes forward."""
        self._seconds, self._chance = seconds, chance
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=WINDOW)
        self._in_a_row = 0
        self._generation = 0
        self._open_until: float | None = None
        self._pauses = 0
        self._probes_out = 0
        self._probes_answered = 0

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

    def tell(self, leave: Leave, *, answered: bool | None) -> None:
        """How the call ended; None: it was called off, which says nothing."""
        if leave.generation != self._generation:
            return
        if leave.is_probe:
            self._probed(answered=answered)
        elif answered is not None:
            self._count(answered=answered)

    def _probed(self, *, answered: bool | None) -> None:
        self._probes_out -= 1
        if answered is False:
            self._open()
        elif answered:
            self._probes_answered += 1
            if self._probes_answered >= PROBES_TO_CLOSE:
                self._close()

    def _count(self, *, answered: bool) -> None:
        now = self._seconds()
        self._outcomes.append((now, answered))
        self._in_a_row = 0 if answered else self._in_a_row + 1
        recent = [was for at, was in self._outcomes if now - at <= WINDOW_S]
        silent = recent.count(False)
        is_many = len(recent) >= WINDOW_LEAST and silent >= SHARE * len(recent)
        if not answered and (self._in_a_row >= IN_A_ROW or is_many):
            self._open()

    def _open(self) -> None:
        pause_s = min(PAUSE_MAX_S, PAUSE_FIRST_S * 2**self._pauses)
        pause_s *= self._chance.uniform(1 - JITTER, 1 + JITTER)
        self._open_until = self._seconds() + pause_s
        self._pauses += 1
        self._begin_anew()

    def _close(self) -> None:
        self._open_until = None
        self._pauses = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._generation += 1
        self._outcomes.clear()
        self._in_a_row = self._probes_out = self._probes_answered = 0
