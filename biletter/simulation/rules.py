"""Who is called when: the room's own rule, and the two that are usually written."""

from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from kernel.lua import LuaScripts
from waitingroom import keys
from waitingroom.room import Rooms

EVENT = 1
# The smoothed correction looks at claims this far back, and never pushes harder than this.
LOOK_BACK_S = 15.0
PUSH_MAX = 3.0
# How fast its factor follows what was seen.
SMOOTHING = 0.05


class Rule(Protocol):
    async def step(self, seconds: float, rate_per_s: float, claimed: int) -> None:
        """Call the next numbers; `claimed` so far."""
        ...


class LivingPlaces:
    """What the product does."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def step(self, seconds: float, rate_per_s: float, claimed: int) -> None:
        del seconds, rate_per_s, claimed
        await self._rooms.tick(EVENT, 1)


class AdvanceByRate:
    """The serving number goes up at the configured rate."""

    def __init__(self, redis: "Redis", generation: int) -> None:
        self._scripts = LuaScripts(redis, Path(__file__).parent / "lua")
        self._keys = [keys.line(EVENT, generation), keys.called(EVENT, generation)]
        self._rest = 0.0

    async def step(self, seconds: float, rate_per_s: float, claimed: int) -> None:
        self._rest += rate_per_s * seconds * self._factor(seconds, rate_per_s, claimed)
        count, self._rest = int(self._rest), self._rest % 1
        await self._scripts.run("advance", self._keys, [count])

    def _factor(self, seconds: float, rate_per_s: float, claimed: int) -> float:
        del seconds, rate_per_s, claimed
        return 1.0


class SmoothedCorrection(AdvanceByRate):
    """The same, times how much the claims of late fell short of the rate, smoothed."""

    def __init__(self, redis: "Redis", generation: int) -> None:
        super().__init__(redis, generation)
        self._seen: list[int] = []
        self._push = 1.0

    def _factor(self, seconds: float, rate_per_s: float, claimed: int) -> float:
        self._seen.append(claimed)
        steps = round(LOOK_BACK_S / seconds)
        if len(self._seen) > steps:
            came = (claimed - self._seen[-1 - steps]) / LOOK_BACK_S
            wanted = self._push * rate_per_s / max(came, rate_per_s / PUSH_MAX)
            self._push += (min(PUSH_MAX, max(1.0, wanted)) - self._push) * SMOOTHING
        return self._push
