"""A room's numbers at one moment, in a process's memory: what every poll is answered from."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import msgspec

from waitingroom.cohort import Drawn
from waitingroom.entries import Entry
from waitingroom.plan import Word, state_at
from waitingroom.settings import Mode, RoomSettings
from waitingroom.terms import Terms

MINUTE_S = 60
# However badly it went in the last minute, don't promise less than this part of the set rate.
OBSERVED_MIN = 0.05


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """`gone` are numbers given up while waiting, ascending. `claims_per_s` is what was observed
    over the last minute while people waited and the room was open; None: not long enough.
    `share` is the part of calls that turned into claims lately. `steps`: up to which number how
    many live from the serving number on; empty when nobody can say, and all count.
    """

    event: int
    settings: RoomSettings
    issued: int
    serving: int
    lapsed: int
    claimed: int
    living: int
    in_flight: int
    taken_at_ms: int
    gone: Sequence[int] = ()
    claims_per_s: float | None = None
    share: float = 1.0
    steps: Sequence[tuple[int, int]] = ()
    # Of an automatic room: how many requests came within five seconds.
    requests: int = 0
    # How many programs were let in without a place.
    implicit: int = 0
    # How many entrants were counted at the opening, while their draw is still to come.
    counted: int | None = None
    # Where this line's numbers come from, if they were drawn by lot.
    drawn: Drawn | None = None
    # What the door knows of the room.
    terms: Terms = Terms()
    # Whether some were invited, and their line; and which part of those called is of this line.
    has_lane: bool = False
    lane: "Snapshot | None" = None
    part: float = 1.0

    @cached_property
    def state(self) -> Word:
        """The contract's word: a room that is off is `off`, whatever else it would be."""
        return state_at(self.settings, self.taken_at_ms)

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Claims a second, at best and at worst: the set rate and what was observed."""
        rate = self.settings.rate_per_minute / MINUTE_S
        # While the invited and the others wait, each line has its part of the rate.
        expected = rate * self.part
        observed = expected if self.claims_per_s is None else self.claims_per_s
        return max(rate, observed), max(min(expected, observed), rate * OBSERVED_MIN)

    @property
    def opens_in_ms(self) -> int:
        """How long till numbers are drawn; 0 when they were, or it is time."""
        if not self.settings.awaits_draw or not self.settings.opens_at:
            return 0
        return max(0, self.settings.opens_at - self.taken_at_ms)

    @property
    def awaits_outside(self) -> bool:
        """Whether the opening has come and the lottery waits for its value from outside."""
        return self.counted is not None and self.settings.awaits_value

    @property
    def let_in(self) -> int:
        """How many were let in, the invited among them."""
        return self.claimed + (self.lane.claimed if self.lane else 0)

    def line_of(self, entry: Entry) -> "Snapshot":
        """The line that the entry's number is of."""
        if not entry.lane:
            return self
        if self.lane is not None:
            return self.lane
        # Somebody was invited since the last reading.
        return msgspec.structs.replace(
            self, issued=entry.number, serving=0, lapsed=0, living=1, gone=(), steps=(), drawn=None
        )

    def present(self, entry: Entry) -> Entry:
        """An entry of the pre-queue as it counts after the draw."""
        return self.drawn.present(entry) if self.drawn else entry

    def entrant_of(self, entry: Entry) -> int | None:
        """The number in the lottery from which this number was drawn; None: it was not."""
        if self.drawn is None or entry.generation != self.drawn.generation:
            return None
        return self.drawn.entrant_of(entry.number)

    @property
    def waiting(self) -> int:
        """How many numbers are still to be called."""
        return max(0, self.issued - self.serving - self._gone_between(self.serving, self.issued))

    @property
    def is_full(self) -> bool:
        """Whether nobody more gets a place just now."""
        most = self.settings.places_max
        return most is not None and self.waiting >= most

    def ahead_of(self, number: int) -> int:
        """How many numbers will be called before this one; 0 for the next and for the called."""
        if number <= self.serving:
            return 0
        gone = self._gone_between(self.serving, number - 1) if self.gone else 0
        return number - self.serving - 1 - gone

    def living_ahead_of(self, number: int) -> int:
        """How many of those before this number were heard from lately."""
        ahead = self.ahead_of(number)
        if not self.steps or ahead == 0:
            return ahead
        step = bisect_left(self.steps, (number, 0))
        low, before = self.steps[step - 1] if step else (self.serving, 0)
        upto, living = self.steps[min(step, len(self.steps) - 1)]
        part = min(1.0, (number - low) / max(1, upto - low))
        return min(ahead, round(before + (living - before) * part))

    def has_left(self, number: int) -> bool:
        place = bisect_left(self.gone, number)
        return place < len(self.gone) and self.gone[place] == number

    def _gone_between(self, above: int, upto: int) -> int:
        return bisect_right(self.gone, upto) - bisect_right(self.gone, above)


def with_lane(line: Snapshot, lane: Snapshot) -> Snapshot:
    """The reading of a room whose lane was read as well."""
    if lane.settings.generation != line.settings.generation:
        return line
    part = line.settings.lane_share / 100
    lane = msgspec.structs.replace(lane, part=part if line.living else 1.0)
    return msgspec.structs.replace(line, lane=lane, part=1 - part if lane.living else 1.0)


class LaneStatus(msgspec.Struct, frozen=True):
    """The lane of the invited; `share` is how many per cent of the called are theirs."""

    serving: int
    issued: int
    living: int
    share: int


class Status(msgspec.Struct, frozen=True):
    """The public face of a snapshot. `age_s` is above 0 when Redis doesn't answer."""

    event: int
    state: Word
    mode: Mode
    # Since when an automatic room is armed.
    armed_at: str | None
    generation: int
    serving: int
    issued: int
    living: int
    rate_per_minute: int
    in_flight: int
    ceiling: int
    prequeue_at: str | None
    opens_at: str | None
    closes_at: str | None
    # The venue's.
    time_zone: str
    message: str
    updated_at: str
    age_s: int = 0
    # None: nobody was invited.
    lane: LaneStatus | None = None
    # What the opening waits for: the value from outside of the lottery.
    awaits: Literal["outside"] | None = None


def status_of(snapshot: Snapshot, age_s: int = 0) -> Status:
    settings = snapshot.settings
    return Status(
        event=snapshot.event,
        state=snapshot.state,
        mode=settings.mode,
        armed_at=iso_or_none(settings.armed_at or None),
        generation=settings.generation,
        serving=snapshot.serving,
        issued=snapshot.issued,
        living=snapshot.living,
        rate_per_minute=settings.rate_per_minute,
        in_flight=snapshot.in_flight,
        ceiling=settings.ceiling,
        prequeue_at=iso_or_none(settings.prequeue_at),
        opens_at=iso_or_none(settings.opens_at),
        closes_at=iso_or_none(settings.closes_at),
        time_zone=settings.time_zone,
        message=settings.message,
        updated_at=iso(snapshot.taken_at_ms),
        age_s=age_s,
        lane=_lane_status(snapshot.lane),
        awaits="outside" if snapshot.awaits_outside else None,
    )


def _lane_status(lane: Snapshot | None) -> LaneStatus | None:
    if lane is None:
        return None
    return LaneStatus(lane.serving, lane.issued, lane.living, lane.settings.lane_share)


def iso_or_none(moment_ms: int | None) -> str | None:
    return None if moment_ms is None else iso(moment_ms)


def iso(moment_ms: int) -> str:
    """1780315200000 -> "2026-06-01T12:00:00.000Z"."""
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
