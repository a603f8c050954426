"""The best seats of a zone, as programs ask for them: our own call beside the contract."""

import pytest

from tests.halls import build_event
from tests.web.api_calls import act, book, problem
from tests.web.api_stand import api_stand


@pytest.fixture
async def stand(db, redis_shop, clock, tmp_path):
    async with api_stand(db, redis_shop, clock, tmp_path) as made:
        yield made


async def best(api, booking, zone, count, **more):
    wanted = {"booking_id": booking, "zone": zone, "count": count, **more}
    return await api.patch("/api/seats/best", json=wanted)


async def test_two_together_are_reserved_and_told_with_their_price(stand):
    event_id = await build_event(stand.db)
    async with stand.api("bek") as api:
        booking = await book(api, event_id)
        answer = await best(api, booking, 1, 2)
        assert answer.status_code == 200
        seats = answer.json()["seats"]
        assert answer.json()["fit"] == "together"
        assert [(one["row"], one["number"], one["price"]) for one in seats] == [
            (2, 1, "5000.00"),
            (2, 2, "5000.00"),
        ]
        listed = (await api.get("/api/bookings")).json()[0]["seats"]
        assert listed == [{"id": one["id"]} for one in seats]


async def test_a_repeated_request_that_says_what_it_has_changes_nothing(stand):
    event_id = await build_event(stand.db)
    async with stand.api("bek") as api:
        booking = await book(api, event_id)
        assert len((await best(api, booking, 1, 2, has=0)).json()["seats"]) == 2
        assert (await best(api, booking, 1, 2, has=0)).json() == {"fit": None, "seats": []}
        assert len((await api.get("/api/bookings")).json()[0]["seats"]) == 2


async def test_what_cannot_be_given_is_refused_by_a_code(stand):
    event_id = await build_event(stand.db)
    async with stand.api("bek") as api, stand.api("ermek") as ermek:
        booking = await book(api, event_id)
        answer = await best(api, booking, 2, 5)
        assert problem(answer) == (419, "few-seats")
        assert answer.json()["free"] == 4
        assert problem(await best(api, booking, 1, 7)) == (419, "too-many-seats")
        assert problem(await best(api, booking, 3, 1)) == (404, "zone-unknown")
        assert problem(await best(api, 10**15, 1, 1)) == (419, "order-unknown")
        assert problem(await best(ermek, booking, 1, 1)) == (403, "not-your-order")
        for wrong in ({"count": "2"}, {"count": True}, {"has": -1}, {"zone": 2**63}, {"count": 0}):
            assert (await best(api, booking, **{"zone": 1, "count": 1, **wrong})).status_code == 400
        await act(api, "cancel", booking)
        assert problem(await best(api, booking, 1, 1)) == (419, "order-state")
