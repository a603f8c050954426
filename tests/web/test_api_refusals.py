"""How the contract's booking half says no, and the document that tells of it."""

from typing import Any

import httpx

from sales.geometry import seat_id
from sales.partner import PartnerAway
from tests.web.api_calls import act, book, problem, release, select
from tests.web.api_stand import HOST

# Deeper than any reader goes, in a field that nobody knows.
DEEP = b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"


async def test_nothing_that_needs_a_user_works_without_one(stand, event_id):
    calls = [
        ("GET", "/api/bookings", None),
        ("POST", "/api/bookings", {"event_id": event_id}),
        ("PATCH", "/api/bookings/initiatePayment", {"booking_id": 1}),
        ("PATCH", "/api/bookings/cancel", {"booking_id": 1}),
        ("PATCH", "/api/seats/select", {"booking_id": 1, "seat_id": 1}),
        ("PATCH", "/api/seats/release", {"seat_id": 1}),
    ]
    async with stand.api() as nobody:
        for method, path, body in calls:
            for auth in (None, ("test", "test"), ("bek@demo.biletter.kz", "wrong-password")):
                answer = await nobody.request(method, path, json=body, auth=auth)
                assert answer.status_code == 401, (method, path, auth)
                assert answer.headers["www-authenticate"].startswith("Basic")


async def test_an_inactive_account_is_forbidden(db, stand, aru):
    await db.execute("UPDATE account SET is_active = false WHERE id = $1", stand.ids["aru"])
    assert problem(await aru.get("/api/bookings")) == (403, "account-inactive")


async def test_unknown_ids_are_answered_as_each_endpoint_says(event_id, aru):
    booking = await book(aru, event_id)
    unknown = (0, -1, 404_404, 2**53, 2**63 - 1, -(2**63))
    for number in unknown:
        opened = await aru.post("/api/bookings", json={"event_id": number})
        assert problem(opened) == (404, "event-unknown")
        assert problem(await act(aru, "initiatePayment", number)) == (404, "order-unknown")
        assert problem(await act(aru, "cancel", number)) == (404, "order-unknown")
        assert problem(await select(aru, number, seat_id(event_id, 0))) == (419, "order-unknown")
        assert problem(await select(aru, booking, number))[0] == 419
        assert problem(await release(aru, number)) == (419, "seat-unknown")
    assert problem(await select(aru, booking, seat_id(event_id, 11))) == (419, "seat-unknown")
    assert problem(await release(aru, seat_id(event_id, 11))) == (419, "seat-unknown")
    assert problem(await release(aru, seat_id(event_id, 5))) == (419, "seat-not-held")


async def test_an_owner_of_seats_who_is_away_is_a_conflict_to_select_and_a_pause_to_payment(
    stand, event_id, aru, monkeypatch
):
    async def away(*_: Any, **__: Any) -> None:
        raise PartnerAway(retry_after_s=4)

    booking = await book(aru, event_id)
    assert (await select(aru, booking, seat_id(event_id, 0))).status_code == 200
    monkeypatch.setattr(stand.holds, "hold", away)
    answer = await select(aru, booking, seat_id(event_id, 1))
    assert (*problem(answer), answer.headers["retry-after"]) == (419, "partner-away", "4")
    monkeypatch.setattr(stand.holds, "freeze", away)
    answer = await act(aru, "initiatePayment", booking)
    assert (*problem(answer), answer.headers["retry-after"]) == (503, "partner-away", "4")


async def test_malformed_bodies_are_refused_and_change_nothing(event_id, aru):
    booking = await book(aru, event_id)
    calls = [
        ("POST", "/api/bookings", "event_id", {}),
        ("PATCH", "/api/bookings/initiatePayment", "booking_id", {}),
        ("PATCH", "/api/bookings/cancel", "booking_id", {}),
        ("PATCH", "/api/seats/select", "booking_id", {"seat_id": 1}),
        ("PATCH", "/api/seats/select", "seat_id", {"booking_id": booking}),
        ("PATCH", "/api/seats/release", "seat_id", {}),
    ]
    wrong: list[Any] = ["1", "x", None, True, 1.5, [], {}, 2**63, -(2**63) - 1, 10**30]
    for method, path, field, rest in calls:
        bodies: list[Any] = [{**rest, field: value} for value in wrong]
        for body in [*bodies, rest, [], "x", None]:
            answer = await aru.request(method, path, json=body)
            assert problem(answer) == (400, "bad-input"), (path, body)
        for content in (b"", b"{", b"\xff", b'{"event_id": 1', DEEP):
            answer = await aru.request(method, path, content=content)
            assert problem(answer) == (400, "bad-input"), (path, content)
    assert [one["id"] for one in (await aru.get("/api/bookings")).json()] == [booking]


async def test_wrong_methods_and_paths_are_told_apart(aru):
    assert (await aru.get("/api/seats/select")).status_code == 405
    assert (await aru.post("/api/events", json={})).status_code == 405
    assert (await aru.get("/api/nothing")).status_code == 404


async def test_no_answer_redirects(event_id, aru):
    for path in ("/api/events/", "/api/seats/", "/api/bookings/"):
        answer = await aru.get(path, params={"event_id": event_id})
        assert answer.status_code in (200, 404), path


async def test_the_served_document_tells_of_every_call_and_of_419(stand):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(stand.app), base_url=HOST) as client:
        document = (await client.get("/openapi/openapi.json")).json()
    paths = {path: set(calls) for path, calls in document["paths"].items()}
    assert {path: methods for path, methods in paths.items() if path.startswith("/api/")} == {
        "/api/events": {"get"},
        "/api/bookings": {"get", "post"},
        "/api/bookings/{booking_id}": {"get"},
        "/api/bookings/initiatePayment": {"patch"},
        "/api/bookings/cancel": {"patch"},
        "/api/seats": {"get"},
        "/api/seats/select": {"patch"},
        "/api/seats/best": {"patch"},
        "/api/seats/release": {"patch"},
        "/api/payments/success": {"get"},
        "/api/payments/fail": {"get"},
        "/api/payments/notifications": {"post"},
        "/api/analytics": {"get"},
        "/api/reset": {"post"},
    }
    select_seat = document["paths"]["/api/seats/select"]["patch"]
    assert {"200", "400", "401", "403", "419"} <= set(select_seat["responses"])
    assert select_seat["security"] == [{"basicAuth": []}]
    assert document["components"]["securitySchemes"]["basicAuth"]["scheme"] == "basic"
    parameters = document["paths"]["/api/seats"]["get"]["parameters"]
    assert {one["name"] for one in parameters} == {
        "event_id",
        "page",
        "pageSize",
        "row",
        "status",
    }
