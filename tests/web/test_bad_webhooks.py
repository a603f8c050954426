"""Webhooks that are forged, wrong, or come again: they can make us ask the gateway, and no more."""

import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest

from sales.geometry import seat_id
from tests.web.api_calls import act, book, select, state_of
from tests.web.api_stand import WEBHOOK_SECRET


def signed(body: dict[str, Any], secret: str = WEBHOOK_SECRET) -> tuple[bytes, str]:
    raw = msgspec.json.encode(body)
    return raw, "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


async def paying(stand, api, event_id) -> tuple[int, dict[str, Any]]:
    booking = await book(api, event_id)
    await select(api, booking, seat_id(event_id, 0))
    await act(api, "initiatePayment", booking)
    row = await stand.db.fetchrow("SELECT * FROM payment WHERE order_id = $1", booking)
    told = {"paymentId": row["gateway_payment_id"], "status": "CONFIRMED"}
    told |= {"teamSlug": "biletter", "timestamp": "2026-06-01T12:00:00+05:00"}
    return booking, {**told, "data": {"order_id": row["gateway_order_id"], "amount": 500_000}}


async def test_a_signature_that_is_not_the_gateway_s_over_this_body_is_refused(
    stand, aru, event_id, redis_shop, heard
):
    _, told = await paying(stand, aru, event_id)
    raw, good = signed(told)
    before = await state_of(stand.db, redis_shop)
    for signature in (
        signed({**told, "data": {"amount": 1}})[1],
        signed(told, "another secret")[1],
        good.upper(),
        good.removeprefix("sha256="),
        good[:-1],
        good + "0",
        "sha256=",
        "",
        "md5=" + "0" * 32,
        "sha256=" + "ё" * 64,
    ):
        heard.clear()
        headers = {"X-Webhook-Signature": signature.encode("utf-8")}
        answer = await aru.post("/api/payments/notifications", content=raw, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-signature"), signature
        line = next(line for line in heard if line["event"] == "request")
        assert line["refused"] == "bad-signature"
    assert await state_of(stand.db, redis_shop) == before


@pytest.mark.parametrize(
    "forged",
    [
        {"data": {"amount": 1}},
        {"data": {"amount": -500_000}},
        {"data": {"amount": 2**70}},
        {"data": {"order_id": "bl-1-1-00000000"}},
        {"paymentId": "1' OR '1'='1"},
        {"paymentId": "\0"},
        {"paymentId": "9" * 60_000},
        {"status": "REFUNDED"},
        {"status": "\0\0"},
        {"status": "S" * 50_000},
        {"timestamp": "1970-01-01T00:00:00Z"},
        {"timestamp": "2036-06-01T12:00:00-11:00"},
        {"timestamp": "yesterday"},
        {"teamSlug": "somebody-else"},
    ],
    ids=lambda forged: json.dumps(forged)[:50],
)
async def test_a_webhook_s_numbers_words_and_times_are_never_believed(stand, aru, event_id, forged):
    """Signed or not, all it can do is make us ask the gateway, whose answer stands."""
    booking, told = await paying(stand, aru, event_id)
    before = await stand.db.fetchrow("SELECT state, version, total FROM orders")
    raw, signature = signed({**told, **forged})
    for headers in ({"X-Webhook-Signature": signature}, {}):
        answer = await aru.post("/api/payments/notifications", content=raw, headers=headers)
        assert answer.status_code == 200, answer.text
    assert await stand.db.fetchrow("SELECT state, version, total FROM orders") == before
    shown = (await aru.get(f"/api/bookings/{booking}")).json()
    assert (shown["state"], shown["total"]) == ("pending", "5000.00")


async def test_a_webhook_replayed_a_day_later_changes_nothing(
    stand, aru, event_id, clock, redis_shop
):
    booking, told = await paying(stand, aru, event_id)
    stand.gateway.status = "AUTHORIZED"
    await aru.get("/api/payments/success", params={"orderId": booking})
    assert (await aru.get(f"/api/bookings/{booking}")).json()["state"] == "paid"
    clock.advance(86_400)
    before = await state_of(stand.db, redis_shop)
    raw, signature = signed(told)
    for status in ("CONFIRMED", "AUTHORIZED", "CANCELLED", "REFUNDED"):
        raw, signature = signed({**told, "status": status})
        headers = {"X-Webhook-Signature": signature}
        answer = await aru.post("/api/payments/notifications", content=raw, headers=headers)
        assert answer.status_code == 200
    for path in ("success", "fail"):
        await aru.get(f"/api/payments/{path}", params={"orderId": booking})
    assert await state_of(stand.db, redis_shop) == before


async def test_return_addresses_with_wrong_numbers_are_refused_and_tell_nothing(
    stand, aru, event_id, redis_shop, heard
):
    """Anybody can open them: they can make us ask about an order that is there, and no more."""
    booking, _ = await paying(stand, aru, event_id)
    before = await state_of(stand.db, redis_shop)
    wrong = ["", "x", "-1", "0", "1.5", "1e3", "٣", "9" * 40, "1 OR 1=1"]
    wrong += [str(2**53 + 1), str(2**63), str(booking + 1)]
    for path in ("success", "fail"):
        for number in wrong:
            heard.clear()
            answer = await aru.get(f"/api/payments/{path}", params={"orderId": number})
            assert answer.status_code in (400, 404), number
            told = [line["refused"] for line in heard if line["event"] == "request"]
            assert told == [answer.json()["code"]], number
        assert (await aru.get(f"/api/payments/{path}")).status_code == 400
    heard.clear()
    await aru.get("/api/bookings/99")
    assert not [line for line in heard if line["event"] == "request"], "other reads are no news"
    assert await state_of(stand.db, redis_shop) == before
