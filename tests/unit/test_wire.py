"""Commands sent by a kept connection: what is answered, refused, lost, and given back."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import ResponseError

from kernel import wire as wires
from kernel.wire import Wire


@pytest.fixture
def wire(redis_rooms: Redis) -> Wire:
    return Wire(redis_rooms.connection_pool)


async def connections(redis: Any) -> int:
    return len(await redis.client_list())


async def test_answers_come_in_order_and_a_refusal_is_one_of_them(wire: Wire):
    answers = await wire.send(
        [("SET", "n", 7), ("INCR", "n"), ("LPUSH", "n", b"x"), ("GET", "n"), ("TYPE", "нет")]
    )
    assert answers[:2] == [b"OK", 8]
    assert isinstance(answers[2], ResponseError)
    assert answers[3:] == [b"8", b"none"]


async def test_one_connection_serves_call_after_call(wire: Wire, redis_rooms: Redis):
    await wire.send([("PING",)])
    before = await connections(redis_rooms)
    for _ in range(20):
        await wire.send([("PING",)])
    assert await connections(redis_rooms) == before
    await asyncio.gather(*(wire.send([("PING",)]) for _ in range(5)))
    assert await connections(redis_rooms) <= before + 4


@pytest.mark.parametrize("kept_s", [0.0, 60.0], ids=["long ago", "a moment ago"])
async def test_a_connection_that_redis_closed_while_it_was_idle_is_not_used(
    wire: Wire, redis_rooms: Redis, monkeypatch: pytest.MonkeyPatch, kept_s: float
):
    monkeypatch.setattr(wires, "KEPT_S", kept_s)
    await wire.send([("PING",)])
    await Redis.execute_command(redis_rooms, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await wire.send([("INCR", "n")]) == [1]


async def test_a_connection_that_breaks_under_way_fails_that_call_and_no_later_one(
    wire: Wire, redis_rooms: Redis
):
    await wire.send([("PING",)])
    waiting = asyncio.ensure_future(wire.send([("BLPOP", "never", 5)]))
    await asyncio.sleep(0.05)
    await Redis.execute_command(redis_rooms, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(RedisGone):
        await waiting
    assert await wire.send([("INCR", "n")]) == [1]


async def test_who_gives_up_leaves_no_answer_behind_for_the_next(wire: Wire):
    waiting = asyncio.ensure_future(wire.send([("BLPOP", "never", "0.2"), ("ECHO", "late")]))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await wire.send([("ECHO", "mine")]) == [b"mine"]


async def test_a_silent_redis_is_given_up(redis_rooms: Redis):
    wire = Wire(redis_rooms.connection_pool, timeout_s=0.1)
    with pytest.raises(TimeoutError):
        await wire.send([("BLPOP", "never", 1)])
    assert await wire.send([("ECHO", "mine")]) == [b"mine"]


async def test_a_pool_that_was_emptied_in_between_is_no_trouble(
    wire: Wire, redis_rooms: Redis, monkeypatch: pytest.MonkeyPatch
):
    await wire.send([("PING",)])
    redis_rooms.connection_pool.reset()
    monkeypatch.setattr(wires, "KEPT_S", 0.0)
    assert await wire.send([("INCR", "n")]) == [1]
