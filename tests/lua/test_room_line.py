"""join, adopt, heartbeat, leave, look: one test for each answer."""

import pytest
from redis.asyncio import Redis

from tests.lua.room_bench import EVENT, GENERATION, Bench
from waitingroom import keys

OLDER = GENERATION - 1


@pytest.fixture
def room(redis_rooms: Redis) -> Bench:
    return Bench(redis_rooms)


async def test_no_command_works_on_a_room_that_does_not_exist(room: Bench):
    for call in (
        room.join("aru"),
        room.adopt("aru", "bek", 1),
        room.heartbeat(1),
        room.leave("aru", 1),
        room.look("aru", 1),
        room.claim("aru", 1),
        room.tick(),
        room.read(),
        room.configure(1, rate_per_minute=5),
    ):
        assert await call == ["unknown"]
    assert await room.redis.keys("*") == []


async def test_no_command_works_on_a_line_that_is_over(room: Bench):
    await room.open()
    for call in (
        room.join("aru", OLDER),
        room.adopt("aru", "bek", 1, OLDER),
        room.heartbeat(1, OLDER),
        room.leave("aru", 1, OLDER),
        room.look("aru", 1, OLDER),
        room.claim("aru", 1, OLDER),
        room.tick(generation=OLDER),
        room.read(generation=OLDER),
    ):
        assert await call == ["generation", str(GENERATION)]
    assert await room.redis.keys("*") == [keys.settings(EVENT).encode()]


async def test_joins_number_visitors_one_by_one(room: Bench):
    await room.open()
    assert [await room.join(who) for who in ("aru", "bek", "dana")] == [
        ["joined", 1],
        ["joined", 2],
        ["joined", 3],
    ]


async def test_a_repeated_join_burns_no_number(room: Bench):
    await room.open()
    await room.join("aru")
    assert [await room.join("aru") for _ in range(5)] == [["again", 1]] * 5
    assert await room.join("bek") == ["joined", 2]


async def test_nobody_joins_a_room_that_is_off(room: Bench):
    await room.open(mode="off")
    assert await room.join("aru") == ["off"]
    assert await room.line("issued") == 0


@pytest.mark.parametrize("state", ["closed", "drained"])
async def test_a_closed_room_keeps_places_and_gives_none(room: Bench, state: str):
    await room.open()
    await room.join("aru")
    await room.set(state=state)
    assert await room.join("bek") == ["closed", state]
    assert await room.join("aru") == ["again", 1]
    assert await room.line("issued") == 1


@pytest.mark.parametrize("state", ["paused", "held"])
async def test_people_join_a_room_that_stands_still(room: Bench, state: str):
    await room.open(state=state)
    assert await room.join("aru") == ["joined", 1]


async def test_who_is_inside_keeps_the_number_and_gets_a_new_one_afterwards(room: Bench):
    await room.open()
    await room.join("aru")
    await room.call(1)
    assert (await room.claim("aru", 1))[0] == "admitted"
    assert await room.join("aru") == ["again", 1]
    await room.free("aru")
    assert await room.join("aru") == ["joined", 2]


async def test_who_lapsed_gets_a_new_number_and_the_old_one_is_dead(room: Bench):
    await room.open(grace_seconds=30)
    await room.join("aru")
    await room.call(1)
    for _ in range(40):
        await room.tick(1000)
    assert await room.join("aru") == ["joined", 2]
    assert await room.claim("aru", 1) == ["gone"]


async def test_a_place_passes_to_its_owners_account(room: Bench):
    await room.open()
    await room.join("device")
    assert await room.adopt("device", "account", 1) == ["adopted", 1, 1]
    assert await room.join("account") == ["again", 1]
    assert await room.join("device") == ["joined", 2]


@pytest.mark.parametrize("order", [("device", "account"), ("account", "device")])
async def test_of_two_places_the_better_one_is_kept_and_the_other_given_up(
    room: Bench, order: tuple[str, str]
):
    await room.open()
    for who in order:
        await room.join(who)
    number = 1 + order.index("device")
    assert await room.adopt("device", "account", number) == ["adopted", 1, int(number == 1)]
    assert await room.join("account") == ["again", 1]
    assert await room.redis.lrange(keys.left(EVENT, GENERATION), 0, -1) == [b"2"]


async def test_each_change_of_hands_is_counted_and_only_the_owner_may_pass_it_on(room: Bench):
    await room.open()
    await room.join("device")
    assert await room.adopt("device", "account", 1) == ["adopted", 1, 1]
    owners, moves = keys.owners(EVENT, GENERATION), keys.moves(EVENT, GENERATION)
    assert await room.redis.hget(owners, "1") == b"1:account"
    assert await room.redis.lrange(moves, 0, -1) == [b"1:1:account"]
    # As after a loss: the place stands under both names, and one of them owns it.
    await room.redis.hset(keys.places(EVENT, GENERATION, b"device"), "device", 1)
    assert await room.adopt("device", "thief", 1, hands=5) == ["gone"]
    await room.call(1)
    assert await room.claim("device", 1) == ["gone"]
    assert (await room.claim("account", 1))[0] == "admitted"


async def test_nothing_is_adopted_that_is_not_there_or_used(room: Bench):
    await room.open()
    await room.join("device")
    assert await room.adopt("device", "account", 2) == ["gone"]
    await room.call(1)
    await room.claim("device", 1)
    assert await room.adopt("device", "account", 1) == ["gone"]


@pytest.mark.parametrize("late", ["device", "account"])
async def test_a_turn_that_was_missed_costs_nobody_a_better_place(room: Bench, late: str):
    await room.open(grace_seconds=30)
    await room.join(late)
    await room.call(1)
    for _ in range(40):
        await room.tick(1000)
    await room.set(state="paused")
    other = "account" if late == "device" else "device"
    await room.join(other)
    adopted = await room.adopt("device", "account", 1 if late == "device" else 2)
    assert adopted == (["gone"] if late == "device" else ["adopted", 2, 1])
    assert await room.join("account") == ["again", 2]
    assert await room.redis.lrange(keys.left(EVENT, GENERATION), 0, -1) == []


async def test_a_heartbeat_counts_in_its_window_and_the_next(room: Bench):
    await room.open()
    assert await room.heartbeat(9) == ["heard"]
    this, following = keys.live_pair(EVENT, GENERATION, room.now_ms)
    for name in (this, following):
        assert await room.redis.getbit(name, 9) == 1
        assert 0 < await room.redis.ttl(name) <= 180


async def test_who_leaves_is_passed_over(room: Bench):
    await room.open()
    for who in ("aru", "bek", "dana"):
        await room.join(who)
    assert await room.leave("bek", 2) == ["left"]
    assert await room.leave("bek", 2) == ["gone"]
    assert (await room.read())[4] == [b"2"]
    await room.call(2)
    assert await room.line("serving") == 3


async def test_who_is_inside_does_not_get_out_by_saying_so(room: Bench):
    await room.open()
    await room.join("aru")
    await room.call(1)
    await room.claim("aru", 1)
    assert await room.leave("aru", 1) == ["inside"]
    assert (await room.read())[3] == 1
    await room.free("aru")
    assert await room.leave("aru", 1) == ["over"]


async def test_a_number_given_up_does_not_live_by_its_heartbeats(room: Bench):
    await room.open()
    await room.join("aru")
    await room.leave("aru", 1)
    assert await room.heartbeat(1) == ["heard", 1]
    for name in keys.live_pair(EVENT, GENERATION, room.now_ms):
        assert await room.redis.getbit(name, 1) == 0


async def test_a_look_tells_what_became_of_a_number(room: Bench):
    await room.open(grace_seconds=30, rate_per_minute=1)
    for who in ("aru", "bek", "dana"):
        await room.join(who)
    assert await room.look("aru", 1) == ["waiting"]
    assert await room.look("aru", 2) == ["gone"]
    await room.call(1)
    assert await room.look("aru", 1) == ["called"]
    await room.claim("aru", 1)
    assert (await room.look("aru", 1))[0] == "inside"
    await room.free("aru")
    assert await room.look("aru", 1) == ["over"]
    await room.call(1)
    for _ in range(40):
        await room.tick(1000)
    assert await room.look("bek", 2) == ["lapsed"]


async def test_those_who_join_together_are_numbered_as_they_came(room: Bench):
    await room.open()
    await room.join("bek")
    answers = await room.joins("aru", "bek", "dana", "aru", "ermek", "dana")
    assert answers == [
        ["joined", 2],
        ["again", 1],
        ["joined", 3],
        ["again", 2],
        ["joined", 4],
        ["again", 3],
    ]
    assert await room.join("ermek") == ["again", 4]
    assert await room.line("issued") == 4


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
async def test_all_who_join_together_are_living_and_nobody_else(room: Bench, count: int):
    await room.open()
    await room.join("aru")
    await room.joins(*(f"visitor {n}" for n in range(count)))
    for name in keys.live_pair(EVENT, GENERATION, room.now_ms):
        living = [n for n in range(count + 40) if await room.redis.getbit(name, n)]
        assert living == list(range(1, count + 2))
        assert 0 < await room.redis.ttl(name) <= 180


async def test_together_with_others_a_spent_number_is_replaced_once(room: Bench):
    await room.open()
    await room.join("aru")
    await room.call(1)
    await room.claim("aru", 1)
    await room.free("aru")
    assert await room.joins("bek", "aru", "aru") == [["joined", 2], ["joined", 3], ["again", 3]]


async def test_a_closed_room_answers_each_of_those_who_come_together(room: Bench):
    await room.open()
    await room.join("aru")
    await room.set(state="drained")
    assert await room.joins("bek", "aru") == [["closed", "drained"], ["again", 1]]


async def test_a_line_that_issued_less_than_is_known_gives_nobody_a_number(room: Bench):
    await room.open()
    await room.join("aru")
    assert await room.joins("bek", "dana", floor=2) == [["behind"]]
    assert await room.joins("bek", "dana", floor=1) == [["joined", 2], ["joined", 3]]


@pytest.mark.parametrize("given_up", [0, 1])
async def test_of_those_who_come_together_as_many_get_places_as_there_are(
    room: Bench, given_up: int
):
    await room.open(places_max=3)
    await room.joins("aru", "bek")
    if given_up:
        await room.leave("bek", 2)
    answers = await room.joins("dana", "aru", "dana", "ermek", "ermek", "somebody")
    words = [word for word, _ in answers]
    assert words.count("joined") == 1 + given_up
    assert words == [
        "joined",
        "again",
        "again",
        *(["joined", "again"] if given_up else ["full", "full"]),
        "full",
    ]
