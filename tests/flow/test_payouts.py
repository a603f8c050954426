"""What the gateway refused to give back: staff pays, or has it asked once more, and never both."""

import asyncio

import pytest

from sales.payouts import GatewayUnasked, PayoutDone, Payouts
from sales.reconcile.stuck import REFUND_LATE, StuckCheck
from tests.fakes import Refuse, Silent
from tests.flow.money import balances, refund_state, tickets_of
from tests.flow.shop import BEK

STAFF = "account:3"


@pytest.fixture
async def payouts(shop, clock):
    return Payouts(shop.db, clock)


@pytest.fixture
async def refund(shop, payouts):
    """A whole order that the gateway refused to give back."""
    order = await shop.paid(0, 1)
    shop.gateway.plan("cancel", Refuse("3100"))
    await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    (line,) = await payouts.waiting()
    assert line.last_error == "3100"
    return line


async def test_staff_has_it_asked_again_and_the_gateway_gives_it_back(shop, payouts, refund):
    assert (await payouts.ask_gateway(refund.id, refund.version, STAFF, "ops@kz")).state == "asked"
    with pytest.raises(PayoutDone):
        await payouts.pay(refund.id, "KZ-17", STAFF)
    await shop.drain()
    assert (await payouts.get(refund.id)).state == "done"
    assert await shop.state(refund.order_id) == ("refunded", "refunded")
    assert (shop.gateway.newest.cancels, await balances(shop)) == (1, {})
    rows = await shop.db.fetch("SELECT actor, detail FROM audit WHERE action = 'refund.ask-again'")
    assert [(row["actor"], row["detail"]["by"]) for row in rows] == [(STAFF, "ops@kz")]


async def test_what_went_through_meanwhile_is_found_and_not_sent_again(shop, payouts, refund):
    shop.gateway.newest.status = "REFUNDED"
    shop.gateway.calls.clear()
    await payouts.ask_gateway(refund.id, refund.version, STAFF)
    await shop.drain()
    assert (await payouts.get(refund.id)).state == "done"
    assert shop.gateway.calls == ["check"]
    assert await balances(shop) == {}


async def test_clicks_at_once_and_clicks_on_an_old_page_ask_once(shop, payouts, refund):
    await asyncio.gather(*(payouts.ask_gateway(refund.id, refund.version, STAFF) for _ in range(4)))
    shop.gateway.plan("cancel", Refuse("3100"))
    await shop.drain()
    assert (await payouts.ask_gateway(refund.id, refund.version, STAFF)).state == "queued"
    again = "SELECT count(*) FROM audit WHERE action = 'refund.ask-again'"
    assert await shop.db.fetchval(again) == 1
    assert len(await payouts.waiting()) == 1


async def test_a_part_and_what_was_paid_by_hand_are_not_the_gateway_s(shop, payouts, refund):
    await payouts.pay(refund.id, "KZ-17", STAFF)
    with pytest.raises(PayoutDone):
        await payouts.ask_gateway(refund.id, refund.version + 1, STAFF)
    order = await shop.paid(3, 4)
    part = await shop.refunds.ask(order.id, BEK, [(await tickets_of(shop, order))[0].id])
    with pytest.raises(GatewayUnasked):
        await payouts.ask_gateway(part.id, part.version, STAFF)


async def test_after_a_day_without_the_gateway_a_lost_answer_does_not_look_like_a_no(
    shop, payouts, clock
):
    """Its cache still tells of the money while it is back with the buyer already: staff must not
    pay it a second time, though the buyer asked for it long ago.
    """
    order = await shop.paid(0)
    refund = await shop.refunds.ask(order.id, BEK)
    clock.advance(25 * 3600)
    assert await refund_state(shop, refund) == "asked"
    stuck = await StuckCheck(shop.db, clock).page({})
    assert f"refund:{refund.id}" in [one.subject for one in stuck.open]
    shop.gateway.stale_status = "CONFIRMED"
    shop.gateway.plan("cancel", Silent(acted=True), Refuse("3409"), Refuse("3409"))
    await shop.later(REFUND_LATE.total_seconds() / 6)
    assert (await refund_state(shop, refund), await payouts.waiting()) == ("sent", [])
    shop.gateway.stale_status = None
    await shop.later(600)
    assert await refund_state(shop, refund) == "done"
    assert (shop.gateway.newest.cancels, await balances(shop)) == (1, {})
    assert (await StuckCheck(shop.db, clock).page({})).open == []
