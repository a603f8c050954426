"""What a process knows of its rooms that Redis could forget: enough to put a lost line back."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from waitingroom.entries import Entry, HandedOver
from waitingroom.keys import LineId, generation_of, member
from waitingroom.settings import RoomSettings, from_hash

# Numbers let in, remembered so that none enters twice; and numbers given up, told to Redis again.
USED_MAX = 50_000
LEFT_MAX = 200_000
# Changes of hands, remembered so that a place has one owner. More would be a war.
OWNERS_MAX = 500_000


class Owner(NamedTuple):
    """`whose` as keys.member writes it."""

    hands: int
    whose: bytes


class Known(msgspec.Struct):
    """One room as last read. `settings` and `line` are field, value, … as Redis keeps them;
    `highest` is the highest number seen in any answer.
    """

    generation: int
    # Its keys are this line's.
    line_id: LineId = 0
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
    # Of numbers that changed hands: how often, and whose they are.
    owners: dict[int, Owner] = msgspec.field(default_factory=dict)


class Memory:
    """Of each room two lines: the one, and with `lane` that of the invited."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[int, bool], Known] = {}

    def of(self, event: int, *, lane: bool = False) -> Known | None:
        """None: this process has never read that line, and can't put anything back."""
        known = self._rooms.get((event, lane))
        if known is not None and lane and not known.settings:
            self._tell_of_line(event, known)
        return known if known and known.settings else None

    def floor(self, event: int, *, lane: bool = False) -> tuple[int, int]:
        """(generation, highest number): a line that has issued less has lost something."""
        known = self._rooms.get((event, lane))
        return (known.generation, known.highest) if known else (0, 0)

    def issued(self, event: int, generation: int, number: int, *, lane: bool = False) -> None:
        """A number was given, or seen in an entry that we had signed."""
        known = self._known(event, generation, lane=lane)
        if known is not None:
            known.highest = max(known.highest, number)

    def used(self, event: int, generation: int, number: int, *, lane: bool = False) -> None:
        """Whoever has the number was let in."""
        known = self._known(event, generation, lane=lane)
        if known is not None:
            known.used.append(number)

    def moved(
        self, event: int, line: LineId, owners: Iterable[tuple[int, Owner]], *, lane: bool
    ) -> None:
        """These numbers changed hands; of two owners the newer counts."""
        known = self._known(event, generation_of(line), lane=lane)
        if known is None:
            return
        for number, owner in owners:
            had = known.owners.get(number)
            if (had is None or had.hands < owner.hands) and len(known.owners) < OWNERS_MAX:
                known.owners[number] = owner

    def owner_of(self, entry: Entry) -> Owner | None:
        """Of the entry's number in its line, if that has ever changed hands."""
        known = self._rooms.get((entry.event, entry.lane > 0))
        if known is None or not known.owners or known.generation != entry.generation:
            return None
        if entry.lane and self.floor(entry.event)[0] > entry.generation:
            return None  # the lane ended with its line
        return known.owners.get(entry.number)

    def check_owner(self, entry: Entry) -> None:
        """Raises HandedOver for the entry of somebody who gave the place away."""
        owner = self.owner_of(entry)
        if owner is None or owner.hands < entry.hands or owner.whose == member(entry.subject):
            return
        raise HandedOver(reason="handed-over")

    def saw(
        self,
        event: int,
        settings: RoomSettings,
        raw: tuple[Sequence[bytes], Sequence[bytes]],
        in_flight: int,
        left: Sequence[int],
        *,
        lane: bool = False,
    ) -> None:
        """A reading of a whole line; `raw` are its settings and its counters."""
        known = self._known(event, settings.generation, lane=lane)
        if known is None:
            return
        line = dict(zip(raw[1][::2], raw[1][1::2], strict=True))
        known.line_id = settings.lane_id if lane else settings.generation
        known.version, known.lease_ms = settings.version, settings.lease_seconds * 1000
        known.settings, known.line = raw
        known.highest = max(known.highest, int(line.get(b"issued", 0)))
        known.serving = int(line.get(b"serving", 0))
        known.in_flight, known.left = in_flight, left
        known.has_recovered = b"recovered_ms" in line

    def _tell_of_line(self, event: int, lane: Known) -> None:
        """A lane that gave numbers and was never read since is of the room that the line is of."""
        line = self.of(event)
        if line is None or line.generation != lane.generation:
            return
        lane.settings, lane.version = line.settings, line.version
        lane.in_flight, lane.lease_ms = line.in_flight, line.lease_ms
        lane.line_id = from_hash(list(line.settings)).lane_id

    def forget(self, event: int) -> None:
        for lane in (False, True):
            self._rooms.pop((event, lane), None)

    def _known(self, event: int, generation: int, *, lane: bool) -> Known | None:
        """None: that was an earlier line."""
        known = self._rooms.get((event, lane))
        if known is None or generation > known.generation:
            known = self._rooms[event, lane] = Known(generation)
        return known if known.generation == generation else None
