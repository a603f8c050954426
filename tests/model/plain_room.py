"""A waiting room as one would explain it to a child: lists, no Redis, no cleverness."""

from dataclasses import dataclass, field
from fractions import Fraction

MINUTE_MS = 60_000
STANDING_MS, STEP_MAX_MS, SLACK_MS, REMEMBER_MS = 6_000, 1_000, 15_000, 120_000


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
    calls: list[tuple[int, int]] = field(default_factory=list)
    admitted_at: list[int] = field(default_factory=list)
    permits: Fraction | None = None
    counted_ms: int = 0
    ticked_ms: int | None = None
    gate_ms: int = 0
    rest: Fraction = Fraction(0)

    @property
    def burst(self) -> int:
        return max(1, self.rate * 2 // 60)

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
                return "again", number
        if self.state in ("closed", "drained"):
            return "closed", 0
        if number is not None:
            self.spent.add(number)
        self.issued += 1
        self.places[who] = self.issued
        return "joined", self.issued

    def leave(self, who: str, number: int) -> str:
        if self.places.get(who) != number:
            return "gone"
        if number not in self.spent:
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
        if self.state in ("held", "closed"):
            return "gate-full"
        return self._pass_the_gate(who, number, now)

    def _pass_the_gate(self, who: str, number: int, now: int) -> str:
        if self.permits is None:
            self.permits, self.counted_ms = Fraction(self.burst), now
        since = max(0, now - self.counted_ms)
        gained = min(self.permits, Fraction(self.burst)) + Fraction(since * self.rate, MINUTE_MS)
        self.permits, self.counted_ms = min(Fraction(self.burst), gained), now
        if self.permits < 1 or self.in_flight(now) >= self.ceiling:
            self.knocked.add(number)
            return "gate-full"
        self.permits -= 1
        self.spent.add(number)
        self.leases[who] = (now // 1000 + self.pass_s) * 1000 + SLACK_MS
        self.admitted_at.append(now)
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
        step = max(0, min(now - (self.ticked_ms or now), STEP_MAX_MS))
        self.ticked_ms = now
        moves = self.state in ("open", "drained")
        if moves or self.state == "paused":
            self.gate_ms += step
        self.lapsed = max([self.lapsed, *self._called_until(self.gate_ms - self.grace_s * 1000)])
        called = self._call(now, step) if moves else 0
        self.leases = {w: u for w, u in self.leases.items() if u > now - REMEMBER_MS}
        return called

    def _call(self, now: int, step: int) -> int:
        lately = max([self.lapsed, *self._called_until(self.gate_ms - STANDING_MS)])
        standing = sum(n not in self.spent for n in range(lately + 1, self.serving + 1))
        budget = self.rest + Fraction(self.rate * step, MINUTE_MS)
        room = self.ceiling - self.in_flight(now) - standing
        allowed = min(int(budget), room, max(1, self.rate * STANDING_MS // MINUTE_MS) - standing)
        called = 0
        while self.serving < self.issued:
            given_up = self.serving + 1 in self.spent
            if not given_up and called >= allowed:
                break
            self.serving += 1
            called += not given_up
        self.rest = min(Fraction(1), budget - called)
        if called:
            self.calls.append((self.gate_ms, self.serving))
        return called

    def _called_until(self, moment: int) -> list[int]:
        return [serving for at, serving in self.calls if at <= moment]
