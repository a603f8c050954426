"""The shop's Redis is lost, emptied, or comes back old, at every moment of a sale: who pays notices
nothing, no seat is sold twice, who was only choosing is asked to choose again.
"""

import asyncio
from typing import Any

import pytest

from sales.holds_refusals import HoldOver, SeatTaken
from sales.keys import EPOCH, key
from sales.order import Order
from tests.flow.shop import BASE, BEK, ERMEK, Shop
from tests.halls import assert_consistent

Memory = dict[bytes, bytes]


async def remember(shop: Shop) -> Memory:
    """What a file of Redis written now would hold."""
    redis: Any = shop.holds.store.redis
    return {name: await redis.dump(name) for name in await redis.keys("*")}


async def forget(shop: Shop, _: Memory) -> None:
    """FLUSHALL, a new instance, a file that is gone: the same from outside."""
    await shop.holds.store.redis.flushall()


async def come_back_old(shop: Shop, old: Memory) -> None:
    """Another run of Redis, which has read a file of some time ago."""
    redis: Any = shop.holds.store.redis
    await redis.flushall()
    for name, value in old.items():
        await redis.restore(name, 0, value)
    epoch = key(EPOCH, shop.event_id)
    token = await redis.get(epoch)
    if token is not None:
        await redis.set(epoch, token.partition(b"-")[0] + b"-another-run")


LOSSES = [forget, come_back_old]
whatever_the_loss = pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)


async def assert_one_owner_each(shop: Shop) -> None:
    """Redis agrees with itself, and has every claim as PostgreSQL has it."""
    await shop.holds.of_order(shop.event_id, 1)  # whoever comes first fills
    await assert_consistent(shop.holds.store.redis, shop.event_id)
    seats = await shop.seats()
    for seat, (order_id, is_sold) in (await shop.claims()).items():
        assert seats[seat] == ("S" if is_sold else "H")
        holder = await shop.holds.holder(shop.event_id, seat)
        assert holder is not None
        assert holder.order_id == order_id


@whatever_the_loss
async def test_who_is_at_the_gateway_s_page_pays_and_gets_tickets(shop, lose):
    old = await remember(shop)
    order = await shop.placed(0, 1)
    await lose(shop, old)
    with pytest.raises(SeatTaken):
        await shop.hold(1, 2, buyer=ERMEK)
    await assert_one_owner_each(shop)
    shop.gateway.pay()
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    assert await shop.seats() == "SS" + "F" * 9
    await assert_one_owner_each(shop)


@whatever_the_loss
async def test_what_is_sold_stays_sold(shop, lose):
    old = await remember(shop)
    await shop.placed(0)
    shop.gateway.pay()
    await shop.later(10)
    await lose(shop, old)
    with pytest.raises(SeatTaken):
        await shop.hold(0, buyer=ERMEK)
    await assert_one_owner_each(shop)


@whatever_the_loss
async def test_who_was_choosing_is_told_to_choose_again_and_can(shop, lose):
    old = await remember(shop)
    order = await shop.hold(0, 1)
    await lose(shop, old)
    with pytest.raises(HoldOver):
        await shop.orders.place(order.id, BEK, BASE)
    assert (await shop.orders.get(order.id)).state == "open"
    assert await shop.holds.of_order(shop.event_id, order.id) is None
    await shop.holds.hold(shop.event_id, order.id, BEK, [0, 1])
    await shop.orders.place(order.id, BEK, BASE)
    assert set(await shop.claims()) == {0, 1}
    await assert_one_owner_each(shop)


async def test_a_redis_that_comes_back_with_its_file_keeps_who_was_choosing(shop):
    order = await shop.hold(0, 1)
    await come_back_old(shop, await remember(shop))
    await shop.orders.place(order.id, BEK, BASE)
    assert set(await shop.claims()) == {0, 1}


async def test_an_old_file_does_not_bring_back_what_was_taken_since(shop):
    """In the file Bek is choosing; since then he let go, and Ermek is paying."""
    mine = await shop.hold(0, 1)
    old = await remember(shop)
    await shop.orders.cancel(mine.id, BEK)
    theirs = await shop.placed(0, buyer=ERMEK)
    await come_back_old(shop, old)
    await assert_one_owner_each(shop)
    assert (await shop.claims())[0] == (theirs.id, False)
    assert await shop.holds.of_order(shop.event_id, mine.id) is None


async def test_an_old_file_does_not_bring_back_a_hold_whose_time_is_over(shop, clock):
    await shop.hold(0, 1)
    old = await remember(shop)
    clock.advance(3_600)
    await come_back_old(shop, old)
    order = await shop.hold(0, 1, buyer=ERMEK)
    await shop.orders.place(order.id, ERMEK, BASE)
    await assert_one_owner_each(shop)


@whatever_the_loss
async def test_lost_between_the_freeze_and_the_commit_nobody_has_a_seat_twice(
    shop, lose, monkeypatch
):
    """Ermek takes the seat in the moment in which Redis knows of nobody: one of the two gets it."""
    old = await remember(shop)
    bek = await shop.hold(0)
    freeze = shop.holds.freeze
    theirs: list[Order] = []

    async def freeze_and_lose(*given):
        hold = await freeze(*given)
        if not theirs:
            await lose(shop, old)
            theirs.append(await shop.hold(0, buyer=ERMEK))
        return hold

    monkeypatch.setattr(shop.holds, "freeze", freeze_and_lose)
    await shop.orders.place(bek.id, BEK, BASE)
    # Redis has Ermek, PostgreSQL has Bek: the promise is told to Redis right after.
    with pytest.raises((SeatTaken, HoldOver)):
        await shop.orders.place(theirs[0].id, ERMEK, BASE)
    assert await shop.claims() == {0: (bek.id, False)}
    await assert_one_owner_each(shop)


@whatever_the_loss
async def test_lost_while_a_card_is_declined_and_tried_again(shop, lose):
    old = await remember(shop)
    order = await shop.placed(0)
    shop.gateway.pay("REJECTED")
    await shop.payments.hurry(order.id)
    await lose(shop, old)
    with pytest.raises(SeatTaken):
        await shop.hold(0, buyer=ERMEK)
    await shop.orders.place(order.id, BEK, BASE)
    shop.gateway.pay()
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    await assert_one_owner_each(shop)


@whatever_the_loss
async def test_lost_while_an_order_runs_out_its_seats_go_free(shop, lose):
    old = await remember(shop)
    order = await shop.placed(0, 1)
    await lose(shop, old)
    await shop.later(20 * 60)
    assert (await shop.orders.get(order.id)).state == "expired"
    await shop.hold(0, 1, buyer=ERMEK)
    await assert_one_owner_each(shop)


@whatever_the_loss
async def test_lost_again_and_again_in_a_crowd_no_seat_is_claimed_twice(shop, lose):
    old = await remember(shop)

    async def buy(buyer: int, seat: int) -> int | None:
        order = await shop.orders.open(buyer, shop.event_id, "web")
        try:
            await shop.holds.hold(shop.event_id, order.id, buyer, [seat])
            await shop.orders.place(order.id, buyer, BASE)
        except (SeatTaken, HoldOver):
            return None
        return seat

    async def lose_often() -> None:
        for _ in range(6):
            await asyncio.sleep(0.02)
            await lose(shop, old)

    bought = await asyncio.gather(
        *(buy(buyer, seat) for buyer in range(10, 14) for seat in range(11)), lose_often()
    )
    seats = [seat for seat in bought if seat is not None]
    assert len(seats) == len(set(seats)) == len(await shop.claims())
    await assert_one_owner_each(shop)
