"""What the door did, told to Redis: the console is another process, and so are other doors."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from redis.exceptions import RedisError

from waitingroom import keys
from waitingroom.abuse import Door
from waitingroom.store import REDIS_TIMEOUT_S, RoomAway, Store

TELL_EVERY_S = 1.0
log = structlog.get_logger()


class Tallies:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def tell(self, event: int, counts: Mapping[str, int]) -> None:
        """Add these, by `rule outcome`. Raises RoomAway."""
        redis, name = self._store.redis, keys.door(event)
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                await asyncio.gather(
                    *(redis.hincrby(name, what, count) for what, count in counts.items())
                )
        except (RedisError, OSError, TimeoutError) as error:
            raise RoomAway from error

    async def of(self, event: int) -> dict[str, int]:
        """All that was told of this room. Raises RoomAway."""
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                found: Any = await self._store.redis.hgetall(keys.door(event))
        except (RedisError, OSError, TimeoutError) as error:
            raise RoomAway from error
        return {what.decode(): int(count) for what, count in found.items()}


class Listener(Protocol):
    async def tell_tally(self, event: int, counts: Mapping[str, int]) -> None: ...


async def tell_tallies(door: Door, rooms: Listener) -> None:
    """Forever; for a lifespan. What Redis doesn't take is told the next time."""
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        for event, counts in door.take_tallies().items():
            try:
                await rooms.tell_tally(event, counts)
            except RoomAway:
                door.put_back(event, counts)
