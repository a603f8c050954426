"""Forged, wrong and boundless input to every call that changes something: refused by a code, logged
with a reason, and nothing changed. A new writing route has to take its place in the tables.
"""

import json
from typing import Any

import pytest
from litestar import Litestar

from sales.geometry import seat_id
from tests.flow.shop import open_shop
from tests.halls import build_event
from tests.web.api_calls import act, book, select, state_of
from tests.web.sales_site import SalesSite

HUGE = 10_000_000
CHUNK = 100_000
READ_MAX = 1_200_000
WRONG_NUMBERS: list[Any] = [
    None, True, 1.5, 1e300, "1", "x", "", [], {}, -1, 0, 2**63, -(2**63) - 1, 10**40, 2**53 + 1
]  # fmt: skip
NO_DOCUMENTS = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe",
    b"\0",
    b"[" * 20_000,
    b'{"data": {"deep": ' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
    b'{"a":1}{"b":2}',
    b'"x"',
]
API_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "/api/bookings": ("POST", {"event_id": 1}),
    "/api/bookings/initiatePayment": ("PATCH", {"booking_id": 1}),
    "/api/bookings/cancel": ("PATCH", {"booking_id": 1}),
    "/api/seats/select": ("PATCH", {"booking_id": 1, "seat_id": 1}),
    "/api/seats/release": ("PATCH", {"seat_id": 1}),
    "/api/seats/best": ("PATCH", {"booking_id": 1, "zone": 1, "count": 1}),
    "/api/payments/notifications": ("POST", {}),
    "/api/reset": ("POST", {}),
}
# Page routes and the fields that hold numbers.
FORMS = {
    "/events/{event}/holds": ("seats",),
    "/events/{event}/best": ("count", "has"),
    "/orders/{order}/payment": (),
    "/orders/{order}/release": ("seats",),
    "/orders/{order}/cancel": (),
    "/orders/{order}/returns": ("tickets",),
    "/enter": ("pass",),
    "/leave": ("event_id",),
}
NOT_NUMBERS = ["", "x", "-1", "1.5", "1e3", "٣", "1_0", "9" * 40, "\0", "1; DROP", "%00", "😀"]


def writing_routes(app: Any) -> set[str]:
    while not isinstance(app, Litestar):
        app = getattr(app, "app", None) or app._app
    return {
        route.path
        for route in app.routes
        if getattr(route, "methods", set()) & {"POST", "PATCH", "PUT", "DELETE"}
    }


async def send(app, method: str, path: str, *, chunked: bool, headers=()) -> tuple[int, int, bytes]:
    """A body of ten megabytes, asked for piece by piece: status, bytes that were read, answer."""
    read, said = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += CHUNK
        return {"type": "http.request", "body": b"[" * CHUNK, "more_body": read < HUGE}

    async def answer(message: dict[str, Any]) -> None:
        said.append(message)

    given = [(b"host", b"localhost:18700"), (b"content-type", b"application/json"), *headers]
    if not chunked:
        given.append((b"content-length", str(HUGE).encode()))
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": given, "scheme": "http", "http_version": "1.1"}
    scope |= {"client": ("127.0.0.1", 5), "server": ("127.0.0.1", 18700), "root_path": ""}
    await app({**scope, "asgi": {"version": "3.0"}}, receive, answer)
    body = b"".join(message.get("body", b"") for message in said[1:])
    return said[0]["status"], read, body


async def test_every_writing_route_of_the_machine_face_stands_in_the_table(stand):
    assert writing_routes(stand.app) == set(API_CALLS)


@pytest.mark.parametrize("path", [path for path in API_CALLS if "reset" not in path])
async def test_wrong_numbers_change_nothing_and_are_refused_by_a_code(
    stand, aru, event_id, redis_shop, heard, path
):
    booking = await book(aru, event_id)
    await select(aru, booking, seat_id(event_id, 0))
    method, body = API_CALLS[path]
    before = await state_of(stand.db, redis_shop)
    for field in body:
        for wrong in WRONG_NUMBERS:
            heard.clear()
            forged = json.dumps({**body, "booking_id": booking, field: wrong})
            answer = await aru.request(method, path, content=forged)
            assert answer.status_code in (400, 403, 404, 419), (field, wrong, answer.text)
            line = next(line for line in heard if line["event"] == "request")
            assert line["refused"] == answer.json()["code"]
    assert await state_of(stand.db, redis_shop) == before


@pytest.mark.parametrize("path", [path for path in API_CALLS if "reset" not in path])
async def test_what_is_no_document_of_the_call_is_refused(stand, aru, redis_shop, path, event_id):
    await book(aru, event_id)
    before = await state_of(stand.db, redis_shop)
    for body in NO_DOCUMENTS:
        answer = await aru.request(API_CALLS[path][0], path, content=body)
        assert answer.status_code == 400, (body[:20], answer.text)
        assert answer.json()["code"]
    assert await state_of(stand.db, redis_shop) == before


async def test_ten_megabytes_are_refused_before_they_are_read(stand):
    auth = (b"authorization", b"Basic YmVrQGRlbW8uYmlsZXR0ZXIua3o6YmVrLXBhc3N3b3Jk")
    for path, (method, _) in API_CALLS.items():
        status, read, said = await send(stand.app, method, path, chunked=False, headers=[auth])
        assert (status, read, json.loads(said)["code"]) == (413, 0, "too-large"), path
        status, read, said = await send(stand.app, method, path, chunked=True, headers=[auth])
        if path == "/api/reset":
            assert read == 0  # it has no use for a body
        else:
            assert (status, json.loads(said)["code"]) == (413, "too-large"), path
            assert read <= READ_MAX, path


async def test_what_is_another_s_stays_another_s(stand, aru, bek, event_id, redis_shop):
    booking = await book(aru, event_id)
    await select(aru, booking, seat_id(event_id, 0))
    before = await state_of(stand.db, redis_shop)
    for what in ("initiatePayment", "cancel"):
        assert (await act(bek, what, booking)).status_code == 403
    assert (await select(bek, booking, seat_id(event_id, 1))).status_code == 403
    release = await bek.patch("/api/seats/release", json={"seat_id": seat_id(event_id, 0)})
    assert release.status_code == 403
    assert await state_of(stand.db, redis_shop) == before


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path)
    made = SalesSite(shop, clock, tmp_path)
    await made.people()
    yield made
    made.passwords.close()


async def test_every_form_of_the_shop_stands_in_the_table(site):
    ours = {
        path
        for path in writing_routes(site.app)
        if not path.startswith(("/sign-", "/acc", "/api/"))
    }
    named = {path.replace("{event}", "{event_id:int}") for path in FORMS}
    assert ours == {path.replace("{order}", "{order_id:int}") for path in named}


@pytest.mark.parametrize("path", list(FORMS))
async def test_forms_with_wrong_numbers_change_nothing(site, redis_shop, heard, path):
    bek = await site.signed_in("bek")
    shop = site.shop
    order = await shop.hold(0, 1, buyer=site.ids["bek"])
    address = path.format(event=shop.event_id, order=order.id)
    before = await state_of(shop.db, redis_shop)
    for field in FORMS[path]:
        for wrong in NOT_NUMBERS:
            heard.clear()
            fields = {"zone": "1", "count": "1", "has": "2", field: wrong}
            answer = await bek.submit(address, **fields)
            # An empty list of seats to let go is nothing to do.
            is_nothing = path.endswith("release") and not wrong.strip()
            assert answer.status_code in ((303,) if is_nothing else (400, 403, 404, 419)), wrong
            line = next(line for line in heard if line["event"] == "request")
            assert is_nothing or line["refused"], (field, wrong)
    if not path.endswith("best"):
        assert await state_of(shop.db, redis_shop) == before
    for number in ("0", "-1", "9" * 30, str(2**63), "1_0", "٣"):
        if path.startswith("/events"):
            odd = await bek.submit(path.format(event=number), zone="1", count="1", has="0")
        elif path.startswith("/orders"):
            odd = await bek.submit(path.format(order=number))
        else:
            continue
        assert odd.status_code in (303, 400, 404), (number, odd.status_code)
    assert await state_of(shop.db, redis_shop) == before


async def test_ten_megabytes_to_a_form_are_never_held_in_memory(site):
    event = await build_event(site.shop.db)
    for path in FORMS:
        address = path.format(event=event, order=1)
        status, read, _ = await send(site.app, "POST", address, chunked=False)
        assert (status, read) == (413, 0), path
        _, read, _ = await send(site.app, "POST", address, chunked=True)
        assert read <= READ_MAX, path
