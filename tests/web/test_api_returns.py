"""Cancelling a paid booking over the contract's call: its tickets come back, while they may."""

import pytest

from sales.geometry import seat_id
from tests.flow.shop import AHEAD
from tests.web.api_calls import act, book, problem, select


@pytest.fixture
async def event_id(db, event_id):
    await db.execute("UPDATE event SET starts_at = $1", AHEAD)
    return event_id


async def paid(stand, client, event_id, *seats):
    booking = await book(client, event_id)
    for seat in seats:
        await select(client, booking, seat_id(event_id, seat))
    assert (await act(client, "initiatePayment", booking)).status_code == 302
    stand.gateway.status = "AUTHORIZED"
    # Whoever owns the seats may be a few calls behind.
    for _ in range(4):
        await client.get("/api/payments/success", params={"orderId": booking})
    state = (await client.get(f"/api/bookings/{booking}")).json()
    assert state["state"] == "paid"
    return booking


async def test_a_paid_booking_is_returned_and_again_is_no_error(stand, event_id, aru, bek):
    booking = await paid(stand, aru, event_id, 0, 1)
    assert (await act(aru, "cancel", booking)).status_code == 200
    assert (await act(aru, "cancel", booking)).status_code == 200
    state = (await aru.get(f"/api/bookings/{booking}")).json()
    assert (state["state"], state["seats"]) == ("refunded", [])
    assert (await aru.get("/api/bookings")).json() == []
    other = await book(bek, event_id)
    assert (await select(bek, other, seat_id(event_id, 0))).status_code == 200


async def test_too_late_is_the_contracts_419(stand, event_id, aru, db):
    booking = await paid(stand, aru, event_id, 0)
    await db.execute("UPDATE ticket SET refund_until = to_timestamp(0)")
    assert problem(await act(aru, "cancel", booking)) == (419, "refund-too-late")
    assert (await aru.get(f"/api/bookings/{booking}")).json()["state"] == "paid"


async def test_somebody_elses_stays(stand, event_id, aru, bek):
    booking = await paid(stand, aru, event_id, 0)
    assert (await act(bek, "cancel", booking)).status_code == 403


async def test_places_that_came_back_are_not_listed_any_more(stand, event_id, aru, db):
    booking = await paid(stand, aru, event_id, 0, 1)
    ticket = await db.fetchval("SELECT id FROM ticket WHERE seat = 0")
    account = await db.fetchval("SELECT account_id FROM orders WHERE id = $1", booking)
    await stand.refunds.ask(booking, account, [ticket])
    left = [{"id": seat_id(event_id, 1)}]
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == left
    assert (await aru.get(f"/api/bookings/{booking}")).json()["seats"] == left
