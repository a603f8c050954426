"""A refund meets silence, stale caches, kill -9 between any two steps, late notices and a reset."""

from random import Random

import pytest

from sales.order import OrderUnknown
from sales.reset import Reset
from tests.fakes import Die, Killed, Refuse, Silent
from tests.flow.money import balances, refund_state
from tests.flow.shop import BEK, ERMEK


@pytest.mark.parametrize("acted", [False, True])
async def test_silence_is_asked_about_and_nothing_is_given_back_twice(shop, acted):
    order = await shop.paid(0)
    shop.gateway.plan("cancel", Silent(acted))
    refund = await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    assert await refund_state(shop, refund) == "sent"
    await shop.later(120)
    assert await refund_state(shop, refund) == "done"
    assert shop.gateway.newest.cancels == 1
    assert await balances(shop) == {}


async def test_a_cache_that_still_says_confirmed_is_not_believed_against_a_refusal(shop):
    order = await shop.paid(0)
    shop.gateway.plan("cancel", Silent(acted=True), Refuse("3409"), Refuse("3409"))
    shop.gateway.stale_status = "CONFIRMED"
    refund = await shop.refunds.ask(order.id, BEK)
    await shop.later(300)
    assert await refund_state(shop, refund) == "sent"
    shop.gateway.stale_status = None
    await shop.later(300)
    assert await refund_state(shop, refund) == "done"


@pytest.mark.parametrize("verb", ["check", "cancel"])
@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_any_call_it_is_finished_by_another_worker(shop, verb, after):
    order = await shop.paid(0, 1)
    refund = await shop.refunds.ask(order.id, BEK)
    shop.gateway.plan(verb, Die(after))
    with pytest.raises(Killed):
        await shop.refunds.settle(refund.id)
    await shop.later(120)
    assert await refund_state(shop, refund) == "done"
    assert shop.gateway.newest.cancels == 1
    assert await shop.state(order.id) == ("refunded", "refunded")
    assert await balances(shop) == {}


@pytest.mark.parametrize("verb", ["send", "finish"])
@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_any_write_it_is_finished_by_another_worker(shop, verb, after, monkeypatch):
    order = await shop.paid(0)
    refund = await shop.refunds.ask(order.id, BEK)
    write = getattr(shop.refunds.book, verb)

    async def die(*args):
        if after:
            await write(*args)
        raise Killed

    monkeypatch.setattr(shop.refunds.book, verb, die)
    with pytest.raises(Killed):
        await shop.refunds.settle(refund.id)
    monkeypatch.undo()
    await shop.later(120)
    assert await refund_state(shop, refund) == "done"
    assert shop.gateway.newest.cancels == 1
    assert await balances(shop) == {}


async def test_killed_before_redis_heard_of_it_the_seats_go_free_by_the_notice(shop, monkeypatch):
    order = await shop.paid(0, 1)

    async def die(*_):
        raise Killed

    monkeypatch.setattr(shop.refunds._holds, "free", die)
    with pytest.raises(Killed):
        await shop.refunds.ask(order.id, BEK)
    monkeypatch.undo()
    assert (await shop.seats())[:2] == "SS"
    await shop.drain()
    assert (await shop.seats())[:2] == "FF"


async def test_a_return_told_late_does_not_free_what_was_sold_again(shop):
    order = await shop.paid(0)
    rows = "SELECT kind, subject_id, payload FROM notice WHERE kind = 'tickets.returned'"
    await shop.refunds.ask(order.id, BEK)
    told = await shop.db.fetchrow(rows)
    await shop.drain()
    other = await shop.paid(0, buyer=ERMEK)
    await shop.db.execute(
        "INSERT INTO notice (kind, subject_id, payload, due_at) VALUES ($1, $2, $3, $4)",
        *told,
        shop.clock.now(),
    )
    await shop.drain()
    assert (await shop.seats())[0] == "S"
    assert await shop.claims() == {0: (other.id, True)}


async def test_a_purchase_told_late_does_not_sell_what_came_back(shop):
    """The seats are returned before Redis has heard that they were bought."""
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    assert (await shop.seats())[0] == "F"


async def test_a_reset_in_the_middle_lets_the_payment_go(shop, clock):
    order = await shop.paid(0)
    refund = await shop.refunds.ask(order.id, BEK)
    reset = Reset(shop.db, clock, shop.holds.store.epochs, allowed=True, chance=Random(1))
    await reset.reset("test")
    assert await shop.refunds.settle(refund.id) is None
    await shop.drain()
    assert shop.gateway.newest.status == "REFUNDED"
    with pytest.raises(OrderUnknown):
        await shop.refunds.ask(order.id, BEK)
    assert await balances(shop) == {}
