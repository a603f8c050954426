"""The booking half of the contract, through the real app on real engines; once with seats of our
own, once with a partner's.
"""

import asyncio
from collections import Counter

from sales.geometry import seat_id
from tests.halls import big_zones, build_event
from tests.web.api_calls import act, book, problem, release, select

RACES = 100


async def test_a_booking_goes_from_empty_to_chosen_to_released_to_cancelled(event_id, aru):
    booking = await book(aru, event_id)
    assert (await aru.get("/api/bookings")).json() == [
        {"id": booking, "event_id": event_id, "seats": []}
    ]
    seat = seat_id(event_id, 4)
    chosen = await select(aru, booking, seat)
    assert (chosen.status_code, chosen.json()) == (200, {"status": "ok"})
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == [{"id": seat}]
    assert (await release(aru, seat)).status_code == 200
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == []
    assert (await act(aru, "cancel", booking)).status_code == 200
    assert (await act(aru, "cancel", booking)).status_code == 200, (
        "cancelling again changes nothing"
    )
    assert (await aru.get("/api/bookings")).json() == []


async def test_the_loop_of_the_contracts_auth_test_runs_again_and_again(event_id, aru):
    answers = []
    for _ in range(7):
        listed = await aru.get("/api/seats", params={"event_id": event_id})
        free = next(seat for seat in listed.json() if seat["status"] == "FREE")
        opened = await aru.post("/api/bookings", json={"event_id": event_id})
        booking = opened.json()["id"]
        answers += [listed, opened, await select(aru, booking, free["id"])]
        answers += [await release(aru, free["id"]), await act(aru, "cancel", booking)]
    assert Counter(answer.status_code for answer in answers) == {200: 28, 201: 7}


async def test_a_selected_seat_is_reserved_for_everybody_else(event_id, aru, bek):
    booking = await book(aru, event_id)
    seat = seat_id(event_id, 0)
    await select(aru, booking, seat)
    others = await book(bek, event_id)
    assert problem(await select(bek, others, seat)) == (419, "seat-taken")
    assert (await bek.get("/api/bookings")).json()[0]["seats"] == []
    listed = await bek.get("/api/seats", params={"event_id": event_id, "status": "RESERVED"})
    assert [one["id"] for one in listed.json()] == [seat]


async def test_cancelling_frees_all_the_seats_of_a_booking(event_id, aru, bek):
    booking = await book(aru, event_id)
    for seat in (1, 2, 3):
        await select(aru, booking, seat_id(event_id, seat))
    await act(aru, "cancel", booking)
    others = await book(bek, event_id)
    assert (await select(bek, others, seat_id(event_id, 2))).status_code == 200


async def test_of_two_callers_for_one_seat_exactly_one_gets_it(db, stand, aru, bek):
    event_id = await build_event(db, big_zones(rows=10, row_size=RACES // 10, zones=1))
    await db.execute("UPDATE event SET order_limit = 100 WHERE id = $1", event_id)
    rounds: Counter[tuple[int, ...]] = Counter()
    bookings: list[int] = []
    for seat in range(RACES):
        if seat % 100 == 0:  # no order has more places
            bookings = [await book(api, event_id) for api in (aru, bek)]
        answers = await asyncio.gather(
            *(
                select(api, booking, seat_id(event_id, seat))
                for api, booking in zip((aru, bek), bookings, strict=True)
            )
        )
        rounds[tuple(sorted(answer.status_code for answer in answers))] += 1
    assert rounds == {(200, 419): RACES}


async def test_of_many_calls_for_one_seat_and_one_booking_exactly_one_gets_it(event_id, aru):
    booking = await book(aru, event_id)
    seat = seat_id(event_id, 0)
    answers = await asyncio.gather(*(select(aru, booking, seat) for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 419: 9}
    assert problem(await select(aru, booking, seat)) == (419, "seat-taken")
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == [{"id": seat}]


async def test_foreign_bookings_and_seats_are_forbidden(event_id, aru, bek):
    booking = await book(aru, event_id)
    seat = seat_id(event_id, 0)
    await select(aru, booking, seat)
    assert problem(await select(bek, booking, seat_id(event_id, 1))) == (403, "not-your-order")
    assert problem(await release(bek, seat)) == (403, "not-your-seat")
    assert problem(await act(bek, "cancel", booking)) == (403, "not-your-order")
    assert problem(await act(bek, "initiatePayment", booking)) == (403, "not-your-order")
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == [{"id": seat}]


async def test_a_seat_of_another_event_does_not_go_into_a_booking(db, event_id, aru):
    other = await build_event(db)
    booking = await book(aru, event_id)
    answer = await select(aru, booking, seat_id(other, 0))
    assert problem(answer) == (419, "seats-of-two-events")


async def test_more_seats_than_an_order_may_have_are_refused(event_id, aru):
    booking = await book(aru, event_id)
    answers = [await select(aru, booking, seat_id(event_id, seat)) for seat in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [419]
    assert problem(answers[-1])[1] == "too-many-seats"
    assert len((await aru.get("/api/bookings")).json()[0]["seats"]) == 6


async def test_the_limit_a_person_counts_over_all_bookings(db, aru):
    event_id = await build_event(db, person_limit=2)
    first, second = [await book(aru, event_id) for _ in range(2)]
    assert (await select(aru, first, seat_id(event_id, 0))).status_code == 200
    assert (await select(aru, second, seat_id(event_id, 1))).status_code == 200
    assert problem(await select(aru, first, seat_id(event_id, 2))) == (419, "person-limit")


async def test_a_cancelled_booking_takes_no_more_seats(event_id, aru):
    booking = await book(aru, event_id)
    await act(aru, "cancel", booking)
    assert problem(await select(aru, booking, seat_id(event_id, 0))) == (419, "order-state")


async def test_a_reservation_times_out(db, clock, event_id, aru, bek):
    booking = await book(aru, event_id)
    seat = seat_id(event_id, 0)
    await select(aru, booking, seat)
    clock.advance(601)
    assert (await aru.get("/api/bookings")).json()[0]["seats"] == []
    others = await book(bek, event_id)
    assert (await select(bek, others, seat)).status_code == 200


async def test_events_not_on_sale_take_no_bookings(db, clock, aru):
    for columns in ({"state": "archived"}, {"state": "closed"}, {"starts_at": clock.now()}):
        event_id = await build_event(db, **columns)
        answer = await aru.post("/api/bookings", json={"event_id": event_id})
        assert problem(answer) == (400, "not-possible"), columns
        assert answer.json()["reason"] == "sale-closed"


async def test_bookings_are_listed_newest_first_and_only_ones_own(event_id, aru, bek):
    mine = [await book(aru, event_id) for _ in range(3)]
    await book(bek, event_id)
    assert [one["id"] for one in (await aru.get("/api/bookings")).json()] == mine[::-1]


async def test_one_booking_can_be_looked_at(event_id, aru, bek):
    booking = await book(aru, event_id)
    seat = seat_id(event_id, 0)
    await select(aru, booking, seat)
    shown = (await aru.get(f"/api/bookings/{booking}")).json()
    assert (shown["state"], shown["seats"]) == ("open", [{"id": seat}])
    assert problem(await bek.get(f"/api/bookings/{booking}")) == (403, "not-your-order")
    assert problem(await aru.get("/api/bookings/404404")) == (404, "order-unknown")
