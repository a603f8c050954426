"""What a process knows of its rooms that Redis could forget: enough to put a lost line back."""

from collections import deque
from collections.abc import Sequence

import msgspec

from waitingroom.settings import RoomSettings

# Numbers let in, remembered so that none enters twice; and numbers given up, told to Redis again.
USED_MAX = 50_000
LEFT_MAX = 200_000


class Known(msgspec.Struct):
    """One room as last read. `settings` and `line` are field, value, … as Redis keeps them;
    `highest` is the highest number seen in any answer.
    """

    generation: int
    version: int = 0
    highest: int = 0
    serving: int = 0
    in_flight: int = 0
    lease_ms: int = 0
    has_recovered: bool = False
    settings: Sequence[bytes] = ()
    line: Sequence[bytes] = ()
    left: Sequence[int] = ()
    used: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=USED_MAX))


class Memory:
    def __init__(self) -> None:
        self._rooms: dict[int, Known] = {}

    def of(self, event: int) -> Known | None:
        """None: this process has never read that room, and can't put anything back."""
        known = self._rooms.get(event)
        return known if known and known.settings else None

    def floor(self, event: int) -> tuple[int, int]:
        """(generation, highest number): a room that has issued less has lost something."""
        known = self._rooms.get(event)
        return (known.generation, known.highest) if known else (0, 0)

    def issued(self, event: int, generation: int, number: int) -> None:
        """A number was given, or seen in an entry that we had signed."""
        known = self._known(event, generation)
        if known is not None:
            known.highest = max(known.highest, number)

    def used(self, event: int, generation: int, number: int) -> None:
        """Whoever has the number was let in."""
        known = self._known(event, generation)
        if known is not None:
            known.used.append(number)

    def saw(
        self,
        event: int,
        settings: RoomSettings,
        raw: tuple[Sequence[bytes], Sequence[bytes]],
        in_flight: int,
        left: Sequence[int],
    ) -> None:
        """A reading of the whole room; `raw` are its settings and its line."""
        known = self._known(event, settings.generation)
        if known is None:
            return
        line = dict(zip(raw[1][::2], raw[1][1::2], strict=True))
        known.version, known.lease_ms = settings.version, settings.lease_seconds * 1000
        known.settings, known.line = raw
        known.highest = max(known.highest, int(line.get(b"issued", 0)))
        known.serving = int(line.get(b"serving", 0))
        known.in_flight, known.left = in_flight, left
        known.has_recovered = b"recovered_ms" in line

    def forget(self, event: int) -> None:
        self._rooms.pop(event, None)

    def _known(self, event: int, generation: int) -> Known | None:
        """None: that was an earlier line."""
        known = self._rooms.get(event)
        if known is None or generation > known.generation:
            known = self._rooms[event] = Known(generation)
        return known if known.generation == generation else None
