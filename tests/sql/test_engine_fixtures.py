"""The fixtures everyone stands on."""

import asyncpg
import pytest
from redis.asyncio import Redis


async def test_each_test_gets_two_redis_processes_of_its_own(
    redis_rooms: Redis, redis_shop: Redis
) -> None:
    await redis_rooms.set("who", "rooms")
    assert await redis_shop.get("who") is None
    assert (await redis_rooms.info("server"))["process_id"] != (await redis_shop.info("server"))[
        "process_id"
    ]


async def test_a_local_redis_never_evicts(redis_shop: Redis) -> None:
    assert await redis_shop.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_gets_a_database_of_its_own(db: asyncpg.Pool, turn: int) -> None:
    await db.execute("CREATE TABLE mark (turn int)")
    await db.execute("INSERT INTO mark VALUES ($1)", turn)
    assert await db.fetchval("SELECT count(*) FROM mark") == 1
