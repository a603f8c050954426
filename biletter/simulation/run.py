"""One scenario under one rule: virtual time goes by, and the admissions are counted."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis

from biletter.simulation.rules import (
    EVENT,
    AdvanceByRate,
    LivingPlaces,
    Rule,
    SmoothedCorrection,
)
from biletter.simulation.scenarios import Scenario
from biletter.simulation.visitors import Crowd
from kernel.clock import ManualClock
from kernel.keyring import Keyring
from waitingroom.room import Rooms
from waitingroom.settings import CEILING_MAX, RoomSettings

STEP_S = 0.25
STEPS_A_SECOND = 4
MINUTE_S = 60

RuleOf = Callable[["Redis", Rooms, int], Rule]
RULES: dict[str, RuleOf] = {
    "living places": lambda _redis, rooms, _gen: LivingPlaces(rooms),
    "by rate": lambda redis, _rooms, gen: AdvanceByRate(redis, gen),
    "smoothed": lambda redis, _rooms, gen: SmoothedCorrection(redis, gen),
}


class Outcome(msgspec.Struct, frozen=True):
    """Parts of the configured rate: over all, in the worst minute, in the best. `lost`: present
    visitors whose place lapsed. `wait_s`: at the gate, in the mean.
    """

    mean: float
    worst: float
    best: float
    lost: int
    wait_s: float


class OneConnection:
    """The client without its pool, so that nobody keeps a connection to themselves: every command
    goes by the only one, in the order they were given.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def __getattr__(self, name: str) -> Any:
        if name == "connection_pool":
            raise AttributeError(name)
        return getattr(self._redis, name)


async def simulate(url: str, scenario: Scenario, rule: RuleOf, seed: int) -> Outcome:
    """The same seed gives the same outcome. Empties the Redis at `url`, which is the caller's."""
    redis: Any = Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=1))
    try:
        with tempfile.TemporaryDirectory(prefix="biletter-simulation-") as folder:
            return await _simulate(OneConnection(redis), Path(folder), scenario, rule, seed)
    finally:
        await redis.aclose()


async def _simulate(
    redis: Any, folder: Path, scenario: Scenario, rule_of: RuleOf, seed: int
) -> Outcome:
    await redis.flushall()
    clock, chance = ManualClock(), Random(seed)  # noqa: S311  # repeatable on purpose
    rooms = Rooms(redis, clock=clock, keyring=Keyring(folder), chance=chance, gate_clock=clock)
    rate = scenario.rate_at(0)
    # Visits that never end in a sale would fill any ceiling; the rate is what is looked at here.
    await rooms.open(EVENT, RoomSettings(rate_per_minute=rate, ceiling=CEILING_MAX))
    await rooms.reader.refresh()
    crowd = Crowd(rooms, scenario.habits(chance), chance)
    rule = rule_of(redis, rooms, rooms.snapshot(EVENT).settings.generation)
    admitted, allowed = [0], [0.0]
    for second in range(scenario.seconds):
        if scenario.rate_at(second) != rate:
            rate = scenario.rate_at(second)
            await rooms.configure(EVENT, {"rate_per_minute": rate}, "simulation")
        for step in range(STEPS_A_SECOND):
            clock.advance(STEP_S)
            await crowd.act(second + (step + 1) * STEP_S)
            await rule.step(STEP_S, rate / MINUTE_S, crowd.admitted)
            await rooms.reader.refresh()
        await rooms.signs.flush()
        admitted.append(crowd.admitted)
        allowed.append(allowed[-1] + rate / MINUTE_S)
    return _outcome(admitted, allowed, crowd)


def _outcome(admitted: list[int], allowed: list[float], crowd: Crowd) -> Outcome:
    minutes = [
        (admitted[end] - admitted[end - MINUTE_S]) / (allowed[end] - allowed[end - MINUTE_S])
        for end in range(MINUTE_S, len(admitted))
    ]
    waits = crowd.waits_s
    return Outcome(
        mean=admitted[-1] / allowed[-1],
        worst=min(minutes),
        best=max(minutes),
        lost=crowd.lost,
        wait_s=sum(waits) / max(1, len(waits)),
    )
