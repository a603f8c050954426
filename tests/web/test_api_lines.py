"""Lines of the contract that no story of a purchase comes across."""

import asyncio
import json

import httpx

from kernel.values import ID_MAX
from sales.geometry import seat_id
from tests.halls import big_zones, build_event, claim_seats
from tests.web.api_calls import act, book, select
from tests.web.api_stand import HOST, PEOPLE

# As many as one user of the contract's test comes to.
MANY = 1_000


def numbers_in(told: object) -> list[object]:
    """What stands under id, or something_id."""
    if isinstance(told, list):
        return [found for one in told for found in numbers_in(one)]
    if not isinstance(told, dict):
        return []
    here = [value for name, value in told.items() if name == "id" or name.endswith("_id")]
    return here + [found for value in told.values() for found in numbers_in(value)]


async def test_ids_are_numbers_that_a_double_holds(db, stand, aru):
    event_id = await build_event(db, id=6_099_999)
    booking = await book(aru, event_id)
    assert (await select(aru, booking, seat_id(event_id, 3))).status_code == 200
    seen = []
    for path in (
        "/api/events",
        "/api/bookings",
        f"/api/bookings/{booking}",
        f"/api/seats?event_id={event_id}",
        f"/api/analytics?id={event_id}",
    ):
        text = (await aru.get(path)).text
        seen += numbers_in(json.loads(text))
        assert numbers_in(json.loads(text, parse_int=float)) == numbers_in(json.loads(text)), path
    assert len(seen) > 11
    assert all(isinstance(one, int) and 0 < one <= ID_MAX for one in seen)


async def test_wrong_credentials_are_no_matter_where_nobody_is_needed(stand, event_id, aru):
    transport = httpx.ASGITransport(stand.app)
    for auth in (None, ("test", "test"), (PEOPLE["aru"][0], "wrong:password")):
        booking = await book(aru, event_id)
        await select(aru, booking, seat_id(event_id, 0))
        await act(aru, "initiatePayment", booking)
        async with httpx.AsyncClient(transport=transport, base_url=HOST, auth=auth) as client:
            for path in (
                "/api/events",
                f"/api/seats?event_id={event_id}",
                f"/api/analytics?id={event_id}",
                f"/api/payments/success?orderId={booking}",
                f"/api/payments/fail?orderId={booking}",
            ):
                assert (await client.get(path)).status_code == 200, (path, auth)
            told = await client.post("/api/payments/notifications", json={"status": "success"})
            assert told.status_code == 200
            answer = await client.post("/api/reset")
            assert (answer.status_code, auth) == (200, auth)


async def test_passwords_of_the_imported_file_are_read_as_they_are(stand, event_id):
    email, password = PEOPLE["aru"]
    assert ":" in password
    assert "\\" in password
    assert not email.isascii()
    async with stand.api("aru") as aru:
        assert (await aru.get("/api/bookings")).status_code == 200
        for wrong in (password.split(":")[0], password.replace("\\", ""), password + " "):
            auth = httpx.BasicAuth(email.encode(), wrong.encode())
            assert (await aru.get("/api/bookings", auth=auth)).status_code == 401


async def test_three_who_never_sign_in_lock_nobody_out(stand, event_id, aru):
    """From the same address, without a pause; and their own accounts stay theirs."""

    async def knock(who: str) -> set[int]:
        auth = (PEOPLE[who][0].encode(), b"never:right")
        async with stand.api() as client:
            asked = [
                client.post(
                    "/api/bookings", json={"event_id": event_id}, auth=httpx.BasicAuth(*auth)
                )
                for _ in range(40)
            ]
            return {answer.status_code for answer in await asyncio.gather(*asked)}

    refused, booking = await asyncio.gather(knock("ermek"), book(aru, event_id))
    assert booking > 0
    assert refused <= {401, 429}
    assert (await aru.get("/api/bookings")).status_code == 200


async def test_a_first_page_has_a_free_seat_however_many_in_front_are_sold(db, stand, aru, bek):
    event_id = await build_event(db, big_zones(rows=10, row_size=20, zones=1))
    await claim_seats(db, event_id, 1, 1, [*range(90), *range(91, 200)], sold=True)
    for client in (aru, bek):
        listed = (await client.get("/api/seats", params={"event_id": event_id})).json()
        assert len(listed) == 20
        assert [one["status"] for one in listed] == ["FREE"] + ["SOLD"] * 19
        free = {"event_id": event_id, "status": "FREE"}
        only = (await client.get("/api/seats", params=free)).json()
        assert [one["id"] for one in only] == [seat_id(event_id, 90)]


async def test_a_thousand_bookings_are_listed_whole(db, stand, event_id, aru):
    booking = await book(aru, event_id)
    await db.execute(
        "INSERT INTO orders (id, account_id, event_id, state, epoch, created_at, updated_at)"
        " SELECT $1 + n, account_id, event_id, state, epoch, created_at, updated_at"
        " FROM orders, generate_series(1, $2) AS n WHERE id = $1",
        booking,
        MANY - 1,
    )
    listed = (await aru.get("/api/bookings")).json()
    assert [one["id"] for one in listed] == [booking + MANY - n for n in range(1, MANY + 1)]
