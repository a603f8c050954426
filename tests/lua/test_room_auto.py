"""watch, hear, and claims without a place: how a room arms, disarms and lets programs in."""

import json

import pytest
from redis.asyncio import Redis

from tests.lua.room_bench import EVENT, GENERATION, SLACK_MS, START_MS, Bench
from waitingroom import keys

THRESHOLDS = {"arm_requests": 50, "disarm_requests": 10, "disarm_seconds": 30}


@pytest.fixture
async def room(redis_rooms: Redis) -> Bench:
    bench = Bench(redis_rooms)
    await bench.open(mode="auto", **THRESHOLDS)
    return bench


async def armed(room: Bench) -> Bench:
    """As an automatic room is once the leader has looked, with everybody heard."""
    await room.set(armed_at=room.now_ms)
    await room.tick()
    room.now_ms += 76_000
    await room.tick()
    return room


async def quiet(room: Bench, seconds: int, requests: int = 0) -> list[object]:
    """So many requests a second are told, and the leader looks, until it does something."""
    said: list[object] = []
    for _ in range(seconds):
        room.now_ms += 1000
        await room.hear(0, requests)
        await room.tick()
        said = await room.watch()
        if said[0] != "watched":
            break
    return said


async def test_a_room_of_another_mode_is_not_watched(room: Bench):
    await room.set(mode="on")
    await room.hear(0, 5000)
    assert await room.watch() == ["manual"]


async def test_requests_within_five_seconds_arm_it(room: Bench):
    await room.hear(0, 10)
    room.now_ms += 4_000
    await room.hear(0, 39)
    assert await room.watch() == ["watched", 49, 0]
    await room.hear(0, 1)
    assert await room.watch() == ["armed", 50, room.now_ms]
    assert await room.watch() == ["watched", 50, room.now_ms]


async def test_what_is_older_than_five_seconds_does_not_count(room: Bench):
    await room.hear(0, 49)
    room.now_ms += 5_000
    await room.hear(0, 49)
    assert await room.watch() == ["watched", 49, 0]


async def test_several_tellers_add_up_and_late_seconds_count_where_they_were(room: Bench):
    await room.hear(0, 20, 1, 9, teller="one")
    await room.hear(0, 20, teller="two")
    assert await room.watch() == ["watched", 49, 0]
    await room.hear(9, 400, 60, 400, -1, 400, teller="late")
    assert await room.watch() == ["watched", 49, 0]


async def test_arming_is_noted_and_raises_the_version(room: Bench):
    await room.hear(0, 50)
    await room.watch()
    note = await room.redis.lindex(keys.changes(EVENT), 0)
    assert json.loads(note or "") == {
        "at": START_MS,
        "actor": "auto",
        "changes": {"armed": True, "requests": 50},
    }
    assert await room.redis.hget(keys.settings(EVENT), "version") == b"2"


async def test_it_disarms_when_it_was_calm_for_long_enough(room: Bench):
    await armed(room)
    assert (await quiet(room, 30, requests=1))[0] == "watched"
    assert await quiet(room, 1, requests=1) == ["disarmed", 5, 0]
    assert await room.redis.hget(keys.settings(EVENT), "armed_at") == b"0"


async def test_between_the_thresholds_nothing_changes(room: Bench):
    await armed(room)
    assert (await quiet(room, 60, requests=4))[0] == "watched"
    await room.set(armed_at=0)
    assert await quiet(room, 60, requests=4) == ["watched", 20, 0]


async def test_one_burst_begins_the_calm_anew(room: Bench):
    await armed(room)
    await quiet(room, 28)
    await quiet(room, 1, requests=10)
    assert (await quiet(room, 34))[0] == "watched"
    assert (await quiet(room, 1))[0] == "disarmed"


async def test_while_somebody_waits_it_stays_armed(room: Bench):
    await armed(room)
    await room.set(state="paused")
    await room.join("aru")
    await room.set(state="open", ceiling=0)
    for _ in range(4):
        await quiet(room, 20)
        await room.heartbeat(1)
    assert (await quiet(room, 1))[0] == "watched"
    await room.leave("aru", 1)
    assert (await quiet(room, 32))[0] == "disarmed"


async def test_a_teller_that_falls_silent_is_no_calm(room: Bench):
    await armed(room)
    await room.hear(0, 0, teller="another")
    assert (await quiet(room, 290))[0] == "watched"
    assert (await quiet(room, 42))[0] == "disarmed"


async def test_when_nobody_tells_anything_it_stays_as_it_is(room: Bench):
    await armed(room)
    for _ in range(200):
        room.now_ms += 1000
        await room.tick()
        assert (await room.watch())[0] == "watched"
    await room.set(armed_at=0)
    assert await room.watch() == ["watched", 0, 0]


async def test_time_that_no_leader_watched_is_no_calm(room: Bench):
    await armed(room)
    await quiet(room, 20)
    room.now_ms += 60_000
    await room.hear(0, 0)
    assert (await room.watch())[0] == "watched"
    assert (await quiet(room, 30))[0] == "disarmed"


async def test_a_clock_that_jumps_back_disarms_nothing_and_forgets_the_future(room: Bench):
    await armed(room)
    await quiet(room, 20, requests=20)
    room.now_ms -= 3_600_000
    assert (await room.watch())[1:] == [0, START_MS]
    assert (await quiet(room, 29))[0] == "watched"


@pytest.mark.parametrize("state", ["paused", "held", "drained", "closed"])
async def test_a_room_that_is_stopped_is_armed_and_stays_so(room: Bench, state: str):
    await room.set(state=state)
    assert (await room.watch())[0] == "armed"
    await armed(room)
    assert (await quiet(room, 60))[0] == "watched"


async def test_an_earlier_leader_changes_nothing(room: Bench):
    await room.tick(fence=5)
    await room.hear(0, 500)
    assert await room.watch(fence=4) == ["fenced"]
    assert await room.watch(generation=8) == ["generation", str(GENERATION)]


async def test_disarmed_it_is_off_for_everybody(room: Bench):
    assert await room.join("aru") == ["off"]
    assert await room.claim("bek", 0) == ["off"]
    await armed(room)
    assert await room.join("aru") == ["joined", 1]


async def test_armed_it_calls_and_admits_like_one_that_is_on(room: Bench):
    await armed(room)
    await room.join("aru")
    await room.call(1)
    assert (await room.claim("aru", 1))[0] == "admitted"


async def test_a_program_is_let_in_without_a_place(room: Bench):
    await armed(room)
    word, visit = await room.claim("bek", 0)
    assert (word, visit.split(":")[:2]) == ("admitted", [str(GENERATION), "0"])
    until = await room.redis.zscore(keys.leases(EVENT), "bek")
    assert until == room.now_ms // 1000 * 1000 + 180_000 + SLACK_MS
    assert await room.claim("bek", 0) == ["repeat", visit]
    assert (await room.line("claimed"), await room.line("implicit")) == (1, 1)
    assert await room.redis.getbit(keys.done(EVENT, GENERATION), 0) == 0


async def test_only_an_automatic_room_lets_programs_in(room: Bench):
    await room.set(mode="on")
    assert await room.claim("bek", 0) == ["queue"]
    await room.set(mode="scheduled")
    assert await room.claim("bek", 0) == ["queue"]


@pytest.mark.parametrize("state", ["paused", "held", "drained", "closed"])
async def test_programs_stay_out_of_a_room_that_is_not_open(room: Bench, state: str):
    await armed(room)
    await room.set(state=state)
    assert await room.claim("bek", 0) == ["shut", state]


async def test_programs_stay_out_while_somebody_waits(room: Bench):
    await armed(room)
    await room.join("aru")
    assert await room.claim("bek", 0) == ["waiting"]
    await room.call(1)
    await room.set(ceiling=0)
    await room.claim("aru", 1)
    assert await room.claim("bek", 0) == ["waiting"], "aru stands at the gate"
    await room.set(ceiling=10)
    await room.claim("aru", 1)
    await room.tick(250)
    assert (await room.claim("bek", 0))[0] == "admitted"


async def test_who_waits_and_is_gone_keeps_no_program_out(room: Bench):
    await armed(room)
    await room.set(state="paused")
    await room.join("ghost")
    for _ in range(130):
        await room.tick(1000)
    await room.set(state="open")
    await room.tick(1000)
    assert await room.line("serving") == 0, "nobody is there to be called past it"
    assert (await room.claim("bek", 0))[0] == "admitted"


async def test_permits_are_left_for_those_who_were_called_and_are_on_their_way(room: Bench):
    await room.set(rate_per_minute=180)
    await armed(room)
    for who in ("a", "b"):
        await room.join(who)
    await room.call(2)
    assert (await room.claim("p", 0))[0] == "admitted"
    assert await room.claim("q", 0) == ["rate", 334]
    assert (await room.claim("a", 1))[0] == "admitted"
    assert (await room.claim("b", 2))[0] == "admitted"


async def test_places_inside_are_left_for_those_who_were_called(room: Bench):
    await room.set(ceiling=2)
    await armed(room)
    await room.join("a")
    await room.call(1)
    assert (await room.claim("p", 0))[0] == "admitted"
    assert await room.claim("q", 0) == ["full"]
    assert (await room.claim("a", 1))[0] == "admitted"


async def test_a_refused_program_stands_nowhere(room: Bench):
    await room.set(rate_per_minute=60)
    await armed(room)
    await room.claim("p", 0)
    assert (await room.claim("q", 0))[0] == "rate"
    for name in (keys.standing, keys.came, keys.knocked):
        assert await room.redis.exists(name(EVENT, GENERATION)) == 0


@pytest.mark.parametrize("mode", ["on", "scheduled", "auto"])
async def test_beyond_the_capacity_nobody_gets_a_place_and_no_number_is_burned(
    room: Bench, mode: str
):
    await room.set(mode=mode, armed_at=1, places_max=2)
    assert await room.join("a") == ["joined", 1]
    assert await room.join("b") == ["joined", 2]
    assert await room.join("c") == ["full", 2]
    assert await room.join("b") == ["again", 2]
    assert await room.line("issued") == 2
    await room.leave("a", 1)
    assert await room.join("c") == ["joined", 3]
    assert await room.join("d") == ["full", 2]


async def test_whoever_is_called_leaves_room_for_the_next(room: Bench):
    await room.set(mode="on", places_max=9)
    for i in range(9):
        assert (await room.join(f"v{i}"))[0] == "joined"
    assert await room.join("late") == ["full", 9]
    await room.leave("v8", 9)
    await room.set(rate_per_minute=10)
    await room.call(1)
    assert await room.line("serving") == 1
    assert [(await room.join(who))[0] for who in ("x", "y", "z")] == ["joined", "joined", "full"]


async def test_a_capacity_that_is_not_set_is_none(room: Bench):
    await room.set(mode="on", places_max="")
    for i in range(30):
        assert (await room.join(f"v{i}"))[0] == "joined"
