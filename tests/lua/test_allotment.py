"""What only was given to us, in Redis: every way to take a seat, and every way to give one back."""

import asyncio
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from kernel.errors import Refusal
from sales.geometry import Zone
from sales.holds import Holds
from sales.holds_refusals import AllotmentSpent, FewSeats, OutsideAllotment, SeatTaken
from sales.keys import ALLOTMENTS, EPOCH, SEATS, VERSION, key
from tests.halls import assert_consistent, build_event, claim_seats, give_places

BEK, ERMEK = 1, 2
# Any five of the first zone; of the second some by name; nothing of the third.
ZONES = tuple(
    Zone(n + 1, f"Зона {n + 1}", 500_000, 2 * n + 1, (6, 6), 12 * n, 12) for n in range(3)
)
COUNT, LISTED = 5, [12, 13, 17, 18, 23]
ORDERS, STEPS = 8, 70


@pytest.fixture
async def event(db) -> int:
    event_id = await build_event(db, ZONES, ownership="allotment")
    await give_places(db, event_id, 1, COUNT)
    await give_places(db, event_id, 2, seats=LISTED)
    return event_id


async def letters(holds: Holds, event: int) -> str:
    content: Any = await holds.store.redis.get(key(SEATS, event))
    return str(content, "ascii")


async def test_what_was_not_given_is_held_by_no_way(holds, event, redis_shop):
    for seats in ([14], [0, 14], [24], [35], [12, 30]):
        with pytest.raises(OutsideAllotment) as refused:
            await holds.hold(event, 10, BEK, seats)
        outside = [seat for seat in seats if seat > 11 and seat not in LISTED]
        named: Any = refused.value.extra["seats"]
        assert [seat["id"] for seat in named] == [(event << 20) + seat + 1 for seat in outside]
    for zone, count, left in ((3, 1, 0), (2, 6, 5), (1, 6, 5)):
        with pytest.raises(FewSeats) as few:
            await holds.hold_best(event, 10, BEK, zone, count)
        assert few.value.extra["free"] == left
    best = await holds.hold_best(event, 10, BEK, 2, 2)
    assert set(best.added) <= set(LISTED)
    # Nor by the second way once the first has taken all.
    await holds.hold_best(event, 10, BEK, 2, 3)
    with pytest.raises(FewSeats):
        await holds.hold_best(event, 11, ERMEK, 2, 1)
    assert (await assert_consistent(redis_shop, event))["H"] == len(LISTED)


async def test_of_a_number_nobody_gets_more_and_the_rest_looks_taken(holds, event):
    await holds.hold(event, 10, BEK, [0, 1, 2])
    with pytest.raises(AllotmentSpent) as spent:
        await holds.hold(event, 11, ERMEK, [3, 4, 5])
    assert (spent.value.status, spent.value.extra["left"]) == (419, 2)
    assert await letters(holds, event) == "HHHFFFFFFFFF" + "FFXXXFFXXXXF" + "X" * 12
    await holds.hold(event, 11, ERMEK, [3, 4])
    assert (await letters(holds, event))[:12] == "HHHHHXXXXXXX"
    with pytest.raises(SeatTaken):
        await holds.hold(event, 12, ERMEK, [4])
    with pytest.raises(AllotmentSpent):
        await holds.hold(event, 12, ERMEK, [5])
    await holds.release(event, 10, BEK, [1])
    assert (await letters(holds, event))[:12] == "HFHHHFFFFFFF"


async def test_a_hold_that_is_over_makes_room_before_anybody_has_swept_it(holds, event, clock):
    await holds.hold(event, 10, BEK, [0, 1, 2, 3, 4])
    clock.advance(601)
    assert (await holds.hold(event, 11, ERMEK, [7, 8])).seats == [7, 8]
    assert (await letters(holds, event))[:12] == "FFFFFFFHHFFF"
    clock.advance(601)
    assert len((await holds.hold_best(event, 12, BEK, 1, 5)).added) == COUNT


@pytest.mark.parametrize(("channel", "sells"), [("web", "web"), ("box_office", "box_office")])
async def test_a_channel_sells_what_was_given_to_it(db, holds, channel, sells):
    event = await build_event(db, ZONES, ownership="allotment")
    await give_places(db, event, 1, COUNT, channel=channel)
    for mine in ("web", "api", "box_office"):
        is_allowed = (mine == "box_office") is (sells == "box_office")
        for n, taking in enumerate(
            (
                holds.hold(event, 1, BEK, [1], channel=mine),
                holds.hold_best(event, 2, BEK, 1, 1, channel=mine),
            )
        ):
            if is_allowed:
                await taking
                await holds.free(event, n + 1)
            else:
                with pytest.raises((OutsideAllotment, FewSeats)):
                    await taking
    # The site's map shows what the site sells.
    assert (await letters(holds, event))[:12] == ("F" if sells == "web" else "X") * 12


async def test_a_hundred_at_once_get_forty(db, holds, redis_shop):
    event = await build_event(
        db, (Zone(1, "Поле", 500_000, 1, (50,) * 4, 0, 200),), ownership="allotment"
    )
    await give_places(db, event, 1, 40)
    taken = [
        holds.hold(event, n + 1, n + 1, [n])
        if n % 2
        else holds.hold_best(event, n + 1, n + 1, 1, 1)
        for n in range(100)
    ]
    got = await asyncio.gather(*taken, return_exceptions=True)
    assert Counter(isinstance(one, Refusal) for one in got) == {False: 40, True: 60}
    assert await assert_consistent(redis_shop, event) == Counter(H=40, X=160)


async def pay(holds: Holds, clock, event: int, order: int, *, gives_back: bool) -> None:
    hold = await holds.freeze(event, order, order, clock.ms() + 500_000)
    await holds.claim(event, order, order, hold.seats, clock.ms() + 500_000)
    if gives_back:
        await holds.sell(event, order, hold.seats)
        await holds.free(event, order, hold.seats[:1])


async def act(holds: Holds, clock, event: int, chance: Random) -> None:
    """Anything that changes who has a seat."""
    order, seat = chance.randint(1, ORDERS), chance.randrange(20)
    some = [seat, seat + 1][: chance.randint(1, 2)]
    deeds = [
        *[lambda: holds.hold(event, order, order, some)] * 5,
        lambda: holds.hold_best(event, order, order, chance.choice([1, 1, 2, 3]), 2),
        lambda: holds.release(event, order, order),
        lambda: holds.free(event, order),
        lambda: pay(holds, clock, event, order, gives_back=chance.randrange(2) == 1),
        lambda: holds.store.lapse(event, clock.ms(), 100),
        lambda: holds.store.rebuild(event),
    ]
    clock.advance(chance.choice([1, 1, 1, 1, 100]))
    with suppress(Refusal):
        await chance.choice(deeds)()
    await holds.of_order(event, order)


async def test_whatever_is_done_the_map_tells_what_may_be_taken(holds, event, redis_shop, clock):
    """A random walk: taken, given back, claimed, sold, lapsed, lost and filled again."""
    chance, seen = Random(7), Counter[int]()
    for _ in range(STEPS):
        await act(holds, clock, event, chance)
        now = await letters(holds, event)
        await assert_consistent(redis_shop, event)
        first, second, third = now[:12], now[12:24], now[24:]
        taken = 12 - first.count("F") - first.count("X")
        seen[taken] += 1
        assert taken <= COUNT
        assert set(first) - set("HS") == set("X" if taken == COUNT else "F")
        assert {n for n, one in enumerate(second, 12) if one != "X"} == set(LISTED)
        assert set(third) == {"X"}
    assert seen[COUNT] > STEPS / 20, seen
    assert len(seen) > COUNT / 2, seen


@pytest.mark.parametrize("is_empty", [True, False], ids=["lost", "old"])
async def test_filled_again_it_counts_what_postgresql_knows(db, holds, event, redis_shop, is_empty):
    await holds.hold(event, 10, BEK, [0, 1])
    await claim_seats(db, event, 20, ERMEK, [5, 6], sold=True)
    await claim_seats(db, event, 21, ERMEK, [7])
    if is_empty:
        await redis_shop.flushall()
    else:
        await redis_shop.set(key(EPOCH, event), "1-another-run")
        # What the file of that Redis says of the zone is older than the claims.
        await redis_shop.delete(key(ALLOTMENTS, event))
    left = 2 if is_empty else 0
    with pytest.raises((FewSeats, AllotmentSpent)):
        await holds.hold_best(event, 11, BEK, 1, 3)
    assert (await letters(holds, event))[:12].count("F") == (9 if left else 0)
    if left:
        await holds.hold(event, 11, BEK, [3, 4])
    with pytest.raises(Refusal):
        await holds.hold(event, 12, BEK, [2])
    assert (await assert_consistent(redis_shop, event))["H"] == 3


async def test_what_postgresql_has_decided_counts_although_nobody_held_it(holds, event, clock):
    await holds.hold(event, 10, BEK, [0])
    await holds.claim(event, 11, ERMEK, [1, 2, 3, 4, 12], clock.ms() + 1000)
    assert (await letters(holds, event))[:14] == "HHHHHXXXXXXX" + "HF"
    await holds.sell(event, 11, [1])
    await holds.free(event, 11, [2])
    assert (await letters(holds, event))[:12] == "HSFHHFFFFFFF"


async def test_holds_beyond_what_is_left_do_not_survive_a_refill(db, holds, event, redis_shop):
    for order in range(1, 6):
        await holds.hold(event, order, order, [order])
    await claim_seats(db, event, 20, ERMEK, [8, 9, 10], sold=True)
    await redis_shop.set(key(EPOCH, event), "1-another-run")
    await holds.of_order(event, 1)
    assert (await letters(holds, event))[:12].count("H") == 2
    assert (await letters(holds, event))[:12].count("F") == 0


async def test_a_change_reaches_redis_once_and_an_older_one_never(db, holds, event, redis_shop):
    await holds.hold(event, 10, BEK, [0, 1, 2])
    older = await redis_shop.get(key(ALLOTMENTS, event))
    await db.execute("UPDATE allotment SET places = 3, version = 2 WHERE zone_no = 1")
    await db.execute(
        "UPDATE allotment SET places = 1, seats = '{23}', version = 2 WHERE zone_no = 2"
    )
    await holds.store.allot(event)
    assert await letters(holds, event) == "HHHXXXXXXXXX" + "X" * 11 + "F" + "X" * 12
    version = await redis_shop.get(key(VERSION, event))
    await holds.store.allot(event)
    assert (await holds.store.run("allot", event, older))[0] == b"same"
    assert await redis_shop.get(key(VERSION, event)) == version


async def test_after_the_deadline_holds_stay_and_what_comes_back_is_not_ours(
    db, holds, event, clock
):
    await holds.hold(event, 10, BEK, [0, 1, 12])
    await db.execute("UPDATE allotment SET state = 'closing', version = 2")
    await holds.store.allot(event)
    assert await letters(holds, event) == "HH" + "X" * 10 + "H" + "X" * 23
    for seats in ([2], [13]):
        with pytest.raises(OutsideAllotment):
            await holds.hold(event, 10, BEK, seats)
    with pytest.raises(FewSeats):
        await holds.hold_best(event, 10, BEK, 1, 1)
    await holds.release(event, 10, BEK, [1])
    clock.advance(1300)
    await holds.store.lapse(event, clock.ms(), 100)
    assert await letters(holds, event) == "X" * 36


async def test_where_all_seats_are_ours_nobody_looks_for_an_allotment(db, holds, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 1, BEK, [0])
    async with redis_shop.monitor() as heard:
        await holds.hold(event, 10, BEK, [1])
        await holds.hold_best(event, 10, BEK, 1, 2)
        await holds.release(event, 10, BEK)
        await redis_shop.ping()
        said = [one["command"] async for one in _until_ping(heard)]
    assert any("seats:" in one for one in said)
    assert not [one for one in said if ALLOTMENTS in one]


async def _until_ping(heard):
    async for command in heard.listen():
        if command["command"].upper().startswith("PING"):
            return
        yield command
