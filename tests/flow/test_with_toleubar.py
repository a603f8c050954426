"""The same stories against the stand-in gateway: real HTTP, its own books, its own webhooks."""

import pytest

from sales.gateway import Accepted, Refused, Unknown
from sales.gateway_toleubar import ToleuBar
from sales.ledger import Ledger
from sales.payouts import Payouts
from tests.flow.shop import ADDRESSES, AHEAD, BASE, BEK, SECRET, open_shop
from tests.web.toleubar_stand import PASSWORD, TEAM, Merchant, free_port, open_gateway, served

DECLINED = "4000 0000 0000 0002"


@pytest.fixture
async def merchant():
    return Merchant()


@pytest.fixture
async def toleubar(merchant, tmp_path, clock):
    async with (
        served(merchant, free_port()) as hook,
        open_gateway(
            tmp_path / "books.sqlite",
            clock,
            webhook_secret=SECRET,
            notification_url=hook,
        ) as gateway,
    ):
        gateway.notify = hook
        yield gateway


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path, toleubar, monkeypatch):
    client = ToleuBar(toleubar.base, team_slug=TEAM, password=PASSWORD)
    shop = await open_shop(db, redis_shop, clock, tmp_path, client, starts_at=AHEAD)
    hooked = type(ADDRESSES)(notification=toleubar.notify)
    shop.payments._settler._addresses = hooked
    yield shop
    await client.close()


async def deliver(shop, merchant):
    """The webhooks that arrived, handed to the shop as they came over the wire."""
    for body, headers in merchant.raw:
        await shop.payments.notification(body, headers.get("x-webhook-signature"))
    merchant.raw.clear()


async def test_a_purchase_by_webhook(shop, toleubar, merchant):
    order = await shop.hold(0, 1)
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert checkout.payment_state == "offered"
    assert (await toleubar.http.get(checkout.payment_url)).status_code == 200
    payment = await shop.payments.of_order(order.id)
    answer = await toleubar.pay(payment.gateway_payment_id)
    assert answer.headers["location"] == f"{BASE}/orders/{order.id}/return?outcome=success"
    await merchant.wait_for(4)
    await deliver(shop, merchant)
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")
    assert await toleubar.status(payment.gateway_payment_id) == "CONFIRMED"
    assert len(await shop.tickets.of_order(order.id)) == 2
    await merchant.wait_for(5)
    await deliver(shop, merchant)
    await shop.later(15 * 60)
    assert await shop.notices() == []


async def test_a_declined_card_and_then_another(shop, toleubar):
    order = await shop.placed(0)
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id, DECLINED)
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("pending", "declined")
    await shop.orders.place(order.id, BEK, BASE)
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id)
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("paid", "captured")
    assert [one["status"] for one in (await toleubar.books())["payments"]] == [
        "REJECTED",
        "CONFIRMED",
    ]


async def test_a_line_that_breaks_at_every_call_once_carried_out(shop, toleubar):
    await toleubar.faults(init_abort=1, confirm_abort=1)
    order = await shop.placed(0)
    assert await shop.payment_state(order.id) == "offered"
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id)
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("pending", "authorised")
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    assert [one["status"] for one in (await toleubar.books())["payments"]] == ["CONFIRMED"]


async def test_cancelling_at_the_form_closes_it_there(shop, toleubar):
    order = await shop.placed(0)
    await shop.orders.cancel(order.id, BEK)
    assert await shop.state(order.id) == ("cancelled", "cancelled")
    payment = await shop.payments.of_order(order.id)
    assert await toleubar.status(payment.gateway_payment_id) == "CANCELLED"


async def test_cancelling_with_the_money_reserved_gives_it_back(shop, toleubar):
    order = await shop.placed(0)
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id)
    await shop.orders.cancel(order.id, BEK)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert await toleubar.status(payment.gateway_payment_id) == "CANCELLED"


async def test_a_gateway_that_breaks_down_is_waited_for(shop, toleubar):
    await toleubar.faults(breakdown=1)
    order = await shop.hold(0)
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert checkout.payment_state == "unknown"
    await shop.later(60)
    await toleubar.faults(breakdown=0)
    await shop.later(40)
    assert await shop.state(order.id) == ("pending", "offered")


async def test_the_real_services_manners(shop, toleubar, merchant):
    await toleubar.faults(profile="faithful", check_stale_open_s=0, card_delay_min_s=0)
    order = await shop.placed(0)
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id)
    await shop.later(30)
    assert await shop.state(order.id) == ("paid", "captured")
    assert await toleubar.status(payment.gateway_payment_id) == "AUTHORIZED"


async def test_a_merchant_with_a_wrong_password_is_told_so_and_nothing_is_kept(
    shop, toleubar, db, redis_shop, clock, tmp_path
):
    client = ToleuBar(toleubar.base, team_slug=TEAM, password="wrong")
    other = await open_shop(db, redis_shop, clock, tmp_path, client, title="Другой концерт")
    order = await other.hold(0)
    with pytest.raises(Exception, match="отказалась"):
        await other.orders.place(order.id, BEK, BASE)
    assert (await other.orders.get(order.id)).reason == "gateway-refused"
    await client.close()


async def paid(shop, toleubar, *seats):
    order = await shop.placed(*seats)
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id)
    await shop.payments.hurry(order.id)
    await shop.drain()
    return order, payment.gateway_payment_id


async def test_a_whole_order_is_refunded(shop, toleubar):
    order, gateway_id = await paid(shop, toleubar, 0, 1)
    await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    assert await shop.state(order.id) == ("refunded", "refunded")
    assert await toleubar.status(gateway_id) == "REFUNDED"
    assert (await shop.seats())[:2] == "FF"


async def test_a_refund_whose_answer_is_lost_is_found_done(shop, toleubar, monkeypatch):
    order, gateway_id = await paid(shop, toleubar, 0)
    refund = await shop.refunds.ask(order.id, BEK)
    cancel = shop.gateway.cancel

    async def lose(**call):
        await cancel(**call)
        return Unknown("the line broke")

    monkeypatch.setattr(shop.gateway, "cancel", lose)
    await shop.refunds.settle(refund.id)
    monkeypatch.undo()
    assert await toleubar.status(gateway_id) == "REFUNDED"
    assert await shop.state(order.id) == ("refunded", "captured")
    await shop.later(60)
    assert await shop.state(order.id) == ("refunded", "refunded")
    assert await Ledger(shop.db).check() == []


async def test_the_same_refund_told_twice_is_answered_the_same(shop, toleubar):
    """The key makes it safe where our look at the gateway was answered from an old cache."""
    order, gateway_id = await paid(shop, toleubar, 0)
    answers = [
        await shop.gateway.cancel(payment_id=gateway_id, reason="buyer", key="refund-1")
        for _ in range(2)
    ]
    assert answers == [Accepted("REFUNDED")] * 2
    assert isinstance(
        await shop.gateway.cancel(payment_id=gateway_id, reason="buyer", key="refund-2"), Refused
    )
    assert (await shop.orders.get(order.id)).state == "paid"


async def test_the_real_service_cannot_cancel_so_staff_pays(shop, toleubar):
    order, gateway_id = await paid(shop, toleubar, 0)
    await toleubar.faults(profile="faithful", check_stale_open_s=0, card_delay_min_s=0)
    await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    line = (await Payouts(shop.db, shop.clock).waiting())[0]
    assert (line.last_error or "").startswith("3001")
    assert await toleubar.status(gateway_id) == "CONFIRMED"
