"""A waiting room as one would explain it to a child: lists, no Redis, no cleverness."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import NamedTuple

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
    leases: dict[str, int] = field(default_factory=dict)
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
    admitted_at: list[int] = field(default_factory=list)
    permits: Fraction | None = None
    counted_ms: int = 0
    ticked_ms: int | None = None
    gate_ms: int = 0
    # As of the last tick: called lately and not yet come; waiting and there; of how many numbers.
    awaited: int = 0
    there: int = 0
    there_upto: int = 0

    @property
    def burst(self) -> int:
        return max(1, self.rate // 60)

    def in_flight(self, now: int) -> int:
        return sum(until > now for until in self.leases.values())

    def is_inside(self, who: str, now: int) -> bool:
        return self.leases.get(who, 0) > now

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
        self.spent.add(number)
        del self.places[who]
        return "left"

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
        if self.permits is None:
            self.permits, self.counted_ms = Fraction(self.burst), now
        since = max(0, now - self.counted_ms)
        gained = min(self.permits, Fraction(self.burst)) + Fraction(since * self.rate, MINUTE_MS)
        self.permits, self.counted_ms = min(Fraction(self.burst), gained), now
        return self.permits

    def _let_in(self, who: str, now: int) -> None:
        assert self.permits is not None, "they were counted"
        self.permits -= 1
        self.leases[who] = (now // 1000 + self.pass_s) * 1000 + SLACK_MS
        self.admitted_at.append(now)

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
        if who not in self.leases:
            return False
        self.leases[who] = until
        return True

    def free(self, who: str) -> bool:
        return self.leases.pop(who, None) is not None

    def tick(self, now: int) -> int:
        """How many were called."""
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
        self.awaited = 0
        called = self._call(now, self._wanted(now)) if moves else 0
        self.awaited += called
        waiting = sum(self._is_there(n, now) for n in range(self.serving + 1, self.issued + 1))
        self.there, self.there_upto = waiting + len(self.returned), self.issued
        self.leases = {w: u for w, u in self.leases.items() if u >= now - REMEMBER_MS}
        return called

    def _learn(self) -> None:
        """What share of those who were called came."""
        at = self._reached_at(self.gate_ms - ARRIVE_MS)
        asked = at.calls - self.learned.calls
        if asked > 0:
            came = min(1, self._came_between(self.learned.serving, at.serving) / asked)
            memory = max(LEARN_CALLS, self.rate * LEARN_MS / MINUTE_MS)
            self.share += (came - self.share) * (1 - (1 - 1 / memory) ** asked)
            self.learned = at

    def _wanted(self, now: int) -> int:
        """So many calls that six seconds of claimers stand at the gate."""
        at = self._reached_at(self.gate_ms - ARRIVE_MS)
        first, again = self.calls - at.calls, self.recalls - at.recalls
        arrived = self._came_between(at.serving, self.serving)
        self.awaited = max(0, first - arrived) + again
        coming = max(0, self.share * first - arrived) + self.share * again
        standing, sure = len(self.standing) + coming, max(SHARE_MIN, self.share)
        return min(
            self.rate - len(self.standing) - self.awaited,
            ceil((max(1, self.rate * STANDING_MS / MINUTE_MS) - standing) / sure),
            ceil((self.ceiling - self.in_flight(now) - standing) / sure),
        )

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

    def _came_between(self, above: int, upto: int) -> int:
        return sum(above < number <= upto for number in self.came)

    def _reached_at(self, moment: int) -> Reached:
        return max([START, *(at for at in self.reached if at.gate_ms <= moment)],
                   key=lambda at: (at.serving, at.calls, at.recalls))  # fmt: skip
