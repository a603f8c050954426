"""The partner's stand-in: each row of the contract's table of calls, and its states (§2, §3)."""

from typing import Any

import httpx
import pytest

from tests.web.provider_shapes import agree
from tests.web.provider_stand import NOBODY, Hall, open_provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTNERS = "/api/partners/v1"
BROKEN = "not-an-id"
STATES = ("STARTED", "SUBMITTED", "CONFIRMED", "CANCELLED")
PATHS = {"STARTED": (), "SUBMITTED": ("submit",), "CANCELLED": ("cancel",)} | {
    "CONFIRMED": ("submit", "confirm")
}
# Verb → statuses in STATES' order, with one place in the order.
MOVES = {
    "submit": (200, 409, 409, 409),
    "confirm": (409, 200, 409, 409),
    "cancel": (200, 200, 409, 409),
}


async def in_state(hall: Hall, state: str, place_id: str) -> str:
    order_id = await hall.order_with(place_id)
    for verb in PATHS[state]:
        assert await hall.move(order_id, verb) == 200
    return order_id


async def test_every_row_of_the_table_of_calls(provider):
    hall = provider.hall()
    place, other, fresh = await hall.lay(1, 3)
    order = await hall.order_with(place)
    sent = {"json": {"order_id": order}}
    rows: list[tuple[int, str, str, dict[str, Any]]] = [
        (201, "POST", "/orders", {}),
        (200, "GET", f"/orders/{order}", {}),
        (404, "GET", f"/orders/{NOBODY}", {}),
        (500, "GET", f"/orders/{BROKEN}", {}),
        (200, "GET", "/places", {}),
        (200, "GET", f"/places/{place}", {}),
        (404, "GET", f"/places/{NOBODY}", {}),
        (500, "GET", f"/places/{BROKEN}", {}),
        (204, "PATCH", f"/places/{other}/select", sent),
        (409, "PATCH", f"/places/{other}/select", sent),
        (422, "PATCH", f"/places/{fresh}/select", {}),
        (422, "PATCH", f"/places/{fresh}/select", {"content": b"{"}),
        (422, "PATCH", f"/places/{fresh}/select", {"content": b'{"x":' + b"[" * 9_000}),
        (422, "PATCH", f"/places/{fresh}/select", {"json": {}}),
        (422, "PATCH", f"/places/{fresh}/select", {"json": {"order_id": 7}}),
        (422, "PATCH", f"/places/{fresh}/select", {"json": {"order_id": BROKEN}}),
        (422, "PATCH", f"/places/{BROKEN}/select", sent),
        (500, "PATCH", f"/places/{NOBODY}/select", sent),
        (500, "PATCH", f"/places/{fresh}/select", {"json": {"order_id": NOBODY}}),
        (204, "PATCH", f"/places/{place}/release", {}),
        (500, "PATCH", f"/places/{fresh}/release", {}),
        (500, "PATCH", f"/places/{NOBODY}/release", {}),
        (500, "PATCH", f"/places/{BROKEN}/release", {}),
    ]
    rows += [
        (500, "PATCH", f"/orders/{one}/{verb}", {}) for verb in MOVES for one in (NOBODY, BROKEN)
    ]
    for status, method, path, more in rows:
        answer = await hall.call(method, path, **more)
        assert answer.status_code == status, (method, path, more)
        agree(method, PARTNERS + path, answer)
    for status, body in (
        (202, b'{"row":0,"seat":-1}'),
        (422, b""),
        (422, b'{"row":1}'),
        (422, b'{"row":"1","seat":1}'),
        (422, b'{"row":1.5,"seat":1}'),
        (422, b'{"row":2147483648,"seat":1}'),
    ):
        answer = await hall.admin("/places", content=body)
        assert answer.status_code == status, body
        agree("POST", "/api/admin/v1/places", answer)


@pytest.mark.parametrize("state", STATES)
async def test_what_an_order_takes_in_each_state(provider, state):
    hall = provider.hall()
    *ids, free = await hall.lay(1, len(MOVES) + 3)
    for verb, statuses in MOVES.items():
        order = await in_state(hall, state, ids.pop())
        assert await hall.move(order, verb) == statuses[STATES.index(state)], verb
        # Nothing is idempotent.
        assert await hall.move(order, verb) == 409, verb
    place = ids.pop()
    order = await in_state(hall, state, place)
    is_open = state == "STARTED"
    assert await hall.select(free, order) == (204 if is_open else 409)
    released = await hall.release(place)
    assert released == {"STARTED": 204, "SUBMITTED": 409, "CONFIRMED": 409, "CANCELLED": 409}[state]
    await hall.settle()
    assert (await hall.order(order))["status"] == state


async def test_an_order_without_places_is_not_submitted_but_cancelled(provider):
    hall = provider.hall()
    order = await hall.start()
    assert await hall.move(order, "submit") == 409
    assert await hall.move(order, "cancel") == 200
    await hall.settle()
    assert (await hall.order(order))["status"] == "CANCELLED"


async def test_a_sold_seat_stays_sold_and_a_cancelled_one_is_free_again(provider):
    hall = provider.hall()
    sold, given_back = await hall.lay(1, 2)
    order = await in_state(hall, "CONFIRMED", sold)
    assert await hall.move(order, "cancel") == 409
    await in_state(hall, "CANCELLED", given_back)
    await hall.settle()
    assert [place["is_free"] for place in await hall.places()] == [False, True]
    assert (await hall.order(order))["places_count"] == 1


async def test_unknown_things_are_404_where_the_guide_is_believed(provider):
    hall = provider.hall()
    (place,) = await hall.lay(1, 1)
    await provider.faults(unknown_404=True)
    for status, path, body in (
        (404, f"/orders/{NOBODY}/submit", None),
        (404, f"/places/{NOBODY}/release", None),
        (404, f"/places/{place}/select", {"order_id": NOBODY}),
        (500, f"/orders/{BROKEN}/submit", None),
        (500, f"/places/{place}/release", None),
    ):
        answer = await hall.call("PATCH", path, json=body)
        assert (answer.status_code, answer.content) == (status, b""), path


async def test_what_is_no_call_is_404_without_a_body(provider):
    hall = provider.hall()
    for method, path in (("GET", "/orders"), ("POST", "/places"), ("PUT", "/places"), ("GET", "")):
        answer: httpx.Response = await hall.call(method, path)
        assert (answer.status_code, answer.content) == (404, b"")
    long = await hall.admin("/places", content=b" " * 1_000_001)
    assert (long.status_code, long.content) == (500, b"")


async def test_halls_know_nothing_of_each_other_and_the_bare_root_is_one_more(provider):
    one, other = provider.hall(), provider.hall()
    (place,) = await one.lay(1, 1)
    order = await one.order_with(place)
    assert await other.places() == []
    assert await other.move(order, "cancel") == 500
    assert (await other.call("GET", f"/places/{place}")).status_code == 404
    assert await other.select(place, await other.start()) == 500
    root = Hall(provider, 0)
    root.prefix = ""
    (root_place,) = await root.lay(1, 1)
    assert await root.order_with(root_place)
    assert (await root.truth())["free"] == 0


async def test_the_calls_that_the_real_one_has_not_stand_behind_a_flag(tmp_path, clock):
    async with open_provider(tmp_path / "other.sqlite", clock, extras=False) as provider:
        hall = provider.hall()
        for path in ("/places/bulk", "/reset"):
            assert (await hall.admin(path, json={})).status_code == 404


async def test_a_hall_is_cleaned_with_or_without_its_places(provider):
    hall, other = provider.hall(), provider.hall()
    places = await hall.lay(2, 2)
    kept = await other.order_with(*(await other.lay(1, 1)))
    order = await hall.order_with(places[0], places[1])
    await hall.select(places[2], order)
    assert (await hall.admin("/reset")).json()["free"] == 4
    assert [place["id"] for place in await hall.places()] == places
    assert all(place["is_free"] for place in await hall.places())
    assert await hall.move(order, "cancel") == 500
    assert await hall.order_with(*places)
    assert (await hall.admin("/reset", json={"places": True})).json()["places"] == 0
    assert await hall.places() == []
    assert (await other.order(kept))["places_count"] == 1
    too_many = {"rows": [{"row": row, "seats": 10_000} for row in range(101)]}
    assert (await hall.admin("/places/bulk", json=too_many)).status_code == 422
    assert (await hall.admin("/places/bulk", json={"rows": []})).status_code == 422
