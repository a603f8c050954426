"""The gateway says nothing, or says it late, twice or in the wrong order: nothing is paid twice,
nothing is freed that is paid, and in the end everything is known.
"""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from sales.payments import BadNotification, BadSignature
from tests.fakes import Refuse, Silent
from tests.flow.shop import BASE, BEK, SECRET, Shop


def webhook(shop: Shop, status: str = "AUTHORIZED", **data: Any) -> bytes:
    booked = shop.gateway.newest
    body = {
        "paymentId": booked.payment_id,
        "status": status,
        "teamSlug": "toleubar-demo",
        "timestamp": "2025-08-19T10:40:12.3456789Z",
        "data": data,
    }
    return json.dumps(body).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_an_init_carried_out_in_silence_is_found_by_its_order_id(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Silent(acted=True))
    checkout = await shop.orders.place(order.id, BEK, BASE)
    # Asked at once: the buyer need not even notice.
    assert checkout.payment_state == "offered"
    assert checkout.payment_url == shop.gateway.form_url(shop.gateway.newest.payment_id)
    assert shop.gateway.calls == ["init", "check", "check"]
    assert len(shop.gateway.books) == 1


async def test_while_the_gateway_is_silent_the_buyer_is_told_that_we_ask(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Silent(acted=True))
    shop.gateway.plan("check", *[Silent(acted=False)] * 3)
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert (checkout.payment_state, checkout.payment_url) == ("unknown", None)
    await shop.later(30)
    assert await shop.state(order.id) == ("pending", "offered")
    assert shop.gateway.calls.count("init") == 1


async def test_an_init_that_never_arrived_is_made_again_under_the_same_order_id(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Silent(acted=False), Silent(acted=False))
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert checkout.payment_state == "unknown"
    await shop.later(20)
    assert await shop.state(order.id) == ("pending", "offered")
    payment = await shop.payments.of_order(order.id)
    assert list(shop.gateway.books) == [payment.gateway_order_id]


async def test_silence_never_frees_a_seat(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Silent(acted=True))
    shop.gateway.plan("check", *[Silent(acted=False)] * 500)
    await shop.orders.place(order.id, BEK, BASE)
    await shop.later(30 * 60)
    assert await shop.state(order.id) == ("pending", "unknown")
    assert await shop.claims() == {0: (order.id, False)}
    assert (await shop.holds.lapse(shop.clock.now())) == 0
    assert (await shop.seats())[0] == "H"
    shop.gateway.script["check"].clear()
    await shop.later(60)
    assert await shop.state(order.id) == ("expired", "cancelled")
    assert await shop.claims() == {}


async def test_a_confirm_carried_out_in_silence_is_a_capture(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("confirm", Silent(acted=True))
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("pending", "authorised")
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.confirms == 1


async def test_a_confirm_that_never_arrived_is_made_again(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("confirm", Silent(acted=False), Refuse("2100"))
    await shop.later(30)
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.confirms == 1


async def test_a_real_gateway_that_goes_on_saying_authorized_is_believed_once_it_accepted(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    assert shop.gateway.newest.status == "AUTHORIZED"
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_confirm_refused_for_good_gives_the_money_back(shop):
    order = await shop.placed(0)
    shop.clock.advance(60)
    shop.gateway.pay()
    shop.gateway.plan("confirm", *[Refuse("2100")] * 1000)
    await shop.later(15 * 60)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert (await shop.orders.get(order.id)).reason == "money-late"
    assert shop.gateway.newest.status == "CANCELLED"
    assert await shop.claims() == {}


async def test_a_webhook_makes_us_ask_at_once(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    body = webhook(shop)
    await shop.payments.notification(body, signature(body))
    assert await shop.state(order.id) == ("pending", "offered")
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_webhook_is_not_believed(shop):
    order = await shop.placed(0)
    body = webhook(shop, "completed")
    await shop.payments.notification(body, signature(body))
    await shop.drain()
    assert await shop.state(order.id) == ("pending", "offered")


async def test_an_unsigned_webhook_is_a_hint_like_any_other(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.notification(webhook(shop), None)
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")


async def test_webhooks_twice_and_in_the_wrong_order_make_one_purchase(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    for status in ("completed", "AUTHORIZED", "AUTHORIZED", "FORM_SHOWED", "NEW", "failed"):
        body = webhook(shop, status)
        await shop.payments.notification(body, signature(body))
    await shop.drain()
    await shop.payments.notification(webhook(shop, "failed"), None)
    await shop.later(60)
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.confirms == 1
    assert len(await shop.tickets.of_order(order.id)) == 1
    await shop.later(15 * 60)
    assert await shop.notices() == []


async def test_a_webhook_may_come_before_the_answer_to_init(shop):
    order = await shop.hold(0)
    shop.gateway.plan("init", Silent(acted=True))
    shop.gateway.plan("check", *[Silent(acted=False)] * 2)
    await shop.orders.place(order.id, BEK, BASE)
    booked = shop.gateway.pay()
    await shop.payments.notification(webhook(shop, order_id=booked.order_id), None)
    await shop.drain()
    shop.clock.advance(2)
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_webhook_ahead_of_the_gateways_own_cache_is_asked_about_again(shop):
    order = await shop.placed(0)
    shop.clock.advance(8 * 60)
    await shop.drain()
    shop.gateway.pay()
    shop.gateway.stale_status = "NEW"
    await shop.payments.notification(webhook(shop), None)
    await shop.drain()
    shop.gateway.stale_status = None
    shop.clock.advance(2.1)
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_webhook_with_a_wrong_signature_is_refused_and_changes_nothing(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    body = webhook(shop)
    before = await shop.notices()
    for wrong in (signature(body, "another"), signature(b"{}"), "sha256=", "", "é", body.decode()):
        with pytest.raises(BadSignature):
            await shop.payments.notification(body, wrong)
    assert await shop.notices() == before
    assert await shop.state(order.id) == ("pending", "offered")


async def test_the_signature_is_that_of_the_contracts_example(shop):
    body = (
        b'{"paymentId":"17556000001234","status":"AUTHORIZED","teamSlug":"toleubar-demo",'
        b'"timestamp":"2025-08-19T10:40:12.3456789Z","data":{"transition_timestamp":'
        b'"2025-08-19T10:40:12.3456001Z","status_name":"AUTHORIZED"}}'
    )
    seal = "sha256=ca46c3c55128ba354514fc4dff7d234ae4a2af1cacd09c68e3e5544a4a91171a"
    await shop.payments.notification(body, seal)
    assert await shop.notices() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"x"',
        b"\xff\xfe",
        b'{"paymentId": 7}',
        b"[" * 10_000,
        b" " * 70_000,
    ],
)
async def test_a_webhook_that_is_no_notification_is_refused(shop, body):
    with pytest.raises(BadNotification):
        await shop.payments.notification(body, None)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"paymentId":"test-payment-id","status":"success","teamSlug":"test-team","data":{}}',
        b'{"paymentId":"\\u0000","status":"\\u0000","data":{"order_id":"\\u0000"}}',
        b'{"paymentId":"' + b"9" * 5_000 + b'","status":"AUTHORIZED"}',
        b'{"paymentId":"1","status":"AUTHORIZED","data":{"order_id":{"a":[1]}},"more":1}',
    ],
)
async def test_a_webhook_for_nobody_is_ignored(shop, body):
    await shop.placed(0)
    before = await shop.notices()
    await shop.payments.notification(body, None)
    assert await shop.notices() == before


async def test_the_return_address_believes_nothing(shop):
    order = await shop.placed(0)
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("pending", "offered")
    await shop.payments.hurry(10**9)


async def test_settling_many_times_at_once_captures_once(shop):
    order = await shop.placed(0, 1)
    shop.gateway.pay()
    payment = await shop.payments.of_order(order.id)
    await asyncio.gather(*(shop.payments.settle(payment.id) for _ in range(10)))
    assert shop.gateway.newest.confirms == 1
    assert len(await shop.tickets.of_order(order.id)) == 2


async def test_an_answer_over_another_sum_moves_nothing_and_is_shown_to_staff(shop):
    order = await shop.placed(0)
    shop.gateway.pay().amount += 1
    await shop.later(10)
    assert await shop.state(order.id) == ("pending", "offered")
    (parked,) = await shop.db.fetch("SELECT kind, last_error FROM notice WHERE parked_at NOTNULL")
    assert parked["kind"] == "payment.settle"
    assert "500001" in parked["last_error"]
    assert await shop.db.fetchval("SELECT count(*) FROM audit WHERE action = 'notice.park'") == 1


async def test_a_status_the_contract_does_not_know_is_not_final(shop):
    order = await shop.placed(0)
    shop.gateway.pay("PROCESSING_3DS")
    await shop.later(60)
    assert await shop.state(order.id) == ("pending", "offered")
    shop.gateway.pay()
    await shop.later(40)
    assert await shop.state(order.id) == ("paid", "captured")
