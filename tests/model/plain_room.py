"""A waiting room as one would explain it to a child: lists, no Redis, no cleverness."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from tests.model.plain_gate import PlainGate

MINUTE_MS = 60_000
STANDING_MS, ARRIVE_MS, FRESH_MS, LISTEN_MS = 6_000, 2_500, 10_000, 75_000
STEP_MAX_MS, GAP_MS, SLACK_MS, REMEMBER_MS = 1_000, 10_000, 15_000, 120_000
SHARE_MIN, LEARN_CALLS, LEARN_MS = 0.02, 12, 3_000


class Reached(NamedTuple):
    gate_ms: int
    serving: int
    calls: int
    recalls: int


START = Reached(0, 0, 0, 0)


@dataclass
class PlainRoom:
    rate: int
    ceiling: int
    state: str = "open"
    pass_s: int = 180
    grace_s: int = 300
    issued: int = 0
    serving: int = 0
    lapsed: int = 0
    places: dict[str, int] = field(default_factory=dict)
    spent: set[int] = field(default_factory=set)
    knocked: set[int] = field(default_factory=set)
    gate: PlainGate = field(default_factory=PlainGate)
    called: set[int] = field(default_factory=set)
    came: set[int] = field(default_factory=set)
    returned: set[int] = field(default_factory=set)
    # Number of a claimer that was refused, and when by the gate's clock.
    standing: dict[int, int] = field(default_factory=dict)
    # Numbers, and the minutes in which they count as living.
    heard: set[tuple[int, int]] = field(default_factory=set)
    reached: list[Reached] = field(default_factory=list)
    learned: Reached = START
    calls: int = 0
    recalls: int = 0
    share: float = 1.0
    listening_ms: int | None = None
    ticked_ms: int | None = None
    gate_ms: int = 0
    # As of the last tick: called lately and not yet come; waiting and there; of how many numbers.
    awaited: int = 0
    there: int = 0
    there_upto: int = 0
    # Of the last reckoning: how many to call, and what that came from.
    wanted: int = 0
    at_door: int = 0
    expected: float = 0.0
    missing: float = 0.0

    @property
    def burst(self) -> int:
        return max(1, self.rate // 60)

    @property
    def waiting(self) -> int:
        """As of the last call, and whoever joined since."""
        return self.there + self.issued - self.there_upto

    def in_flight(self, now: int) -> int:
        return self.gate.in_flight(now)

    def is_inside(self, who: str, now: int) -> bool:
        return self.gate.leases.get(who, 0) > now

    def is_too_late(self, number: int) -> bool:
        return number <= self.lapsed and number not in self.knocked

    def join(self, who: str, now: int) -> tuple[str, int]:
        number = self.places.get(who)
        if number is not None:
            dead = number in self.spent or self.is_too_late(number)
            if self.is_inside(who, now) or not dead:
                self.poll(who, number, now)
                return "again", number
        if self.state in ("closed", "drained"):
            return "closed", 0
        if number is not None:
            self.spent.add(number)
        self.issued += 1
        self.places[who] = self.issued
        self._hear(self.issued, now)
        return "joined", self.issued

    def stage(self, who: str, number: int, now: int) -> str:
        if self.places.get(who) != number:
            return "gone"
        if number > self.serving and number not in self.spent:
            return "waiting"
        if self.is_inside(who, now):
            return "inside"
        if number in self.spent:
            return "over"
        if self.is_too_late(number):
            return "lapsed"
        return "called" if number in self.called else "passed"

    def poll(self, who: str, number: int, now: int) -> str:
        """Whoever waits and asks lives; who was passed over and asks in time is back."""
        stage = self.stage(who, number, now)
        if stage == "passed":
            self.beat(number, now)
        return stage

    def beat(self, number: int, now: int) -> None:
        if number in self.spent:
            return
        self._hear(number, now)
        passed = number <= self.serving and number not in self.called | self.spent
        if passed and not self.is_too_late(number):
            self.knocked.add(number)
            self.returned.add(number)

    def _hear(self, number: int, now: int) -> None:
        self.heard |= {(number, now // MINUTE_MS), (number, now // MINUTE_MS + 1)}

    def leave(self, who: str, number: int, now: int) -> str:
        if self.places.get(who) != number:
            return "gone"
        if self.is_inside(who, now):
            return "inside"
        if number in self.spent:
            return "over"
        self._give_up(who, number)
        return "left"

    def _give_up(self, who: str, number: int) -> None:
        self.spent.add(number)
        self.heard = {(n, at) for n, at in self.heard if n != number}
        del self.places[who]

    def claim(self, who: str, number: int, now: int) -> str:
        if self.places.get(who) != number:
            return "gone"
        if self.is_inside(who, now):
            return "admitted"
        if number > self.serving and number not in self.spent:
            return "not-called"
        if number in self.spent or self.is_too_late(number):
            return "lapsed"
        return self._come_to_the_gate(who, number, now)

    def _come_to_the_gate(self, who: str, number: int, now: int) -> str:
        if number not in self.called:
            self.beat(number, now)
            return "not-called"
        if self.state in ("held", "closed"):
            return "gate-full"
        return self._pass_the_gate(who, number, now)

    def program(self, who: str, now: int) -> str:
        """Somebody without a place, at an automatic room that is armed."""
        if self.is_inside(who, now):
            return "repeat"
        is_waiting = self.there > 0 or self.issued > self.there_upto or bool(self.standing)
        if self.state != "open" or is_waiting:
            return "gate-busy"
        permits = self._count_permits(now)
        if permits < 1 + self.awaited or self.in_flight(now) + self.awaited >= self.ceiling:
            return "gate-busy"
        self._let_in(who, now)
        return "admitted"

    def _count_permits(self, now: int) -> Fraction:
        return self.gate.count(self.rate, self.burst, now)

    def _let_in(self, who: str, now: int) -> None:
        self.gate.let_in(who, (now // 1000 + self.pass_s) * 1000 + SLACK_MS, now)

    def _pass_the_gate(self, who: str, number: int, now: int) -> str:
        permits = self._count_permits(now)
        self.came.add(number)
        if permits < 1 or self.in_flight(now) >= self.ceiling:
            self.knocked.add(number)
            self.standing[number] = self.gate_ms
            return "gate-full"
        self._let_in(who, now)
        self.spent.add(number)
        self.standing.pop(number, None)
        return "admitted"

    def keep(self, who: str, until: int) -> bool:
        return self.gate.keep(who, until)

    def free(self, who: str) -> bool:
        return self.gate.leases.pop(who, None) is not None

    def tick(self, now: int) -> int:
        """How many were called."""
        self.reckon(now)
        called = self.call(now)
        self.sweep(now)
        return called

    def reckon(self, now: int) -> None:
        """How many to call, should nobody else be called to the same gate."""
        gone_ms = now - (now if self.ticked_ms is None else self.ticked_ms)
        if self.listening_ms is None or not 0 <= gone_ms <= GAP_MS:
            self.listening_ms = now
        self.ticked_ms = now
        moves = self.state in ("open", "drained")
        if moves or self.state == "paused":
            self.gate_ms += max(0, min(gone_ms, STEP_MAX_MS))
        self.lapsed = max(self.lapsed, self._reached_at(self.gate_ms - self.grace_s * 1000).serving)
        self._learn()
        fresh_ms = self.gate_ms - FRESH_MS - MINUTE_MS // self.rate
        self.standing = {n: at for n, at in self.standing.items() if at >= fresh_ms}
        self.awaited = self.wanted = self.at_door = 0
        self.expected = self.missing = 0.0
        if moves:
            self._reckon_calls(now)

    def call(self, now: int) -> int:
        """How many were called of those who were wanted."""
        called = self._call(now, self.wanted)
        self.awaited, self.wanted = self.awaited + called, 0
        ahead = range(self.serving + 1, self.issued + 1)
        self.there = sum(self._counts(n, now) for n in ahead) + len(self.returned)
        self.there_upto = self.issued
        return called

    def sweep(self, now: int) -> None:
        kept = {w: u for w, u in self.gate.leases.items() if u >= now - REMEMBER_MS}
        self.gate.leases = kept

    def _learn(self) -> None:
        """What share of those who were called came."""
        at = self._reached_at(self.gate_ms - ARRIVE_MS)
        asked = at.calls - self.learned.calls
        if asked > 0:
            came = min(1, self._came_between(self.learned.serving, at.serving) / asked)
            memory = max(LEARN_CALLS, self.rate * LEARN_MS / MINUTE_MS)
            self.share += (came - self.share) * (1 - (1 - 1 / memory) ** asked)
            self.learned = at

    def _reckon_calls(self, now: int) -> None:
        """So many calls that six seconds of claimers stand at the gate."""
        at = self._reached_at(self.gate_ms - ARRIVE_MS)
        first, again = self.calls - at.calls, self.recalls - at.recalls
        arrived = self._came_between(at.serving, self.serving)
        self.awaited = max(0, first - arrived) + again
        coming = max(0, self.share * first - arrived) + self.share * again
        self.expected, self.at_door = len(self.standing) + coming, len(self.standing) + self.awaited
        room = min(max(1, self.rate * STANDING_MS / MINUTE_MS), self.ceiling - self.in_flight(now))
        self.missing = room - self.expected
        calls = ceil(self.missing / max(SHARE_MIN, self.share))
        self.wanted = max(0, min(self.rate - self.at_door, calls))

    def _call(self, now: int, wanted: int) -> int:
        if wanted <= 0:
            return 0
        self.returned = {n for n in self.returned if self._is_there(n, now)}
        back = sorted(self.returned)[:wanted]
        ahead = [n for n in range(self.serving + 1, self.issued + 1) if self._is_there(n, now)]
        ahead = ahead[: wanted - len(back)]
        self.returned -= set(back)
        self.called |= {*back, *ahead}
        self.calls += len(ahead)
        self.recalls += len(back)
        self.serving = max([self.serving, *ahead])
        if back or ahead:
            self.reached.append(Reached(self.gate_ms, self.serving, self.calls, self.recalls))
        return len(back) + len(ahead)

    def _is_there(self, number: int, now: int) -> bool:
        assert self.listening_ms is not None, "set by the tick"
        heard = now - self.listening_ms < LISTEN_MS or (number, now // MINUTE_MS) in self.heard
        return heard and number not in self.spent

    def _counts(self, number: int, now: int) -> bool:
        """As one who waits. While everybody counts as living, who gave up doesn't."""
        assert self.listening_ms is not None, "set by the tick"
        if now - self.listening_ms < LISTEN_MS:
            return number not in self.spent
        return (number, now // MINUTE_MS) in self.heard

    def _came_between(self, above: int, upto: int) -> int:
        return sum(above < number <= upto for number in self.came)

    def _reached_at(self, moment: int) -> Reached:
        return max([START, *(at for at in self.reached if at.gate_ms <= moment)],
                   key=lambda at: (at.serving, at.calls, at.recalls))  # fmt: skip
