"""Best seats, chosen and held in one step: each answer of best.lua, and the crowd."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from sales.catalogue import Catalogue
from sales.geometry import ZoneUnknown
from sales.holds import Holds, NoSeats
from sales.holds_refusals import (
    FewSeats,
    HoldFrozen,
    NotYourSeat,
    PersonLimit,
    SaleClosed,
    TooManySeats,
)
from sales.keys import EPOCH, key
from tests.halls import START, assert_consistent, big_zones, build_event

BEK, ERMEK = 1, 2
CLIENTS = 160


async def test_bek_gets_three_together_and_holds_them(holds, db, clock, redis_shop):
    event = await build_event(db)
    best = await holds.hold_best(event, 10, BEK, 1, 3)
    assert (best.fit, best.added) == ("together", [0, 1, 2])
    assert best.hold == await holds.of_order(event, 10)
    assert best.hold.expires_at_ms == clock.ms() + 600_000
    assert await assert_consistent(redis_shop, event) == Counter(F=8, H=3)


async def test_seats_are_of_the_zone_asked_for_and_join_what_the_order_holds(holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0])
    best = await holds.hold_best(event, 10, BEK, 2, 4)
    assert best.added == [7, 8, 9, 10]
    assert best.hold.seats == [0, 7, 8, 9, 10]


async def test_what_was_asked_before_is_not_given_twice(holds, db, redis_shop):
    event = await build_event(db)
    first = await holds.hold_best(event, 10, BEK, 1, 2, has=0)
    again = await holds.hold_best(event, 10, BEK, 1, 2, has=0)
    assert (again.fit, again.added, again.hold) == (None, [], first.hold)
    assert len((await holds.hold_best(event, 10, BEK, 1, 2, has=2)).hold.seats) == 4
    assert await assert_consistent(redis_shop, event) == Counter(F=7, H=4)


async def test_each_relaxation_is_told(holds, db):
    event = await build_event(db, order_limit=20)  # rows of 3 and 4
    assert (await holds.hold_best(event, 10, BEK, 1, 2)).fit == "together"  # of the row of four
    assert (await holds.hold_best(event, 11, BEK, 1, 2)).fit == "together"  # its other half
    assert (await holds.hold_best(event, 12, BEK, 1, 2)).fit == "orphan"
    await holds.hold(event, 13, ERMEK, [7, 9])
    assert (await holds.hold_best(event, 14, BEK, 2, 2)).fit == "apart"


async def test_a_zone_with_too_little_left_says_how_much(holds, db):
    event = await build_event(db, order_limit=20)
    await holds.hold(event, 10, BEK, [0, 1, 2, 3])
    with pytest.raises(FewSeats) as refused:
        await holds.hold_best(event, 11, ERMEK, 1, 4)
    assert (refused.value.status, refused.value.extra) == (419, {"free": 3})
    assert await holds.of_order(event, 11) is None


async def test_seats_whose_hold_is_over_are_free_here_too(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 4])
    clock.advance(601)
    best = await holds.hold_best(event, 11, ERMEK, 1, 3)
    assert best.added == [0, 1, 2]
    assert await holds.of_order(event, 10) is None
    assert await assert_consistent(redis_shop, event) == Counter(F=8, H=3)


async def test_the_limits_are_those_of_every_hold(holds, db, clock):
    event = await build_event(db, order_limit=3, person_limit=4)
    with pytest.raises(TooManySeats):
        await holds.hold_best(event, 10, BEK, 1, 4)
    await holds.hold_best(event, 10, BEK, 1, 2)
    with pytest.raises(TooManySeats):
        await holds.hold_best(event, 10, BEK, 1, 2)
    with pytest.raises(PersonLimit) as refused:
        await holds.hold_best(event, 11, BEK, 2, 3)
    assert refused.value.extra == {"limit": 4, "has": 2}
    with pytest.raises(NotYourSeat):
        await holds.hold_best(event, 10, ERMEK, 1, 1)
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    with pytest.raises(HoldFrozen):
        await holds.hold_best(event, 10, BEK, 1, 1)


async def test_what_cannot_be_is_refused_before_redis_is_asked(holds, db):
    event, closed = await build_event(db), await build_event(db, state="closed", starts_at=START)
    with pytest.raises(ZoneUnknown):
        await holds.hold_best(event, 10, BEK, 3, 1)
    for count in (0, -1):
        with pytest.raises(NoSeats):
            await holds.hold_best(event, 10, BEK, 1, count)
    with pytest.raises(SaleClosed):
        await holds.hold_best(closed, 10, BEK, 1, 1)


async def test_keys_of_another_epoch_are_filled_first(holds, db, redis_shop):
    event = await build_event(db, order_limit=7)
    await holds.hold_best(event, 10, BEK, 1, 1)
    await redis_shop.set(key(EPOCH, event), "0-elsewhere")
    best = await holds.hold_best(event, 11, ERMEK, 1, 7)
    assert sorted(best.added) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("party", [1, 2, 3])
async def test_of_160_clients_at_once_none_is_refused_while_seats_remain(
    redis_shop, shop_engine, db, clock, party
):
    """Two processes, as choosing in one of them would hide who chooses outside the script."""
    event = await build_event(db, big_zones(80, 100, 1), order_limit=20)
    narrow = Redis.from_url(shop_engine.url)
    shops = [Holds(one, db, Catalogue(db, clock), clock) for one in (redis_shop, narrow)]
    asked, refused, orders = 0, 0, iter(range(1, 100_000))

    async def client(number: int) -> None:
        nonlocal asked, refused
        while (8_000 - got) >= party * CLIENTS:
            asked += 1
            try:
                await take(shops[number % 2], number)
            except FewSeats:
                refused += 1

    got = 0

    async def take(shop: Holds, account: int) -> None:
        nonlocal got
        best = await shop.hold_best(event, next(orders), account, 1, party)
        got += len(best.added)

    await asyncio.gather(*(client(number) for number in range(1, CLIENTS + 1)))
    await narrow.aclose()
    assert asked > 8_000 // party * 0.8
    assert refused == 0
    assert (await assert_consistent(redis_shop, event))["H"] == got
