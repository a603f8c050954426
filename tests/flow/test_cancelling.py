"""Cancelling at every step frees the seats and the money, each as far as is known."""

import pytest

from sales.order import OrderPaid, PaymentUnderWay
from sales.payouts import Payouts
from tests.fakes import Silent
from tests.flow.shop import BASE, BEK, ERMEK


async def test_while_choosing_the_hold_goes_free_at_once(shop):
    order = await shop.hold(0, 1)
    ended = await shop.orders.cancel(order.id, BEK)
    assert (ended.state, ended.reason) == ("cancelled", "buyer")
    assert set(await shop.seats()) == {"F"}
    await shop.drain()
    assert await shop.notices() == []


async def test_an_empty_order_can_be_cancelled_and_again(shop):
    order = await shop.orders.open(BEK, shop.event_id, "api")
    first = await shop.orders.cancel(order.id, BEK)
    assert await shop.orders.cancel(order.id, BEK) == first


async def test_at_the_gateways_page_the_payment_is_cancelled_there_first(shop):
    order = await shop.placed(0)
    ended = await shop.orders.cancel(order.id, BEK)
    assert (ended.state, ended.reason) == ("cancelled", "buyer")
    assert await shop.payment_state(order.id) == "cancelled"
    assert shop.gateway.newest.status == "CANCELLED"
    assert await shop.claims() == {}
    await shop.later(15 * 60)
    assert set(await shop.seats()) == {"F"}
    assert await shop.notices() == []


async def test_with_the_money_reserved_it_is_given_back(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    ended = await shop.orders.cancel(order.id, BEK)
    assert ended.state == "cancelled"
    assert await shop.payment_state(order.id) == "reversed"
    assert (shop.gateway.newest.status, shop.gateway.newest.confirms) == ("CANCELLED", 0)
    assert await shop.claims() == {}


async def test_while_the_money_is_being_taken_it_is_too_late(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("confirm", *[Silent(acted=False)] * 2)
    await shop.payments.hurry(order.id)
    with pytest.raises(PaymentUnderWay):
        await shop.orders.cancel(order.id, BEK)
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    with pytest.raises(OrderPaid):
        await shop.orders.cancel(order.id, BEK)


async def test_while_the_card_is_looked_at_the_wish_is_kept(shop):
    order = await shop.placed(0)
    shop.gateway.pay("FORM_SHOWED")
    asked = await shop.orders.cancel(order.id, BEK)
    assert (asked.state, asked.reason) == ("pending", "buyer")
    assert await shop.claims() == {0: (order.id, False)}
    shop.gateway.pay()
    await shop.later(10)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert shop.gateway.newest.confirms == 0
    assert await shop.claims() == {}


@pytest.mark.parametrize("acted", [True, False])
async def test_while_the_gateway_is_silent_no_seat_goes_free(shop, acted):
    order = await shop.placed(0)
    shop.gateway.plan("cancel", Silent(acted))
    asked = await shop.orders.cancel(order.id, BEK)
    assert (asked.state, asked.reason) == ("pending", "buyer")
    assert await shop.claims() == {0: (order.id, False)}
    assert await shop.orders.cancel(order.id, BEK) != asked
    await shop.later(20)
    assert await shop.state(order.id) == ("cancelled", "cancelled")
    assert shop.gateway.newest.cancels == 1


async def test_before_the_gateway_was_ever_reached_it_waits_until_that_is_sure(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Silent(acted=False))
    shop.gateway.plan("check", *[Silent(acted=False)] * 2)
    await shop.orders.place(order.id, BEK, BASE)
    asked = await shop.orders.cancel(order.id, BEK)
    assert asked.state == "pending"
    await shop.later(30)
    assert (await shop.orders.get(order.id)).state == "pending"
    await shop.later(60)
    assert await shop.state(order.id) == ("cancelled", "lapsed")
    assert shop.gateway.calls.count("init") == 1
    assert await shop.claims() == {}


async def test_where_the_gateway_cannot_cancel_an_untouched_form_is_let_go_and_watched(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    ended = await shop.orders.cancel(order.id, BEK)
    assert ended.state == "cancelled"
    assert await shop.payment_state(order.id) == "lapsed"
    assert await shop.claims() == {}
    assert ("payment.settle", None) in await shop.notices()


async def test_a_reversal_the_gateway_refuses_is_shown_to_staff_and_frees_the_seats(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.orders.cancel(order.id, BEK)
    assert await shop.state(order.id) == ("cancelled", "owed")
    assert await shop.claims() == {}
    await shop.drain()
    assert shop.gateway.newest.confirms == 0
    (line,) = await Payouts(shop.db, shop.clock).waiting()
    assert (line.order_id, line.amount, line.last_error) == (order.id, 500_000, "3001")
    await shop.later(20 * 60)
    assert await shop.notices() == []


async def test_what_bek_cancelled_ermek_can_buy(shop):
    first = await shop.placed(0)
    await shop.orders.cancel(first.id, BEK)
    await shop.drain()
    second = await shop.placed(0, buyer=ERMEK)
    shop.gateway.pay()
    await shop.payments.hurry(second.id)
    assert await shop.claims() == {0: (second.id, True)}
