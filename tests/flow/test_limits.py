"""Limits that hold: places per person across orders and devices, and how long seats can be kept."""

import asyncio

import pytest
from redis.asyncio import Redis

from sales.catalogue import Catalogue
from sales.holds import SECOND_TRY_MS, Holds
from sales.holds_refusals import HoldOver, PersonLimit
from sales.order import AmountTooSmall, SaleRestarted
from sales.orders import Orders
from tests.flow.shop import BASE, BEK, ERMEK, open_shop
from tests.halls import SMALL, build_event


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path):
    return await open_shop(db, redis_shop, clock, tmp_path, person_limit=3)


async def held_behind_redis(shop, *seats: int, buyer: int = BEK):
    """An order that Redis let through though it should not have: it was lost in between."""
    order = await shop.orders.open(buyer, shop.event_id, "web")
    await shop.holds.store.redis.delete(f"tally:{{{shop.event_id}}}")
    await shop.holds.hold(shop.event_id, order.id, buyer, list(seats))
    return order


async def test_held_claimed_and_bought_places_count_and_what_is_let_go_does_not(shop):
    bought = await shop.placed(0)
    shop.gateway.pay()
    await shop.later(6)
    claimed, held = await shop.placed(1), await shop.hold(2)
    assert await shop.state(bought.id) == ("paid", "captured")
    with pytest.raises(PersonLimit) as refused:
        await shop.hold(3)
    assert refused.value.extra == {"limit": 3, "has": 3}
    await shop.orders.cancel(held.id, BEK)
    await shop.hold(3)
    await shop.orders.cancel(claimed.id, BEK)
    await shop.drain()
    await shop.hold(4)
    await shop.hold(5, buyer=ERMEK)
    with pytest.raises(PersonLimit):
        await shop.hold(6)


async def test_what_redis_let_through_is_refused_at_checkout_and_may_be_changed(shop):
    await shop.placed(0, 1)
    order = await held_behind_redis(shop, 2, 3)
    with pytest.raises(PersonLimit) as refused:
        await shop.orders.place(order.id, BEK, BASE)
    assert refused.value.extra == {"limit": 3, "has": 2}
    assert (await shop.orders.get(order.id)).state == "open"
    assert set(await shop.claims()) == {0, 1}
    await shop.holds.release(shop.event_id, order.id, BEK, [3])
    await shop.orders.place(order.id, BEK, BASE)
    assert set(await shop.claims()) == {0, 1, 2}


async def test_a_limit_of_other_events_and_other_people_is_none_of_mine(shop):
    other = await build_event(shop.db, person_limit=3)
    await shop.placed(0, 1, 2)
    await shop.placed(3, 4, 5, buyer=ERMEK)
    order = await shop.hold(0, 1, 2, event_id=other)
    await shop.orders.place(order.id, BEK, BASE)
    assert (await shop.orders.get(order.id)).state == "pending"


@pytest.mark.parametrize("turn", range(5))
async def test_two_devices_at_once_buy_no_more_than_one_person_may(shop, turn):
    first = await held_behind_redis(shop, 0, 1)
    second = await held_behind_redis(shop, 2, 3)
    said = await asyncio.gather(
        *(shop.orders.place(order.id, BEK, BASE) for order in (first, second)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in said) == ["Checkout", "PersonLimit"]
    assert len(await shop.claims()) == 2


async def test_many_orders_of_one_person_in_two_processes_stop_at_the_limit(
    shop, shop_engine, clock
):
    own = Redis.from_url(shop_engine.url)
    catalogue = Catalogue(shop.db, clock)
    holds = Holds(own, shop.db, catalogue, clock)
    twin = Orders(shop.db, clock, catalogue=catalogue, holds=holds, payments=shop.payments)

    async def buy(seat: int) -> bool:
        try:
            order = await held_behind_redis(shop, seat)
            await (shop.orders, twin)[seat % 2].place(order.id, BEK, BASE)
        except PersonLimit:
            return False
        return True

    bought = await asyncio.gather(*(buy(seat) for seat in range(11)))
    await own.aclose()
    assert sum(bought) == 3
    assert len(await shop.claims()) == 3


async def test_without_a_limit_a_person_buys_by_the_hundred(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path)
    await shop.placed(0, 1, 2, 3, 4, 5)
    await shop.placed(6, 7, 8, 9, 10)
    assert len(await shop.claims()) == 11


async def test_an_epoch_that_is_over_is_told_before_the_limit(shop):
    order = await shop.hold(0, 1, 2)
    await shop.db.execute("UPDATE epoch SET epoch = epoch + 1")
    with pytest.raises(SaleRestarted):
        await shop.orders.place(order.id, BEK, BASE)


async def test_nobody_keeps_seats_by_trying_to_pay_again_and_again(db, redis_shop, clock, tmp_path):
    """A sum that the gateway does not take gives the hold back each time."""
    free = (SMALL[0].__class__(1, "Вход свободный", 0, 1, (3, 4), 0, 7),)
    shop = await open_shop(db, redis_shop, clock, tmp_path, zones=free)
    order = await shop.hold(0, 1)
    began = clock.ms()
    for _ in range(100):
        clock.advance(60)
        try:
            await shop.orders.place(order.id, BEK, BASE)
        except AmountTooSmall:
            continue
        except HoldOver:
            break
    kept_ms = clock.ms() - began
    assert 1_200_000 < kept_ms <= 1_200_000 + SECOND_TRY_MS + 60_000
    await shop.holds.lapse(clock.now())
    assert await shop.seats() == "F" * 7


async def test_nobody_keeps_seats_by_checkouts_that_die_again_and_again(shop, clock):
    order = await shop.hold(0, 1)
    began = clock.ms()
    for _ in range(200):
        clock.advance(60)
        try:
            until = clock.ms() + 900_000
            await shop.holds.freeze(shop.event_id, order.id, BEK, until)
        except HoldOver:
            break
        await shop.holds.lapse(clock.now())
    assert clock.ms() - began <= 1_200_000 + 900_000 + 60_000
    assert await shop.seats() == "F" * 11
