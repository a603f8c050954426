"""Money for an order that has ended takes its seats again if all are free, else it goes back."""

import pytest

from sales.payouts import Payouts
from sales.reconcile.stuck import StuckCheck
from tests.fakes import Refuse
from tests.flow.money import balances
from tests.flow.shop import BEK, ERMEK


@pytest.fixture
async def lapsed(shop):
    """An expired order whose payment form the gateway would not close."""
    shop.gateway.faithful = True
    order = await shop.placed(0, 1)
    await shop.later(12 * 60 + 10)
    assert await shop.state(order.id) == ("expired", "lapsed")
    assert await shop.claims() == {}
    return order


async def test_with_all_its_seats_free_the_order_is_paid_after_all(shop, lapsed):
    shop.gateway.pay()
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("paid", "captured")
    assert await shop.claims() == {0: (lapsed.id, True), 1: (lapsed.id, True)}
    assert len(await shop.tickets.of_order(lapsed.id)) == 2
    await shop.drain()
    assert (await shop.seats())[:3] == "SSF"


async def test_with_a_seat_gone_the_money_goes_back_and_nothing_is_captured(shop, lapsed):
    shop.gateway.faithful = False
    bek = shop.gateway.newest
    other = await shop.placed(1, buyer=ERMEK)
    bek.status = "AUTHORIZED"
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("expired", "reversed")
    assert (bek.status, bek.confirms) == ("CANCELLED", 0)
    assert await shop.claims() == {1: (other.id, False)}


async def test_what_the_gateway_refuses_to_give_back_waits_for_staff_once(shop, lapsed, clock):
    bek = shop.gateway.newest
    await shop.hold(1, buyer=ERMEK)
    bek.status = "AUTHORIZED"
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("expired", "owed")
    await shop.drain()
    payouts = Payouts(shop.db, clock)
    (line,) = await payouts.waiting()
    assert (line.order_id, line.account_id, line.amount) == (lapsed.id, BEK, 1_000_000)
    assert (line.reason, line.last_error) == ("money-late", "3001")
    assert await balances(shop) == {"gateway": 1_000_000, "refunds": -1_000_000}
    # Webhooks, the reconciler and a second look bring no second debt.
    body = f'{{"paymentId":"{bek.payment_id}","status":"AUTHORIZED"}}'
    await shop.payments.notification(body.encode(), None)
    await StuckCheck(shop.db, clock).page({})
    await shop.later(3600)
    assert len(await payouts.waiting()) == 1
    assert (bek.cancels, await shop.notices()) == (0, [])
    await payouts.pay(line.id, "KZ-17", "account:3")
    assert await balances(shop) == {"gateway": 1_000_000, "payouts": -1_000_000}


async def test_not_cancellable_now_is_waited_for_and_then_a_debt_too(shop, lapsed, clock):
    """The gateway says AUTHORIZED and 3409, on and on: nobody knows what it did."""
    shop.gateway.faithful = False
    bek = shop.gateway.newest
    await shop.hold(1, buyer=ERMEK)
    bek.status = "AUTHORIZED"
    shop.gateway.plan("cancel", *[Refuse("3409")] * 1000)
    await shop.payments.hurry(lapsed.id)
    await shop.later(300)
    assert await shop.state(lapsed.id) == ("expired", "authorised")
    await shop.later(500)
    assert await shop.state(lapsed.id) == ("expired", "owed")
    assert await Payouts(shop.db, clock).waiting() == []
    shop.gateway.script["cancel"].clear()
    bek.status = "EXPIRED"
    await shop.later(900)
    assert await shop.state(lapsed.id) == ("expired", "reversed")
    assert await balances(shop) == {}


async def test_somebody_who_is_only_choosing_does_not_lose_the_seat_to_it(shop, lapsed):
    shop.gateway.faithful = False
    await shop.hold(1, buyer=ERMEK)
    shop.gateway.pay()
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("expired", "reversed")


async def test_too_late_to_be_confirmed_it_goes_back(shop, lapsed):
    shop.gateway.faithful = False
    await shop.later(5 * 60)
    shop.gateway.pay()
    await shop.later(120)
    assert await shop.state(lapsed.id) == ("expired", "reversed")
    assert await shop.claims() == {}


async def test_what_the_buyer_cancelled_is_not_taken_again(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    await shop.orders.cancel(order.id, order.account_id)
    shop.gateway.faithful = False
    shop.gateway.pay()
    await shop.later(90)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert shop.gateway.newest.confirms == 0


async def test_a_gateway_that_forgets_and_remembers_is_still_asked(shop):
    """It comes back from a long absence without the payment, then with it and with the money."""
    order = await shop.placed(0)
    shop.clock.advance(20 * 60)
    shop.gateway.plan("check", *[Refuse("1404")] * 3)
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("expired", "lapsed")
    shop.gateway.pay()
    await shop.later(3600)
    assert await shop.state(order.id) == ("expired", "reversed")


async def test_a_late_refusal_of_the_card_ends_the_watch(shop, lapsed):
    shop.gateway.pay("REJECTED")
    await shop.later(200)
    assert await shop.state(lapsed.id) == ("expired", "lapsed")
    assert await shop.notices() == []


async def test_a_release_told_late_does_not_free_what_was_sold_again(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    shop.clock.advance(12 * 60 + 10)
    payment = await shop.payments.of_order(order.id)
    await shop.payments.settle(payment.id)
    assert await shop.state(order.id) == ("expired", "lapsed")
    # The release has not been told to Redis yet, where the seat is still held for this order.
    await shop.db.execute(
        "UPDATE notice SET due_at = due_at + interval '1 hour' WHERE kind = 'order.released'"
    )
    shop.gateway.pay()
    await shop.payments.settle(payment.id)
    await shop.later(20)
    assert await shop.state(order.id) == ("paid", "captured")
    await shop.later(3700)
    assert (await shop.seats())[0] == "S"
