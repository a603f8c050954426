"""A waiting room of two lines before one gate, as ADR 18 explains it: lists, no Redis."""

from dataclasses import dataclass, field
from math import ceil, floor

from tests.model.plain_room import SHARE_MIN, PlainRoom

MILLI, OWED_PART = 1000, 0.1


@dataclass
class PlainLanes(PlainRoom):
    """The line itself; `lane` is the line of the invited before the same gate."""

    lane: PlainRoom = field(default_factory=lambda: PlainRoom(1, 1))
    lane_share: int = 50
    # Of each invitation, whose it became.
    invites: dict[str, str] = field(default_factory=dict)
    # Whether anybody was invited into this lane, and whether it has counters.
    has_lane: bool = False
    is_counted: bool = False
    # Whether the ticker knows that there is a lane.
    is_ticked: bool = False
    owed_milli: int = 0
    seen: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.anew()

    def anew(self) -> None:
        """Every number is void; those inside stay, and so does what invitations are whose."""
        fresh = PlainRoom(self.rate, self.ceiling, self.state, self.pass_s, self.grace_s)
        kept = ("gate", "lane", "rate", "ceiling", "state", "pass_s", "grace_s", "lane_share",
                "invites", "is_ticked")  # fmt: skip
        for name in PlainRoom.__dataclass_fields__:
            if name not in kept:
                setattr(self, name, getattr(fresh, name))
        self.lane = PlainRoom(self.rate, self.ceiling, self.state, self.pass_s, self.grace_s)
        self.lane.gate = self.gate
        self.has_lane = self.is_counted = False
        self.owed_milli, self.seen = 0, None

    def change(self, rate: int, ceiling: int, state: str, lane_share: int) -> None:
        self.lane_share = lane_share
        for line in (self, self.lane):
            line.rate, line.ceiling, line.state = rate, ceiling, state

    def come(self, who: str, name: str, now: int) -> tuple[str, int, bool]:
        """What a join is told, the number, whether it is in the lane. `name`: of an invitation."""
        is_used = self.lane.places.get(who) in self.lane.spent
        in_lane = self.stands_in_lane(who, now)
        if not in_lane and name:
            if name in self.invites and (self.invites[name] != who or is_used):
                return "used", 0, False
            self.invites[name] = who
            in_lane = self.has_lane = True
        if not in_lane:
            return (*self.join(who, now), False)
        said, number = self.lane.join(who, now)
        if said != "closed":
            self.is_counted = True
            self.give_up_line(who)
        return said, number, True

    def stands_in_lane(self, who: str, now: int) -> bool:
        held = self.lane.places.get(who)
        return held is not None and (self.is_inside(who, now) or held not in self.lane.spent)

    def give_up_line(self, who: str) -> None:
        """One subject has one turn."""
        number = self.places.get(who)
        if number is not None and number not in self.spent:
            self._give_up(who, number)

    def tick(self, now: int) -> int:
        """How many of the line were called."""
        with_lane = self.is_ticked
        if with_lane:
            self.lane.reckon(now)
            self.is_counted = True
        self.reckon(now)
        self.is_ticked = self.is_counted
        if self.is_counted:
            self._split()
        if with_lane:
            self.lane.call(now)
        called = self.call(now)
        self.sweep(now)
        return called

    def _split(self) -> None:
        """So many are missing at the gate, of both lines together: the lane gets its part while
        people wait in both.
        """
        line, lane, part = self, self.lane, self.lane_share / 100
        sure = max(SHARE_MIN, line.share)
        sure_lane = max(SHARE_MIN, lane.share)
        lacking = floor(line.missing * MILLI) - floor(lane.expected * MILLI)
        missing = max(0.0, lacking / MILLI)
        cap = max(0, self.rate - line.at_door - lane.at_door)
        most_owed, owed, mine = max(1, self.rate * OWED_PART), 0.0, 0.0
        called = (_called(line), _called(lane))
        if line.waiting <= 0:
            mine = missing
        elif lane.waiting > 0:
            before = self.seen or called
            gave, gave_beside = (called[1] - before[1]) * sure_lane, (called[0] - before[0]) * sure
            owed = self.owed_milli / MILLI + part * (gave + gave_beside) - gave
            owed = max(-most_owed, min(most_owed, owed))
            mine = max(0.0, min(missing, part * missing + owed))
        lane.wanted = max(0, min(cap, ceil(mine / sure_lane)))
        others = missing - min(lane.wanted, max(0, lane.waiting)) * sure_lane
        line.wanted = max(0, min(cap - lane.wanted, ceil(others / sure)))
        self.owed_milli, self.seen = floor(owed * MILLI), called


def _called(line: PlainRoom) -> int:
    return line.calls + line.recalls


def hand_over(line: PlainRoom, who: str, whom: str, number: int) -> str:
    """The better of two places stays; a number whose turn was missed is none."""

    def is_good(held: int) -> bool:
        return held not in line.spent and not line.is_too_late(held)

    own = line.places.get(whom)
    if line.places.get(who) != number or not is_good(number):
        return "gone"
    if own is not None and own < number and is_good(own):
        return "needless"
    if own is not None:
        line.spent.add(own)
    del line.places[who]
    line.places[whom] = number
    return "moved"
