"""open, configure, lead, tick, read: one test for each answer, and what a tick may call."""

import pytest
from redis.asyncio import Redis

from tests.lua.room_bench import EVENT, GENERATION, REMEMBER_MS, Bench
from waitingroom import keys


@pytest.fixture
def room(redis_rooms: Redis) -> Bench:
    return Bench(redis_rooms)


async def crowd(room: Bench, count: int) -> None:
    for number in range(1, count + 1):
        await room.join(f"v{number}")
    await room.tick()


async def test_a_room_is_opened_once(room: Bench):
    assert await room.open(ceiling=5) == ["opened"]
    assert await room.open(ceiling=9) == ["exists"]
    assert await room.redis.hget(keys.settings(EVENT), "ceiling") == b"5"


async def test_a_change_to_an_older_version_is_refused(room: Bench):
    await room.open()
    assert await room.configure(1, version=2, ceiling=5) == ["changed"]
    assert await room.configure(1, version=2, ceiling=9) == ["stale"]
    assert await room.redis.hget(keys.settings(EVENT), "ceiling") == b"5"


async def test_the_notes_of_changes_are_bounded(room: Bench):
    await room.open()
    for version in range(1, 6):
        await room.configure(version, version=version + 1)
    assert await room.redis.llen(keys.changes(EVENT)) == 3


async def test_one_leads_and_the_next_has_a_higher_fence(room: Bench):
    word, fence = await room.lead("a", life_ms=50)
    assert word == "leads"
    assert await room.lead("a", life_ms=50) == ["leads", fence]
    assert await room.lead("b") == ["other"]
    await room.redis.delete(keys.LEADER)
    assert (await room.lead("b"))[1] > fence


async def test_a_leader_after_a_loss_of_memory_has_a_higher_fence(room: Bench):
    _, fence = await room.lead("a")
    await room.redis.flushall()
    room.now_ms += 1
    assert (await room.lead("b"))[1] > fence


async def test_an_older_leader_is_fenced_off(room: Bench):
    await room.open()
    await crowd(room, 100)
    await room.tick(1000, fence=9)
    before = await room.line("serving")
    assert await room.tick(1000, fence=8) == ["fenced"]
    assert await room.line("serving") == before


async def test_a_tick_calls_six_seconds_of_claimers(room: Bench):
    await room.open(rate_per_minute=600)
    for number in range(1, 101):
        await room.join(f"v{number}")
    assert await room.tick(250) == ["called", 60, 60]
    assert await room.tick(250) == ["called", 60, 0]
    for number in range(1, 6):
        assert (await room.claim(f"v{number}", number))[0] == "admitted"
    assert await room.tick(250) == ["called", 65, 5]


async def test_who_stands_at_the_gate_counts_as_long_as_they_ask(room: Bench):
    await room.open(rate_per_minute=60)
    await crowd(room, 100)
    for _ in range(3):
        await room.tick(1000)
        for number in range(1, 7):
            await room.claim(f"v{number}", number)
    assert await room.line("serving") == 8
    # Six seconds of them stand there; a claimer not heard of for eleven seconds does no longer.
    for _ in range(11):
        await room.tick(1000)
    assert await room.line("serving") > 12


async def test_nothing_is_saved_up_while_nobody_waits_or_nobody_ticks(room: Bench):
    await room.open(rate_per_minute=600)
    await crowd(room, 1)
    for _ in range(10):
        await room.tick(1000)
        await room.claim("v1", 1)
    for number in range(2, 200):
        await room.join(f"v{number}")
    assert await room.tick(3_600_000) == ["called", 61, 60]


@pytest.mark.parametrize("state", ["paused", "held", "closed"])
async def test_a_room_that_stands_still_calls_nobody_and_saves_nothing(room: Bench, state: str):
    await room.open(rate_per_minute=600)
    for number in range(1, 101):
        await room.join(f"v{number}")
    await room.set(state=state)
    for _ in range(10):
        assert await room.tick(1000) == ["still", 0]
    await room.set(state="open")
    assert await room.tick(100) == ["called", 60, 60]


async def test_a_room_that_is_off_calls_nobody(room: Bench):
    await room.open(mode="off")
    assert await room.tick(1000) == ["still", 0]


async def test_no_number_is_called_that_was_not_given(room: Bench):
    await room.open(rate_per_minute=6000)
    for number in range(1, 4):
        await room.join(f"v{number}")
    assert await room.tick(1000) == ["called", 3, 3]


async def test_no_more_are_called_than_could_enter(room: Bench):
    await room.open(rate_per_minute=6000, ceiling=5)
    for number in range(1, 101):
        await room.join(f"v{number}")
    assert await room.tick(1000) == ["called", 5, 5]
    assert await room.tick(1000) == ["called", 5, 0]
    assert (await room.claim("v1", 1))[0] == "admitted"
    assert await room.tick(1000) == ["called", 5, 0]
    await room.free("v1")
    assert await room.tick(250) == ["called", 6, 1]


async def test_a_lower_ceiling_calls_nobody_until_enough_have_gone(room: Bench):
    await room.open(rate_per_minute=6000, ceiling=4)
    await crowd(room, 100)
    for number in range(1, 5):
        assert (await room.claim(f"v{number}", number))[0] == "admitted"
    await room.set(ceiling=2)
    for who in ("v1", "v2"):
        await room.free(who)
        assert (await room.tick(250))[2] == 0
    await room.free("v3")
    assert (await room.tick(250))[2] == 1


async def test_the_absent_do_not_freeze_the_line(room: Bench):
    await room.open(rate_per_minute=6000, ceiling=5)
    await crowd(room, 100)
    for _ in range(7):
        await room.tick(1000)
    assert await room.line("serving") > 10


async def test_grace_runs_only_while_people_can_enter(room: Bench):
    await room.open(grace_seconds=30)
    await crowd(room, 1)
    await room.tick(1000)
    await room.set(state="held")
    for _ in range(100):
        await room.tick(1000)
    await room.set(state="open")
    assert await room.look("v1", 1) == ["called"]
    for _ in range(31):
        await room.tick(1000)
    assert await room.look("v1", 1) == ["lapsed"]


async def test_the_living_are_those_who_wait_and_were_heard(room: Bench):
    await room.open(state="paused")
    await crowd(room, 20)
    assert await room.line("living") == 20
    room.now_ms += 130_000
    for number in (3, 9, 20):
        await room.heartbeat(number)
    await room.tick()
    assert await room.line("living") == 3
    await room.redis.hset(keys.line(EVENT, GENERATION), "serving", 9)
    await room.set(state="paused")
    await room.tick()
    assert await room.line("living") == 1


async def test_leases_long_ended_are_swept(room: Bench):
    await room.open()
    await crowd(room, 1)
    await room.tick(1000)
    await room.claim("v1", 1)
    await room.keep("v1", room.now_ms + 1)
    room.now_ms += REMEMBER_MS
    assert await room.sweep() == ["swept", 0]
    assert await room.redis.zcard(keys.leases(EVENT)) == 1
    room.now_ms += 2
    assert await room.sweep() == ["swept", 1]
    assert await room.redis.zcard(keys.leases(EVENT)) == 0
    assert await room.redis.hlen(keys.visits(EVENT)) == 0


async def test_a_reading_tells_all_numbers_and_who_left_since(room: Bench):
    await room.open(state="paused")
    await crowd(room, 5)
    for number in (2, 4, 5):
        await room.leave(f"v{number}", number)
    await room.adopt("v1", "account", 1)
    word, settings, line, in_flight, left, steps, moves = await room.read(known=1, more=1)
    assert moves == [b"1:1:account"]
    assert (word, in_flight, left) == ("room", 0, [b"4"])
    assert steps == []
    assert b"rate_per_minute" in settings
    assert b"issued" in line
