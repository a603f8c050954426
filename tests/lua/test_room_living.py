"""tick and call: the next living places, those who come back, and the share that is learned."""

import pytest
from redis.asyncio import Redis

from tests.lua.room_bench import EVENT, GENERATION, Bench
from waitingroom import keys


@pytest.fixture
def room(redis_rooms: Redis) -> Bench:
    return Bench(redis_rooms)


async def crowd(room: Bench, count: int) -> None:
    for number in range(1, count + 1):
        await room.join(f"v{number}")
    await room.tick()


async def share_of(room: Bench) -> float:
    told = await room.redis.hget(keys.line(EVENT, GENERATION), "share")
    assert told is not None
    return float(told)


async def test_a_share_that_falls_is_learned_and_a_new_leader_knows_it(room: Bench):
    await room.open(rate_per_minute=60)
    await crowd(room, 500)
    shares = []
    for _ in range(40):
        await room.tick(1000)
        shares.append(await share_of(room))
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.2 < shares[0]
    assert (await room.tick(250, fence=99))[0] == "called"
    assert (await room.tick(250, fence=98)) == ["fenced"]
    assert await share_of(room) <= shares[-1]


async def test_however_few_come_no_more_are_called_at_once_than_a_minute_lets_in(room: Bench):
    await room.open(rate_per_minute=60)
    await crowd(room, 500)
    await room.redis.hset(keys.line(EVENT, GENERATION), "share", "0.02")
    assert (await room.tick(250))[2] <= 60 - 6


async def silent(room: Bench, count: int, *, listened: bool = True) -> None:
    """So many joined long ago and were not heard from since, while the leader ticked."""
    await room.set(state="paused")
    await crowd(room, count)
    for _ in range(140 if listened else 0):
        await room.tick(1000)
    if not listened:
        room.now_ms += 140_000


async def test_the_next_living_are_called_and_the_dead_passed_over(room: Bench):
    await room.open(rate_per_minute=60)
    await silent(room, 5000)
    for number in (7, 8, 4100, 4999):
        await room.heartbeat(number)
    await room.set(state="open")
    assert await room.tick(250) == ["called", 4999, 4]
    asked = keys.called(EVENT, GENERATION)
    assert await room.redis.bitcount(asked) == 4
    assert await room.redis.getbit(asked, 4100) == 1


async def test_nobody_is_passed_over_for_nobody(room: Bench):
    await room.open(rate_per_minute=60)
    await silent(room, 50)
    await room.heartbeat(3)
    await room.set(state="open")
    assert await room.tick(250) == ["called", 3, 1]
    await room.heartbeat(4)
    assert await room.tick(250) == ["called", 4, 1]


async def test_after_a_gap_everybody_counts_as_living_until_they_could_be_heard(room: Bench):
    await room.open(rate_per_minute=60)
    await silent(room, 50, listened=False)
    await room.heartbeat(30)
    await room.set(state="open")
    assert await room.tick(0) == ["called", 6, 6]


async def test_who_was_passed_over_and_comes_back_goes_first(room: Bench):
    await room.open(rate_per_minute=60)
    await silent(room, 100)
    for number in range(50, 101):
        await room.heartbeat(number)
    await room.set(state="open")
    assert await room.tick(250) == ["called", 55, 6]
    assert await room.look("v9", 9) == ["passed"]
    assert await room.claim("v9", 9) == ["passed", 55]
    await room.heartbeat(9)
    await room.heartbeat(4)
    assert await room.tick(250) == ["called", 55, 0]
    for number in (50, 51):
        room.now_ms += 1000
        assert (await room.claim(f"v{number}", number))[0] == "admitted"
    assert await room.tick(250) == ["called", 55, 2]
    assert [await room.look(f"v{n}", n) for n in (4, 9)] == [["called"]] * 2
    assert (await room.claim("v4", 4))[0] in ("admitted", "rate")


async def test_who_came_back_and_went_again_holds_up_nobody(room: Bench):
    await room.open(rate_per_minute=60)
    await silent(room, 100)
    for number in range(50, 101):
        await room.heartbeat(number)
    await room.set(state="open", rate_per_minute=10)
    await room.tick(250)
    await room.heartbeat(9)
    await room.set(state="paused", rate_per_minute=60)
    for second in range(140):
        await room.tick(1000)
        if second % 30 == 0:
            for number in range(50, 101):
                await room.heartbeat(number)
    await room.set(state="open")
    assert await room.look("v9", 9) == ["passed"]
    assert (await room.tick(250))[2] > 0
    assert await room.redis.zcard(keys.returned(EVENT, GENERATION)) == 0
    await room.heartbeat(9)
    assert await room.redis.zcard(keys.returned(EVENT, GENERATION)) == 1


async def test_who_comes_back_after_the_grace_has_lapsed(room: Bench):
    await room.open(rate_per_minute=60, grace_seconds=30)
    await silent(room, 100)
    await room.heartbeat(50)
    await room.set(state="open")
    await room.tick(250)
    for _ in range(29):
        await room.tick(1000)
    await room.heartbeat(9)
    for _ in range(2):
        await room.tick(1000)
    await room.heartbeat(8)
    assert await room.look("v8", 8) == ["lapsed"]
    assert await room.look("v9", 9) == ["called"]


async def test_who_gave_up_is_neither_called_nor_waited_for(room: Bench):
    await room.open(rate_per_minute=60)
    for number in range(1, 21):
        await room.join(f"v{number}")
    for number in (1, 3, 4):
        await room.leave(f"v{number}", number)
    assert await room.tick(250) == ["called", 9, 6]


async def test_a_room_that_forgot_who_was_called_begins_anew(room: Bench):
    await room.open(rate_per_minute=60)
    await crowd(room, 100)
    await room.tick(1000)
    await room.redis.delete(keys.reached(EVENT, GENERATION))
    called = [(await room.tick(1000))[2] for _ in range(8)]
    assert sum(called) > 0
