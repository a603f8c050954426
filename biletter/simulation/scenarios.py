"""What happens in each simulated sale. Times are seconds from the opening, rates are per minute."""

from random import Random

import msgspec

FOREVER = float("inf")


class Habit(msgspec.Struct):
    """One visitor: comes at a moment, goes silently at another, may be away in between. A stale
    one's page goes on saying that they are there, but nobody answers the call.
    """

    comes_s: float = 0.0
    goes_s: float = FOREVER
    away_s: tuple[float, float] = (FOREVER, FOREVER)
    is_stale: bool = False


class Scenario(msgspec.Struct, frozen=True):
    name: str
    seconds: int
    # From which second which rate is in force, ascending.
    rates: tuple[tuple[int, int], ...]
    # How many join.
    crowd: int
    leavers: float = 0.0
    stale: float = 0.0
    # First and last number of a block, which part of it is gone, and whether its pages still beat.
    block: tuple[int, int, float, bool] | None = None
    # Joins come in so many bursts, one every so many seconds.
    bursts: tuple[int, int] = (1, 0)
    # This part is away for two to four minutes and comes back.
    sleepers: float = 0.0

    def rate_at(self, second: float) -> int:
        return next(rate for start, rate in reversed(self.rates) if start <= second)

    def scaled(self, seconds: int, crowd: int) -> "Scenario":
        return msgspec.structs.replace(self, seconds=seconds, crowd=crowd)

    def habits(self, chance: Random) -> list[Habit]:
        """In the order of joining."""
        count, every_s = self.bursts
        each = -(-self.crowd // count)
        return [self._habit(n, n // each * every_s, chance) for n in range(self.crowd)]

    def _habit(self, place: int, comes_s: float, chance: Random) -> Habit:
        habit = Habit(comes_s=comes_s)
        if self.block and self.block[0] <= place + 1 <= self.block[1]:
            _, _, dead, still_beats = self.block
            if chance.random() < dead:
                if still_beats:
                    habit.is_stale = True
                else:
                    habit.goes_s = comes_s + chance.uniform(0, 60)
            return habit
        luck = chance.random()
        if luck < self.stale:
            habit.is_stale = True
        elif luck < self.stale + self.leavers:
            habit.goes_s = comes_s + chance.uniform(0, self.seconds)
        elif luck < self.stale + self.leavers + self.sleepers:
            start = comes_s + chance.uniform(0, self.seconds / 2)
            habit.away_s = (start, start + chance.uniform(120, 240))
        return habit


STEADY = ((0, 600),)
CHANGING = ((0, 600), (60, 1200), (120, 300), (180, 900), (240, 600))
SLOW, DOUBLED = ((0, 300),), ((0, 300), (120, 600))
BLOCK = (1501, 5500, 0.95)
SCENARIOS = (
    Scenario("35 % leave silently", 300, STEADY, 5_500, leavers=0.35),
    Scenario("4 000 places, 95 % dead", 300, STEADY, 7_500, block=(*BLOCK, False)),
    Scenario("20 % beat but never come", 300, STEADY, 4_500, stale=0.2),
    Scenario("bursts; 30 % away and back", 300, STEADY, 5_000, sleepers=0.3, bursts=(3, 60)),
    Scenario("changing rates, 35 % leave", 300, CHANGING, 7_500, leavers=0.35),
    Scenario(
        "all of it", 300, CHANGING, 11_000, leavers=0.2, stale=0.2, sleepers=0.1,
        block=(3001, 7000, 0.95, False),
    ),
    Scenario("4 000 dead, still beating", 300, STEADY, 7_500, block=(*BLOCK, True)),
    Scenario("the same at 300 a minute", 300, SLOW, 6_000, block=(751, 4750, 0.95, True)),
    Scenario("the same as the rate doubles", 300, DOUBLED, 6_500, block=(601, 4600, 0.95, True)),
)  # fmt: skip
# Every difficulty at once in a few minutes, for a test.
SHORT = Scenario(
    "short", 200, ((0, 600), (150, 900)), 6_200, leavers=0.2, stale=0.15, sleepers=0.1,
    block=(1301, 3300, 0.95, False),
)  # fmt: skip
