"""Webhooks to a real receiver: contract §7."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from kernel.clock import ManualClock
from sandbox.toleubar.letters import sign
from tests.web.toleubar_stand import (
    AMOUNT,
    LETTER_WITHIN_S,
    NO_FUNDS,
    PASSWORD,
    TEAM,
    Gateway,
    Merchant,
    free_port,
    open_gateway,
    served,
)

SECRET = "whsec-demo-123"


@pytest.fixture
async def merchant() -> AsyncIterator[tuple[Merchant, str]]:
    receiver = Merchant()
    async with served(receiver, free_port()) as base:
        yield receiver, f"{base}/api/payments/notifications"
        receiver.open.set()


@pytest.fixture
async def gateway(tmp_path, clock, merchant) -> AsyncIterator[Gateway]:
    path, notify = tmp_path / "books.db", merchant[1]
    async with open_gateway(path, clock, notify, webhook_secret=SECRET) as opened:
        yield opened


@pytest.fixture
def receiver(merchant: tuple[Merchant, str]) -> Merchant:
    return merchant[0]


async def test_a_purchase_is_told_from_init_to_capture(gateway, receiver):
    payment_id = await gateway.start()
    await gateway.http.get(f"/api/v1/paymentform/render/{payment_id}?lang=ru")
    await gateway.pay(payment_id)
    await gateway.confirm(payment_id)
    letters = await receiver.wait_for(5)
    assert receiver.words() == ["NEW", "FORM_SHOWED", "FORM_SHOWED", "AUTHORIZED", "completed"]
    assert {(letter["paymentId"], letter["teamSlug"]) for letter in letters} == {(payment_id, TEAM)}
    assert letters[1]["data"]["event_type"] == "form_showed"
    assert letters[1]["data"]["amount"] == AMOUNT
    assert letters[2]["data"]["status_name"] == "FORM_SHOWED"
    assert letters[4]["data"] == {"event_type": "payment_completed"}


async def test_the_raw_bytes_are_signed_and_each_delivery_is_named(gateway, receiver):
    await gateway.start()
    await gateway.start("bk-2")
    await receiver.wait_for(2)
    for body, headers in receiver.raw:
        assert headers["x-webhook-signature"] == sign(body, SECRET)
        assert headers["x-webhook-event"] == "payment_status_change"
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"] == "PaymentGateway-Webhook/1.0"
    assert len({UUID(headers["x-webhook-delivery"]) for _, headers in receiver.raw}) == 2


@pytest.mark.parametrize(
    ("end", "reason"), [("declined", "REJECTED"), ("cancelled", "CANCELLED"), ("late", "EXPIRED")]
)
async def test_every_unhappy_end_is_told_as_failed(gateway, receiver, clock, end, reason):
    payment_id = await gateway.start()
    if end == "declined":
        await gateway.pay(payment_id, NO_FUNDS)
    elif end == "cancelled":
        await gateway.cancel(payment_id)
    else:
        clock.advance(1801)
        await gateway.check(payment_id)
    letters = await receiver.wait_for(3 if end == "declined" else 2)
    assert letters[-1]["status"] == "failed"
    assert letters[-1]["data"] == {"event_type": "payment_failed", "failure_reason": reason}


async def test_expiry_is_told_though_nobody_asks(gateway, receiver, clock: ManualClock):
    await gateway.start(paymentExpiry=1)
    await receiver.wait_for(1)
    clock.advance(61)
    assert (await receiver.wait_for(2))[-1]["data"]["failure_reason"] == "EXPIRED"


async def test_a_refund_is_not_told(gateway, receiver):
    payment_id = await gateway.paid()
    await gateway.confirm(payment_id)
    await receiver.wait_for(4)
    await gateway.cancel(payment_id)
    await gateway.start("bk-2")
    await receiver.wait_for(5)
    assert receiver.words() == ["NEW", "FORM_SHOWED", "AUTHORIZED", "completed", "NEW"]


async def test_a_letter_not_taken_is_tried_three_times_more(gateway, receiver):
    receiver.answers = [500, 302, 404, 503]
    payment_id = await gateway.start()
    await receiver.wait_for(4)
    await gateway.cancel(payment_id)
    await receiver.wait_for(5)
    assert receiver.words() == ["NEW"] * 4 + ["failed"]  # the fifth attempt was never made
    assert gateway.pauses == [1, 2, 4]
    assert len({body for body, _ in receiver.raw[:4]}) == 1
    assert len({headers["x-webhook-delivery"] for _, headers in receiver.raw[:4]}) == 4


async def test_any_2xx_ends_the_delivery(gateway, receiver):
    receiver.answers = [500, 204]
    await gateway.start()
    await receiver.wait_for(2)
    await gateway.start("bk-2")
    await receiver.wait_for(3)
    assert gateway.pauses == [1]


async def test_a_merchant_that_hangs_does_not_delay_the_payer(gateway, receiver):
    receiver.open.clear()
    payment_id = await gateway.start()
    assert (await gateway.pay(payment_id)).status_code == 302
    assert receiver.words() == []
    assert receiver.arrived <= 1
    receiver.open.set()
    await receiver.wait_for(3)
    assert receiver.words() == ["NEW", "FORM_SHOWED", "AUTHORIZED"]


async def test_the_profile_names_the_address_when_init_does_not(gateway, receiver):
    await gateway.http.put(
        "/api/v1/TeamManagement/profile",
        json={"NOTIFICATIONURL": gateway.notify},
        auth=(TEAM, PASSWORD),
    )
    await gateway.start(notificationURL=None)
    assert [letter["status"] for letter in await receiver.wait_for(1)] == ["NEW"]


async def test_an_address_where_nobody_listens_is_given_up(gateway):
    await gateway.start(notificationURL="http://127.0.0.1:9/")
    async with asyncio.timeout(LETTER_WITHIN_S):
        while gateway.pauses != [1, 2, 4]:
            await asyncio.sleep(0.005)


async def test_lost_webhooks_never_come(gateway, receiver):
    await gateway.faults(webhook_loss=1)
    await gateway.paid()
    await gateway.faults()
    await gateway.start("bk-2")
    await receiver.wait_for(1)
    assert receiver.words() == ["NEW"]


async def test_doubled_webhooks_come_twice(gateway, receiver):
    await gateway.faults(webhook_duplicate=1)
    await gateway.start()
    await receiver.wait_for(2)
    assert receiver.raw[0][0] == receiver.raw[1][0]


async def test_webhooks_out_of_order_are_passed_by_later_ones(gateway, receiver):
    receiver.open.clear()
    payment_id = await gateway.start()
    await gateway.faults(webhook_reorder=1, webhook_reorder_s=3)
    await gateway.pay(payment_id)
    await receiver.wait_for_arrival(3)  # though the first of them is still not taken
    assert gateway.pauses.count(3) == 2


@pytest.mark.parametrize(
    ("forgery", "sealed"), [("signature", False), ("payment", True), ("sum", True)]
)
async def test_a_forged_letter_goes_beside_the_honest_one(gateway, receiver, forgery, sealed):
    await gateway.faults(**{f"webhook_forged_{forgery}": 1})
    receiver.answers = [400, 400]
    payment_id = await gateway.start()
    await receiver.wait_for(3)  # the honest one was refused and came again; the other didn't
    await asyncio.sleep(0.05)
    forged = [one for one in receiver.raw if b"completed" in one[0]]
    [(body, headers)] = forged
    assert (headers["x-webhook-signature"] == sign(body, SECRET)) is sealed
    letter = msgspec.json.decode(body)
    assert (letter["paymentId"] == payment_id) is (forgery != "payment")
    assert letter["data"].get("amount") == (AMOUNT + 1 if forgery == "sum" else None)
    assert await gateway.status(payment_id) == "NEW"
    assert (await gateway.http.get("/sandbox/faults/struck")).json() == {
        f"webhook_forged_{forgery}": 1
    }


async def test_delayed_webhooks_keep_their_order(gateway, receiver):
    await gateway.faults(webhook_delay_min_s=5, webhook_delay_max_s=9)
    await gateway.paid()
    await receiver.wait_for(3)
    assert receiver.words() == ["NEW", "FORM_SHOWED", "AUTHORIZED"]
    assert all(5 <= pause <= 9 for pause in gateway.pauses if pause > 1)


@pytest.mark.parametrize(("keep", "comes"), [(True, ["NEW", "NEW"]), (False, ["NEW"])])
async def test_undelivered_webhooks_survive_a_restart_only_where_switched_on(
    tmp_path, clock, merchant, keep, comes
):
    receiver, notify = merchant
    path = tmp_path / "books.db"
    receiver.open.clear()
    async with open_gateway(path, clock, notify) as first:
        await first.faults(webhook_keep=keep)
        await first.start()
    receiver.open.set()
    async with open_gateway(path, clock, notify) as second:
        await second.faults()
        await second.start("bk-2")
        await receiver.wait_for(len(comes) + 1)  # the first one hung and was answered late
    assert receiver.words()[1:] == comes
