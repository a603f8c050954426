"""The gate of a plain room: who is inside, and what is left of the rate. It knows of no line."""

from dataclasses import dataclass, field
from fractions import Fraction

MINUTE_MS = 60_000


@dataclass
class PlainGate:
    leases: dict[str, int] = field(default_factory=dict)
    admitted_at: list[int] = field(default_factory=list)
    permits: Fraction | None = None
    counted_ms: int = 0

    def in_flight(self, now: int) -> int:
        return sum(until > now for until in self.leases.values())

    def count(self, rate: int, burst: int, now: int) -> Fraction:
        """The permits there are at this moment."""
        if self.permits is None:
            self.permits, self.counted_ms = Fraction(burst), now
        gained = Fraction(max(0, now - self.counted_ms) * rate, MINUTE_MS)
        self.permits = min(Fraction(burst), min(self.permits, Fraction(burst)) + gained)
        self.counted_ms = now
        return self.permits

    def let_in(self, who: str, until: int, now: int) -> None:
        assert self.permits is not None, "they were counted"
        self.permits -= 1
        self.leases[who] = until
        self.admitted_at.append(now)

    def keep(self, who: str, until: int) -> bool:
        if who not in self.leases:
            return False
        self.leases[who] = until
        return True
