"""The way of an order from held seats to tickets, and its ordinary ends."""

import asyncio
from typing import Any

import pytest

from sales.gateway import AMOUNT_MAX
from sales.geometry import Zone
from sales.holds_refusals import HoldOver, SeatTaken
from sales.order import (
    AmountTooLarge,
    AmountTooSmall,
    NotYourOrder,
    OrderPaid,
    OrderUnknown,
    PaymentRefused,
)
from sales.states import OrderState
from tests.fakes import Refuse
from tests.flow.shop import BASE, BEK, ERMEK, open_shop
from tests.halls import claim_seats


async def test_bek_buys_two_seats_and_holds_two_tickets(shop):
    order = await shop.hold(0, 1)
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert checkout.payment_state == "offered"
    assert checkout.payment_url == f"http://gateway/form/{shop.gateway.newest.payment_id}"
    assert await shop.claims() == {0: (order.id, False), 1: (order.id, False)}
    assert shop.gateway.newest.amount == 1_000_000

    shop.gateway.pay()
    await shop.payments.hurry(order.id)

    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.status == "CONFIRMED"
    assert await shop.claims() == {0: (order.id, True), 1: (order.id, True)}
    tickets = await shop.tickets.of_order(order.id)
    assert [(one.seat, one.row_no, one.seat_no, one.price) for one in tickets] == [
        (0, 1, 1, 500_000),
        (1, 1, 2, 500_000),
    ]
    assert len({one.serial for one in tickets}) == 2
    await shop.drain()
    assert (await shop.seats()).startswith("SSF")


async def test_after_the_purchase_no_notice_is_left(shop):
    order = await shop.placed(3)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.later(15 * 60)
    assert await shop.notices() == []


async def test_the_browser_is_sent_back_to_where_it_came_from(shop):
    order = await shop.hold(0)
    await shop.orders.place(order.id, BEK, "http://127.0.0.1:9999")
    urls = shop.gateway.newest.urls
    assert urls.success == f"http://127.0.0.1:9999/orders/{order.id}/return?outcome=success"
    assert urls.notification == "http://127.0.0.1:8080/api/payments/notifications"


async def test_an_order_of_the_contract_comes_back_to_the_contracts_addresses(shop):
    order = await shop.orders.open(BEK, shop.event_id, "api")
    await shop.holds.hold(shop.event_id, order.id, BEK, [0])
    await shop.orders.place(order.id, BEK, BASE)
    assert shop.gateway.newest.urls.fail == f"{BASE}/api/payments/fail?orderId={order.id}"


async def test_a_second_click_on_pay_opens_the_same_payment(shop):
    order = await shop.hold(0)
    first = await shop.orders.place(order.id, BEK, BASE)
    second = await shop.orders.place(order.id, BEK, BASE)
    assert second == first
    assert shop.gateway.calls.count("init") == 1


async def test_two_clicks_at_once_open_one_payment(shop):
    order = await shop.hold(0)
    both = await asyncio.gather(*(shop.orders.place(order.id, BEK, BASE) for _ in range(8)))
    assert len({one.payment_url for one in both}) == 1
    assert shop.gateway.calls.count("init") == 1
    assert await shop.db.fetchval("SELECT count(*) FROM payment") == 1


async def test_an_init_that_is_refused_ends_the_order_at_once(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Refuse("1100"))
    with pytest.raises(PaymentRefused):
        await shop.orders.place(order.id, BEK, BASE)
    ended = await shop.orders.get(order.id)
    assert (ended.state, ended.reason) == ("cancelled", "gateway-refused")
    assert await shop.payment_state(order.id) == "declined"
    await shop.later(20)
    assert await shop.claims() == {}
    assert set(await shop.seats()) == {"F"}


async def test_an_order_nobody_pays_expires_and_is_cancelled_at_the_gateway(shop):
    order = await shop.placed(0)
    await shop.later(11 * 60)
    assert (await shop.orders.get(order.id)).state == "pending"
    await shop.later(2 * 60)
    ended = await shop.orders.get(order.id)
    assert (ended.state, ended.reason) == ("expired", "unpaid")
    assert await shop.payment_state(order.id) == "cancelled"
    assert shop.gateway.newest.status == "CANCELLED"
    assert await shop.claims() == {}
    assert set(await shop.seats()) == {"F"}
    assert await shop.notices() == []


async def test_a_payment_without_any_webhook_is_found_by_looking(shop):
    order = await shop.placed(0)
    await shop.later(60)
    shop.gateway.pay()
    await shop.later(40)
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_payment_in_the_last_moment_is_a_purchase(shop):
    order = await shop.placed(0)
    shop.clock.advance(12 * 60 + 1)
    shop.gateway.pay()
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_seat_claimed_by_another_order_is_refused_and_redis_is_told(shop):
    order = await shop.hold(0, 1)
    await claim_seats(shop.db, shop.event_id, 999, ERMEK, [1])
    with pytest.raises(SeatTaken) as refused:
        await shop.orders.place(order.id, BEK, BASE)
    lost: Any = refused.value.extra["seats"]
    assert [seat["number"] for seat in lost] == [2]
    assert (await shop.orders.get(order.id)).state == "open"
    assert await shop.claims() == {1: (999, False)}
    assert await shop.db.fetchval("SELECT count(*) FROM order_line") == 0
    assert await shop.db.fetchval("SELECT count(*) FROM notice") == 0
    hold = await shop.holds.of_order(shop.event_id, order.id)
    assert (hold.seats, hold.frozen) == ([0], False)


async def test_an_order_without_seats_cannot_be_placed(shop):
    order = await shop.orders.open(BEK, shop.event_id, "web")
    with pytest.raises(HoldOver):
        await shop.orders.place(order.id, BEK, BASE)
    assert (await shop.orders.get(order.id)).state == "open"


async def test_a_hold_that_is_over_cannot_be_placed(shop):
    order = await shop.hold(0)
    shop.clock.advance(601)
    with pytest.raises(HoldOver):
        await shop.orders.place(order.id, BEK, BASE)


async def test_ermek_cannot_touch_beks_order(shop):
    order = await shop.placed(0)
    for verb in (
        shop.orders.own(order.id, ERMEK),
        shop.orders.place(order.id, ERMEK, BASE),
        shop.orders.cancel(order.id, ERMEK),
    ):
        with pytest.raises(NotYourOrder):
            await verb
    assert (await shop.orders.get(order.id)).state == "pending"


@pytest.mark.parametrize("order_id", [0, -1, 5, 2**53, 2**63, 10**30])
async def test_an_order_that_is_not_there_is_unknown(shop, order_id):
    with pytest.raises(OrderUnknown):
        await shop.orders.get(order_id)


async def test_a_paid_order_is_neither_placed_nor_cancelled_again(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    with pytest.raises(OrderPaid):
        await shop.orders.place(order.id, BEK, BASE)
    with pytest.raises(OrderPaid):
        await shop.orders.cancel(order.id, BEK)


async def test_an_ended_order_is_not_placed_again(shop):
    order = await shop.hold(0)
    await shop.orders.cancel(order.id, BEK)
    with pytest.raises(OrderState):
        await shop.orders.place(order.id, BEK, BASE)


@pytest.mark.parametrize(
    ("price", "refusal"), [(900, AmountTooSmall), (AMOUNT_MAX + 1, AmountTooLarge)]
)
async def test_a_sum_the_gateway_cannot_take_is_refused_and_the_hold_kept(
    db, redis_shop, clock, tmp_path, price, refusal
):
    zones = (Zone(1, "Зона", price, 1, (3,), 0, 3),)
    shop = await open_shop(db, redis_shop, clock, tmp_path, zones=zones)
    order = await shop.hold(0)
    with pytest.raises(refusal):
        await shop.orders.place(order.id, BEK, BASE)
    assert shop.gateway.calls == []
    hold = await shop.holds.of_order(shop.event_id, order.id)
    assert hold is not None
    assert not hold.frozen


async def test_open_or_reuse_gives_the_same_envelope_until_it_is_placed(shop):
    first = await shop.orders.open_or_reuse(BEK, shop.event_id, "web")
    again = await shop.orders.open_or_reuse(BEK, shop.event_id, "web", "jti-2")
    assert again.id == first.id
    assert again.admission_jti == "jti-2"
    await shop.holds.hold(shop.event_id, first.id, BEK, [0])
    await shop.orders.place(first.id, BEK, BASE)
    assert (await shop.orders.open_or_reuse(BEK, shop.event_id, "web")).id != first.id


async def test_envelopes_nobody_came_back_to_are_closed_after_a_day(shop):
    left = await shop.orders.open(BEK, shop.event_id, "web")
    shop.clock.advance(24 * 3600 + 1)
    fresh = await shop.orders.open(BEK, shop.event_id, "web")
    assert await shop.orders.close_abandoned() == 1
    assert (await shop.orders.get(left.id)).state == "expired"
    assert (await shop.orders.get(fresh.id)).state == "open"
