"""The partner's stand-in lags behind itself: consequences of the contract's §4, and paging."""

import asyncio

import pytest

from tests.web.provider_stand import Provider, open_provider
from tests.web.test_provider_calls import in_state

PAGES: tuple[tuple[dict[str, object], int, tuple[int, int] | None], ...] = (
    # query, rows of the first column, how many of 30 places
    ({}, 20, (1, 1)),
    ({"page": 0}, 20, (1, 1)),
    ({"page": -7}, 20, (1, 1)),
    ({"page": 2}, 10, (3, 1)),
    ({"page": 3}, 0, None),
    ({"pageSize": 0}, 0, None),
    ({"pageSize": 7, "page": 2}, 7, (1, 8)),
    ({"pageSize": 5000}, 30, (1, 1)),
    ({"pageSize": "+4"}, 4, (1, 1)),
    ({"page": 2147483647, "pageSize": 1000}, 0, None),
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_places_come_in_pages_by_row_and_seat(provider):
    hall = provider.hall()
    await hall.lay(3, 10)
    for query, count, first in PAGES:
        places = await hall.places(**query)
        assert len(places) == count, query
        assert first is None or (places[0]["row"], places[0]["seat"]) == first, query
    for wrong in ("x", "", "1.5", "2147483648", " 1"):
        for name in ("page", "pageSize"):
            answer = await hall.call("GET", "/places", params={name: wrong})
            assert (answer.status_code, answer.content) == (500, b""), (name, wrong)
    assert (await hall.call("GET", "/places", params={"pageSize": -1})).status_code == 500


async def test_a_great_hall_is_read_a_thousand_at_a_time_through_an_index(provider):
    hall = provider.hall()
    await hall.lay(25, 100)
    seen, page = [], 1
    while places := await hall.places(page=page, pageSize=100_000):
        assert len(places) <= 1000
        seen += [(place["row"], place["seat"]) for place in places]
        page += 1
    assert seen == [(row, seat) for row in range(1, 26) for seat in range(1, 101)]
    assert page == 4


async def test_nothing_is_shown_before_its_message_has_travelled(provider):
    hall = provider.hall()
    order = await hall.start()
    assert (await hall.call("GET", f"/orders/{order}")).status_code == 404
    place = (await hall.admin("/places", json={"row": 1, "seat": 1})).json()["place_id"]
    assert (await hall.call("GET", f"/places/{place}")).status_code == 404
    assert await hall.places() == []
    # Deciding does not wait for showing.
    assert await hall.select(place, order) == 204
    await hall.settle()
    assert (await hall.order(order))["places_count"] == 1
    assert not await hall.is_free(place)
    twice = (await hall.admin("/places", json={"row": 1, "seat": 1})).json()["place_id"]
    await hall.settle()
    assert {one["id"] for one in await hall.places()} == {place, twice}


async def test_right_after_select(provider):
    hall = provider.hall()
    (place,) = await hall.lay(1, 1)
    order = await hall.order_with()
    assert await hall.select(place, order) == 204
    assert await hall.is_free(place)
    assert (await hall.order(order))["places_count"] == 0
    assert await hall.move(order, "submit") == 409
    assert await hall.release(place) == 409
    await hall.settle()
    assert await hall.move(order, "submit") == 200


async def test_a_place_becomes_free_later_than_it_is_let_go(provider):
    hall = provider.hall()
    (place,) = await hall.lay(1, 1)
    order = await hall.order_with(place)
    for let_go in (hall.release(place), hall.move(order, "cancel")):
        assert await let_go in (200, 204)
        assert await hall.release(place) == 409
        assert await hall.select(place, await hall.start()) == 409
        assert not await hall.is_free(place)
        await hall.settle()
        assert await hall.is_free(place)
        assert await hall.release(place) == 500
        assert await hall.select(place, order) in (204, 409)
        await hall.settle()
    assert await hall.select(place, await hall.start()) == 204


async def test_a_cancel_before_all_has_settled_loses_the_seat_for_ever(provider):
    hall = provider.hall()
    lost, joined, late = await hall.lay(1, 3)
    order = await hall.start()
    await hall.select(lost, order)
    assert await hall.move(order, "cancel") == 200
    submitted = await hall.order_with(joined)
    await hall.select(late, submitted)
    assert await hall.move(submitted, "submit") == 200
    await hall.settle()
    truth = await hall.truth()
    assert (truth["lost"], truth["free"], truth["stopped"]) == (2, 0, False)
    assert (await hall.order(submitted))["places_count"] == 1
    for place in (lost, late):
        assert not await hall.is_free(place)
        assert await hall.release(place) == 409
        assert await hall.select(place, await hall.start()) == 409


async def test_the_pill_stops_place_messages_for_good(provider: Provider):
    hall, other = provider.hall(), provider.hall()
    first, second = await hall.lay(1, 2)
    spared = await other.lay(1, 1)
    await provider.faults(poison_armed=True, halls=[hall.number])
    order = await hall.start()
    await hall.select(first, order)
    await hall.move(order, "cancel")
    async with asyncio.timeout(5):
        while not (await hall.truth())["stopped"]:
            provider.clock.advance(1)
            await asyncio.sleep(0.005)
    order = await hall.start()
    assert await hall.select(second, order) == 204
    for _ in range(20):
        provider.clock.advance(1)
        await asyncio.sleep(0.005)
    assert (await hall.order(order))["places_count"] == 0
    assert await hall.is_free(second)
    assert await hall.move(order, "submit") == 409
    assert await other.order_with(*spared)
    assert (await provider.http.get("/sandbox/faults/struck")).json()["poison"] == 1
    await provider.faults()
    await hall.settle()
    assert (await hall.order(order))["places_count"] == 1
    assert (await hall.truth())["lost"] == 1


async def test_of_two_at_once_one_gets_the_place_and_the_other_perhaps_an_inner_error(provider):
    hall = provider.hall()
    places = await hall.lay(2, 10)
    await provider.faults(race_s=0.02)
    orders = [await hall.order_with(), await hall.order_with()]
    answers = [
        sorted(await asyncio.gather(*(hall.select(place, order) for order in orders)))
        for place in places[:5]
    ]
    assert all(pair[0] == 204 and pair[1] in (409, 500) for pair in answers)
    assert any(pair[1] == 500 for pair in answers)
    await hall.settle()
    moved = await asyncio.gather(*(hall.move(one, "cancel") for one in orders * 2))
    assert sorted(moved) == [200, 200, 500, 500]
    await provider.faults(race_s=0)
    order = await hall.start()
    pair = await asyncio.gather(hall.select(places[9], order), hall.select(places[9], order))
    assert sorted(pair) == [204, 409]


async def test_what_was_said_survives_a_kill_and_what_was_under_way_arrives(tmp_path, clock):
    path = tmp_path / "kept.sqlite"
    async with open_provider(path, clock) as provider:
        hall = provider.hall()
        sold, waiting = await hall.lay(1, 2)
        order = await in_state(hall, "CONFIRMED", sold)
        late = await hall.start()
        await hall.select(waiting, late)
        await provider.faults(stall_s=3)
        # A second process over the same file sees what a killed one leaves behind.
        async with open_provider(path, clock) as again:
            there = type(hall)(again, hall.number)
            await there.settle()
            assert (await there.order(order))["status"] == "CONFIRMED"
            assert (await there.order(late))["places_count"] == 1
            assert (await again.http.get("/sandbox/faults")).json()["stall_s"] == 3
