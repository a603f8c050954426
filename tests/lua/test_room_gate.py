"""claim, keep, free: one test for each answer, and the gate's exactness."""

import pytest
from redis.asyncio import Redis

from tests.lua.room_bench import EVENT, GENERATION, SLACK_MS, Bench
from waitingroom import keys


@pytest.fixture
def room(redis_rooms: Redis) -> Bench:
    return Bench(redis_rooms)


async def called(room: Bench, count: int) -> list[tuple[str, int]]:
    """So many visitors whose numbers are all called."""
    people = [(f"v{i}", i) for i in range(1, count + 1)]
    for who, _ in people:
        await room.join(who)
    await room.redis.hset(keys.line(EVENT, GENERATION), "serving", count)
    for _, number in people:
        await room.redis.setbit(keys.called(EVENT, GENERATION), number, 1)
    return people


async def test_who_was_called_is_admitted_once(room: Bench):
    await room.open(pass_seconds=180, lease_seconds=900)
    await called(room, 1)
    word, visit = await room.claim("v1", 1)
    now_s = room.now_ms // 1000
    assert word == "admitted"
    assert visit == f"{GENERATION}:1:jti-v1-{room.now_ms}:{now_s}:{now_s + 180}:{now_s + 900}"
    until = await room.redis.zscore(keys.leases(EVENT), "v1")
    assert until == (now_s + 180) * 1000 + SLACK_MS
    room.now_ms += 100_000
    assert await room.claim("v1", 1) == ["repeat", visit]
    assert await room.line("claimed") == 1


async def test_a_repeat_works_while_the_room_is_held(room: Bench):
    await room.open()
    await called(room, 1)
    _, visit = await room.claim("v1", 1)
    await room.set(state="held")
    assert await room.claim("v1", 1) == ["repeat", visit]


async def test_the_gate_has_a_clock_of_its_own(room: Bench):
    await room.open()
    await called(room, 1)
    _, visit = await room.claim("v1", 1, own_clock=True)
    seconds, _ = await room.redis.time()
    assert abs(int(visit.split(":")[3]) - seconds) <= 1


async def test_a_number_that_was_not_called_is_refused(room: Bench):
    await room.open()
    await room.join("aru")
    assert await room.claim("aru", 1) == ["not-called", 0]


async def test_a_number_of_somebody_else_is_refused(room: Bench):
    await room.open()
    await called(room, 2)
    assert await room.claim("v1", 2) == ["gone"]
    assert await room.claim("ermek", 1) == ["gone"]


async def test_a_room_that_is_off_gives_no_passes(room: Bench):
    await room.open()
    await called(room, 1)
    await room.set(mode="off")
    assert await room.claim("v1", 1) == ["off"]


@pytest.mark.parametrize("state", ["held", "closed"])
async def test_nobody_enters_a_shut_room(room: Bench, state: str):
    await room.open()
    await called(room, 1)
    await room.set(state=state)
    assert await room.claim("v1", 1) == ["shut", state]


@pytest.mark.parametrize("state", ["paused", "drained"])
async def test_the_called_enter_a_room_that_calls_no_more_or_joins_no_more(room: Bench, state: str):
    await room.open()
    await called(room, 1)
    await room.set(state=state)
    assert (await room.claim("v1", 1))[0] == "admitted"


async def test_a_used_number_is_over_when_its_visit_is(room: Bench):
    await room.open()
    await called(room, 1)
    await room.claim("v1", 1)
    await room.free("v1")
    assert await room.claim("v1", 1) == ["over"]


async def test_an_unused_pass_gives_its_place_back_and_the_number_is_over(room: Bench):
    await room.open(ceiling=1, pass_seconds=30)
    await called(room, 2)
    await room.claim("v1", 1)
    room.now_ms += 30_000
    assert await room.claim("v2", 2) == ["full"]
    room.now_ms += SLACK_MS
    assert (await room.claim("v2", 2))[0] == "admitted"
    assert await room.claim("v1", 1) == ["over"]


async def test_who_comes_after_the_grace_has_lapsed(room: Bench):
    await room.open()
    await called(room, 2)
    await room.redis.hset(keys.line(EVENT, GENERATION), "lapsed", 1)
    assert await room.claim("v1", 1) == ["lapsed"]
    assert (await room.claim("v2", 2))[0] == "admitted"


async def test_who_found_the_gate_full_in_time_does_not_lapse(room: Bench):
    await room.open(ceiling=1)
    await called(room, 2)
    await room.claim("v1", 1)
    assert await room.claim("v2", 2) == ["full"]
    await room.redis.hset(keys.line(EVENT, GENERATION), "lapsed", 2)
    await room.free("v1")
    assert (await room.claim("v2", 2))[0] == "admitted"


async def test_the_rate_admits_a_burst_and_then_one_by_one(room: Bench):
    await room.open(rate_per_minute=120)
    await called(room, 6)
    room.now_ms += 3_600_000
    assert [(await room.claim(f"v{i}", i))[0] for i in (1, 2, 3)] == ["admitted"] * 2 + ["rate"]
    assert await room.claim("v3", 3) == ["rate", 500]
    room.now_ms += 499
    assert await room.claim("v3", 3) == ["rate", 1]
    room.now_ms += 1
    assert (await room.claim("v3", 3))[0] == "admitted"


async def test_a_clock_that_jumps_back_gives_no_credit_and_freezes_nothing(room: Bench):
    await room.open(rate_per_minute=60)
    await called(room, 6)
    room.now_ms += 3_600_000
    for number in (1, 2):
        await room.claim(f"v{number}", number)
    room.now_ms -= 3_600_000
    assert await room.claim("v3", 3) == ["rate", 1000]
    room.now_ms += 1_000
    assert (await room.claim("v3", 3))[0] == "admitted"


async def test_a_lower_ceiling_admits_nobody_until_enough_have_left(room: Bench):
    await room.open(rate_per_minute=6000, ceiling=3)
    await called(room, 4)
    for number in (1, 2, 3):
        assert (await room.claim(f"v{number}", number))[0] == "admitted"
    await room.set(ceiling=2)
    await room.free("v1")
    assert await room.claim("v4", 4) == ["full"]
    await room.free("v2")
    assert (await room.claim("v4", 4))[0] == "admitted"


async def test_a_used_pass_keeps_its_lease_for_the_visit(room: Bench):
    await room.open(ceiling=1, pass_seconds=30)
    await called(room, 2)
    await room.claim("v1", 1)
    assert await room.keep("v1", room.now_ms + 900_000) == ["kept"]
    room.now_ms += 899_999
    assert await room.claim("v2", 2) == ["full"]
    room.now_ms += 1
    assert (await room.claim("v2", 2))[0] == "admitted"


async def test_a_late_notice_revives_a_lease_and_says_when_that_is_one_too_many(room: Bench):
    await room.open(ceiling=1, pass_seconds=30)
    await called(room, 2)
    await room.claim("v1", 1)
    room.now_ms += 30_000 + SLACK_MS
    assert await room.keep("v1", room.now_ms + 60_000) == ["kept"]
    await room.keep("v1", room.now_ms)
    await room.claim("v2", 2)
    assert await room.keep("v1", room.now_ms + 60_000) == ["over"]
    assert (await room.read())[3] == 2


async def test_a_lease_that_was_freed_or_never_was_is_not_kept(room: Bench):
    await room.open()
    await called(room, 1)
    assert await room.keep("v1", room.now_ms + 1) == ["gone"]
    await room.claim("v1", 1)
    await room.free("v1")
    assert await room.keep("v1", room.now_ms + 60_000) == ["gone"]
    assert (await room.read())[3] == 0


async def test_notices_of_another_pass_change_nothing(room: Bench):
    await room.open()
    await called(room, 1)
    await room.claim("v1", 1)
    jti = f"jti-v1-{room.now_ms}"
    assert await room.keep("v1", 1, "other") == ["other"]
    assert await room.free("v1", "other") == ["other"]
    assert await room.keep("v1", room.now_ms + 60_000, jti) == ["kept"]
    assert await room.free("v1", jti) == ["freed"]
    assert await room.free("v1", jti) == ["gone"]
