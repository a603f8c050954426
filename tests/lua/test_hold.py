"""Holding seats: a test for each answer of hold.lua, and for what Python refuses before it."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from kernel.lua import LuaScripts, word
from sales.catalogue import Catalogue, EventUnknown
from sales.geometry import SeatUnknown
from sales.holds import Holds, NoSeats
from sales.holds_refusals import (
    HoldFrozen,
    NotYourSeat,
    PersonLimit,
    SaleClosed,
    SeatTaken,
    TooManySeats,
)
from sales.keys import VERSION, key, keys_of
from sales.seatstore import HERE
from tests.halls import START, assert_consistent, big_zones, build_event

BEK, ERMEK = 1, 2


async def test_bek_holds_two_seats_until_his_time_is_over(holds, db, clock, redis_shop):
    event = await build_event(db)
    hold = await holds.hold(event, 10, BEK, [1, 2])
    assert (hold.order_id, hold.event_id, hold.account_id) == (10, event, BEK)
    assert hold.seats == [1, 2]
    assert hold.expires_at_ms == clock.ms() + 600_000
    assert not hold.frozen
    assert await holds.of_order(event, 10) == hold
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_of_seats_that_are_partly_taken_none_is_held_and_the_taken_ones_are_named(
    holds, db, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    with pytest.raises(SeatTaken) as refused:
        await holds.hold(event, 11, ERMEK, [2, 3])
    assert refused.value.status == 419
    assert refused.value.extra["seats"] == [{"id": (event << 20) + 3, "row": 1, "number": 3}]
    assert await holds.of_order(event, 11) is None
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_adding_seats_renews_the_time_but_never_beyond_twice_of_it(holds, db, clock):
    event = await build_event(db)
    first = clock.ms()
    await holds.hold(event, 10, BEK, [0])
    clock.advance(500)
    assert (await holds.hold(event, 10, BEK, [1])).expires_at_ms == first + 1_100_000
    clock.advance(500)
    hold = await holds.hold(event, 10, BEK, [2])
    assert hold.seats == [0, 1, 2]
    assert hold.expires_at_ms == first + 1_200_000


async def test_asking_again_for_what_one_holds_changes_nothing(holds, db, clock, redis_shop):
    event = await build_event(db)
    hold = await holds.hold(event, 10, BEK, [1, 2])
    version = await redis_shop.get(key(VERSION, event))
    clock.advance(60)
    assert await holds.hold(event, 10, BEK, [2, 1, 2]) == hold
    assert await redis_shop.get(key(VERSION, event)) == version


async def test_an_order_holds_no_more_than_its_event_allows(holds, db):
    event = await build_event(db, order_limit=3)
    with pytest.raises(TooManySeats) as refused:
        await holds.hold(event, 10, BEK, [0, 1, 2, 3])
    assert refused.value.extra["limit"] == 3
    await holds.hold(event, 10, BEK, [0, 1])
    with pytest.raises(TooManySeats):
        await holds.hold(event, 10, BEK, [2, 3])
    assert len((await holds.hold(event, 10, BEK, [2, 3], order_limit=5)).seats) == 4


async def test_a_person_holds_no_more_in_all_orders_together_and_may_again_after_a_release(
    holds, db
):
    event = await build_event(db, person_limit=2)
    await holds.hold(event, 10, BEK, [0, 1])
    with pytest.raises(PersonLimit) as refused:
        await holds.hold(event, 11, BEK, [2])
    assert refused.value.extra == {"limit": 2, "has": 2}
    await holds.hold(event, 12, ERMEK, [3])
    await holds.release(event, 10, BEK, [0])
    await holds.hold(event, 11, BEK, [2])


async def test_places_owned_count_for_the_person_and_places_whose_time_is_over_do_not(
    holds, db, clock
):
    event = await build_event(db, person_limit=2)
    await holds.hold(event, 10, BEK, [0])
    await holds.sell(event, 10, [0])
    await holds.hold(event, 11, BEK, [1])
    with pytest.raises(PersonLimit):
        await holds.hold(event, 12, BEK, [2])
    clock.advance(601)
    assert (await holds.hold(event, 12, BEK, [2])).seats == [2]


async def test_a_seat_whose_hold_is_over_is_free_before_the_ticker_comes(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0, 1])
    clock.advance(600)
    assert (await holds.hold(event, 11, ERMEK, [1])).seats == [1]
    assert await holds.of_order(event, 10) is None
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)


async def test_an_order_whose_hold_is_over_begins_anew(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0, 1])
    clock.advance(600)
    hold = await holds.hold(event, 10, BEK, [1, 2])
    assert hold.seats == [1, 2]
    assert hold.expires_at_ms == clock.ms() + 600_000
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_many_holds_that_are_over_never_hide_the_seat_of_the_one_asking(
    holds, db, clock, redis_shop
):
    """More are over than one command clears; what it leaves stays consistent."""
    event = await build_event(db, big_zones(10, 10, 1))
    for order in range(30):
        await holds.hold(event, order + 1, ERMEK, [order])
    await holds.hold(event, 99, BEK, [50])
    clock.advance(601)
    assert (await holds.hold(event, 99, BEK, [51])).seats == [51]
    await assert_consistent(redis_shop, event)


async def test_a_frozen_order_cannot_take_more(holds, db, clock):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    with pytest.raises(HoldFrozen):
        await holds.hold(event, 10, BEK, [1])


async def test_an_order_of_somebody_else_takes_nothing_for_me(holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0])
    with pytest.raises(NotYourSeat):
        await holds.hold(event, 10, ERMEK, [1])


@pytest.mark.parametrize("seat", [-1, 11, 2**20, 2**63, 2**70])
async def test_a_seat_that_the_hall_does_not_have_is_refused(holds, db, seat):
    event = await build_event(db)
    with pytest.raises(SeatUnknown) as refused:
        await holds.hold(event, 10, BEK, [0, seat])
    assert refused.value.status == 419
    assert await holds.of_order(event, 10) is None


async def test_the_command_itself_refuses_a_seat_beyond_the_hall(holds, db, redis_shop, clock):
    event = await build_event(db)
    token = await holds.store.epochs.token()
    await holds.store.refill(event)
    args = [token, clock.ms(), 10, BEK, 600_000, 6, 0, "w", 11]
    scripts = LuaScripts(redis_shop, HERE / "lua")
    reply = await scripts.run("hold", keys_of("hold", event), args)
    assert (word(reply), reply[1]) == ("unknown", b"11")
    args[0] = "0-elsewhere"
    assert word(await scripts.run("hold", keys_of("hold", event), args)) == "stale"


async def test_what_cannot_be_sold_cannot_be_held(holds, db, clock):
    closed = await build_event(db, state="closed")
    over = await build_event(db, starts_at=clock.now())
    later = await build_event(db, starts_at=START)
    for event in (closed, over):
        with pytest.raises(SaleClosed):
            await holds.hold(event, 10, BEK, [0])
    with pytest.raises(NoSeats):
        await holds.hold(later, 10, BEK, [])
    for unknown in (0, -1, 999_999, 2**63, 2**80):
        with pytest.raises(EventUnknown):
            await holds.hold(unknown, 10, BEK, [0])


async def test_fifty_fight_for_ten_seats_and_each_seat_has_one_winner(holds, db, redis_shop):
    event = await build_event(db)

    async def fight(order: int) -> int:
        won = 0
        for step in range(10):
            try:
                await holds.hold(event, order, order, [(order + step) % 10], order_limit=10)
            except SeatTaken:
                continue
            won += 1
        return won

    won = await asyncio.gather(*(fight(order) for order in range(1, 51)))
    assert sum(won) == 10
    assert await assert_consistent(redis_shop, event) == Counter(F=1, H=10)


async def test_a_crowd_at_a_new_event_needs_few_connections(redis_shop, shop_engine, db, clock):
    event = await build_event(db, big_zones(10, 100, 1))
    narrow = Redis.from_url(shop_engine.url, max_connections=10)
    try:
        holds = Holds(narrow, db, Catalogue(db, clock), clock)
        await asyncio.gather(*(holds.hold(event, n, n, [n]) for n in range(1, 501)))
    finally:
        await narrow.aclose()
    assert await assert_consistent(redis_shop, event) == Counter(F=500, H=500)
