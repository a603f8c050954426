"""Payment calls of the contract, with a gateway that says what the test wants."""

import asyncio
import hashlib
import hmac

import msgspec
import pytest

from sales.gateway import Unknown
from sales.geometry import seat_id
from tests.web.api_calls import act, book, problem, release, select
from tests.web.api_stand import WEBHOOK_SECRET

MONITORS_BODY = {
    "paymentId": "test-payment-id",
    "status": "success",
    "teamSlug": "test-team",
    "data": {},
}


@pytest.fixture
async def nobody(stand):
    async with stand.api() as client:
        yield client


async def chosen(aru, event_id, *seats):
    booking = await book(aru, event_id)
    for seat in seats:
        assert (await select(aru, booking, seat_id(event_id, seat))).status_code == 200
    return booking


async def figures(nobody, event_id):
    told = (await nobody.get("/api/analytics", params={"id": event_id})).json()
    return {
        name: told[name]
        for name in (
            "sold_seats",
            "reserved_seats",
            "free_seats",
            "total_revenue",
            "bookings_count",
        )
    }


async def test_payment_starts_with_a_redirect_to_the_gateways_page(stand, event_id, aru, nobody):
    booking = await chosen(aru, event_id, 0, 7)
    answer = await act(aru, "initiatePayment", booking)
    assert answer.status_code == 302
    assert answer.headers["location"] == stand.gateway.form_url("P1")
    again = await act(aru, "initiatePayment", booking)
    assert (again.status_code, again.headers["location"]) == (302, answer.headers["location"])
    assert len(stand.gateway.opened) == 1, "one payment, however often it is asked for"
    assert [amount for _, amount in stand.gateway.opened.values()] == [800_000]
    assert stand.gateway.urls.success.endswith(f"/api/payments/success?orderId={booking}")
    assert stand.gateway.urls.fail.endswith(f"/api/payments/fail?orderId={booking}")
    assert await figures(nobody, event_id) == {
        "sold_seats": 0,
        "reserved_seats": 2,
        "free_seats": 9,
        "total_revenue": "0.00",
        "bookings_count": 1,
    }


async def test_what_the_gateway_confirms_is_sold(stand, event_id, aru, nobody):
    booking = await chosen(aru, event_id, 0, 7)
    await act(aru, "initiatePayment", booking)
    stand.gateway.status = "AUTHORIZED"
    answer = await nobody.get("/api/payments/success", params={"orderId": booking})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert await figures(nobody, event_id) == {
        "sold_seats": 2,
        "reserved_seats": 0,
        "free_seats": 9,
        "total_revenue": "8000.00",
        "bookings_count": 1,
    }
    listed = (await aru.get("/api/bookings")).json()
    assert listed[0]["seats"] == [{"id": seat_id(event_id, 0)}, {"id": seat_id(event_id, 7)}]
    assert problem(await act(aru, "initiatePayment", booking)) == (400, "not-possible")
    assert problem(await release(aru, seat_id(event_id, 0)))[0] == 419
    assert problem(await select(aru, booking, seat_id(event_id, 1))) == (419, "order-state")


async def test_a_return_address_alone_sells_and_cancels_nothing(stand, event_id, aru, nobody):
    booking = await chosen(aru, event_id, 0)
    await act(aru, "initiatePayment", booking)
    for outcome in ("success", "fail", "success"):
        answer = await nobody.get(f"/api/payments/{outcome}", params={"orderId": booking})
        assert answer.status_code == 200
    told = await figures(nobody, event_id)
    assert (told["sold_seats"], told["reserved_seats"]) == (0, 1)
    assert (await aru.get(f"/api/bookings/{booking}")).json()["state"] == "pending"


async def test_what_the_gateway_declines_is_free_again(stand, event_id, aru, nobody):
    booking = await chosen(aru, event_id, 0)
    await act(aru, "initiatePayment", booking)
    stand.gateway.status = "REJECTED"
    await nobody.get("/api/payments/fail", params={"orderId": booking})
    assert (await aru.get("/api/bookings")).json() == []
    assert (await aru.get(f"/api/bookings/{booking}")).json()["state"] == "cancelled"


async def test_while_the_gateway_is_left_alone_payment_asks_to_come_again(stand, event_id, aru):
    booking = await chosen(aru, event_id, 0)
    stand.gateway.away["init"] = 7.5
    answer = await act(aru, "initiatePayment", booking)
    assert problem(answer) == (503, "payments-away")
    assert answer.headers["retry-after"] == "8"
    told = (await aru.get(f"/api/bookings/{booking}")).json()
    assert (told["state"], len(told["seats"])) == ("open", 1)
    stand.gateway.away.clear()
    answer = await act(aru, "initiatePayment", booking)
    assert answer.status_code == 302
    stand.gateway.away["init"] = 7.5
    again = await act(aru, "initiatePayment", booking)
    assert again.headers["location"] == answer.headers["location"], "what is open stays open"


async def test_a_pending_booking_can_be_cancelled(stand, event_id, aru):
    booking = await chosen(aru, event_id, 0)
    await act(aru, "initiatePayment", booking)
    assert (await act(aru, "cancel", booking)).status_code == 200
    assert stand.gateway.status == "CANCELLED"
    assert (await aru.get("/api/bookings")).json() == []


async def test_an_empty_booking_cannot_be_paid(event_id, aru):
    booking = await book(aru, event_id)
    answer = await act(aru, "initiatePayment", booking)
    assert problem(answer) == (400, "not-possible")
    assert answer.json()["reason"] in ("order-empty", "hold-over")


async def test_where_only_the_gateways_answer_was_lost_the_page_is_there_all_the_same(
    stand, event_id, aru, monkeypatch
):
    booking, init = await chosen(aru, event_id, 0), stand.gateway.init

    async def lose(**call):
        await init(**call)
        return Unknown("the line broke")

    monkeypatch.setattr(stand.gateway, "init", lose)
    answer = await act(aru, "initiatePayment", booking)
    assert (answer.status_code, answer.headers["location"]) == (302, stand.gateway.form_url("P1"))
    assert len(stand.gateway.opened) == 1


async def test_a_gateway_that_is_silent_is_asked_again_later(stand, event_id, aru):
    booking = await chosen(aru, event_id, 0)
    stand.gateway.is_silent = True
    answer = await act(aru, "initiatePayment", booking)
    assert problem(answer) == (503, "payment-page-pending")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == [{"id": seat_id(event_id, 0)}]


async def test_two_clicks_on_pay_open_one_payment(stand, event_id, aru):
    booking = await chosen(aru, event_id, 0)
    answers = await asyncio.gather(*(act(aru, "initiatePayment", booking) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(stand.gateway.opened) == 1


async def test_return_addresses_refuse_what_is_no_order(nobody):
    for outcome in ("success", "fail"):
        path = f"/api/payments/{outcome}"
        for query in ("", "?orderId=", "?orderId=x", "?orderId=9223372036854775808"):
            assert (await nobody.get(path + query)).status_code == 400, query
        for number in (1, 0, -5, 2**63 - 1):
            answer = await nobody.get(path, params={"orderId": number})
            assert problem(answer) == (404, "order-unknown")


async def test_notifications_that_tell_us_nothing_are_taken_all_the_same(db, nobody):
    bodies = [
        MONITORS_BODY,
        {},
        {"paymentId": "1", "status": "CONFIRMED", "data": {"a": 1, "b": "x", "c": None}},
        {**MONITORS_BODY, "timestamp": "2025-08-19T10:40:12.3456789Z", "more": [1, 2]},
    ]
    for body in bodies:
        answer = await nobody.post("/api/payments/notifications", json=body)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"}), body
    assert await db.fetchval("SELECT count(*) FROM notice") == 0


async def test_malformed_notifications_are_refused(nobody):
    path = "/api/payments/notifications"
    for content in (
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"paymentId": 5}',
        b'{"data": []}',
        b"\xff",
        b'{"data":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    ):
        answer = await nobody.post(path, content=content)
        assert answer.status_code == 400, content


async def test_a_signed_notification_makes_us_ask_and_a_forged_one_does_not(
    db, stand, event_id, aru, nobody
):
    booking = await chosen(aru, event_id, 0)
    await act(aru, "initiatePayment", booking)
    body = msgspec.json.encode({**MONITORS_BODY, "paymentId": "P1", "status": "AUTHORIZED"})
    seal = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    before = await db.fetchval("SELECT count(*) FROM notice WHERE due_at <= $1", stand.clock.now())
    for signature, status in ((f"sha256={'0' * 64}", 400), (f"sha256={seal}", 200)):
        answer = await nobody.post(
            "/api/payments/notifications",
            content=body,
            headers={"X-Webhook-Signature": signature, "content-type": "application/json"},
        )
        assert answer.status_code == status
        due = await db.fetchval("SELECT count(*) FROM notice WHERE due_at <= $1", stand.clock.now())
        assert (due > before) == (status == 200)
