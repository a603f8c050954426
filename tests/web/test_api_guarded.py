"""Machines at an event with a queue in front: the pass travels in X-Queue-Pass."""

import pytest

from sales.geometry import seat_id
from sales.room_desk import Busy, Let, RoomAway
from tests.halls import build_event
from tests.web.api_calls import act, book, problem, release, select


@pytest.fixture
async def star(db):
    return await build_event(db, guarded=True)


async def test_without_a_pass_machines_are_shown_the_queue(star, aru):
    answer = await aru.post("/api/bookings", json={"event_id": star})
    assert problem(answer) == (429, "pass-needed")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["link"] == f'<http://localhost:18701/queue/{star}>; rel="queue"'


async def test_reading_is_never_queued(star, aru):
    for path in (f"/api/seats?event_id={star}", f"/api/analytics?id={star}", "/api/events"):
        assert (await aru.get(path)).status_code == 200


async def test_with_a_pass_everything_works(stand, star, aru):
    aru.headers["X-Queue-Pass"] = stand.pass_for(star, stand.ids["aru"])
    booking = await book(aru, star)
    assert (await select(aru, booking, seat_id(star, 0))).status_code == 200
    assert (await act(aru, "initiatePayment", booking)).status_code == 302


async def test_selecting_and_paying_need_the_pass_but_letting_go_does_not(stand, star, aru):
    aru.headers["X-Queue-Pass"] = stand.pass_for(star, stand.ids["aru"])
    booking = await book(aru, star)
    assert (await select(aru, booking, seat_id(star, 0))).status_code == 200
    del aru.headers["X-Queue-Pass"]
    assert problem(await select(aru, booking, seat_id(star, 1))) == (429, "pass-needed")
    assert problem(await act(aru, "initiatePayment", booking)) == (429, "pass-needed")
    assert (await release(aru, seat_id(star, 0))).status_code == 200
    assert (await act(aru, "cancel", booking)).status_code == 200


async def test_foreign_forged_and_strayed_passes_are_forbidden(db, stand, star, aru):
    other = await build_event(db, guarded=True)
    passes = {
        "pass-foreign": stand.pass_for(star, stand.ids["bek"]),
        "pass-wrong-event": stand.pass_for(other, stand.ids["aru"]),
        "pass-forged": stand.pass_for(star, stand.ids["aru"])[:-4] + "AAAA",
    }
    for code, token in passes.items():
        answer = await aru.post(
            "/api/bookings", json={"event_id": star}, headers={"X-Queue-Pass": token}
        )
        assert problem(answer) == (403, code)
    answer = await aru.post(
        "/api/bookings", json={"event_id": star}, headers={"X-Queue-Pass": "nonsense"}
    )
    assert problem(answer) == (403, "pass-forged")


async def test_a_pass_that_came_too_late_leads_back_to_the_queue(clock, stand, star, aru):
    aru.headers["X-Queue-Pass"] = stand.pass_for(star, stand.ids["aru"])
    clock.advance(181)
    answer = await aru.post("/api/bookings", json={"event_id": star})
    assert problem(answer) == (429, "pass-expired")
    assert 'rel="queue"' in answer.headers["link"]


async def test_when_the_visit_is_over_a_new_pass_is_needed(clock, stand, star, aru):
    aru.headers["X-Queue-Pass"] = stand.pass_for(star, stand.ids["aru"])
    booking = await book(aru, star)
    clock.advance(901)
    assert problem(await select(aru, booking, seat_id(star, 0))) == (429, "admission-over")
    aru.headers["X-Queue-Pass"] = stand.pass_for(star, stand.ids["aru"], jti="visit-2")
    assert (await select(aru, booking, seat_id(star, 0))).status_code == 200


async def test_a_room_that_is_off_lets_everybody_through(stand, star, aru):
    stand.modes.off.add(star)
    booking = await book(aru, star)
    assert (await select(aru, booking, seat_id(star, 0))).status_code == 200


async def test_other_events_never_ask_for_a_pass(db, aru):
    cinema = await build_event(db)
    aru.headers["X-Queue-Pass"] = "whatever"
    booking = await book(aru, cinema)
    assert (await select(aru, booking, seat_id(cinema, 0))).status_code == 200


@pytest.fixture
def armed(stand, star, clock):
    """The room is automatic and armed; what it says to programs is the test's."""
    stand.modes.armed[star] = clock.now()
    return star


async def test_at_an_armed_room_a_program_needs_no_pass_while_the_gate_lets_it_in(
    stand, armed, aru
):
    stand.desk.then = Let(stand.pass_for(armed, stand.ids["aru"]), "visit-1")
    booking = await book(aru, armed)
    assert (await select(aru, booking, seat_id(armed, 0))).status_code == 200
    assert (await act(aru, "initiatePayment", booking)).status_code == 302
    assert len(stand.desk.asked) == 1
    assert stand.modes.counted == [armed] * 3


async def test_otherwise_it_is_429_as_for_a_pass_that_is_missing(stand, armed, aru):
    stand.desk.then = Busy("waiting", 1_500)
    answer = await aru.post("/api/bookings", json={"event_id": armed})
    assert problem(answer) == (429, "pass-needed")
    assert (answer.headers["retry-after"], answer.json()["reason"]) == ("2", "waiting")
    assert answer.headers["link"] == f'<http://localhost:18701/queue/{armed}>; rel="queue"'


async def test_a_room_that_does_not_answer_is_503_and_no_open_door(stand, armed, aru):
    stand.desk.then = RoomAway()
    answer = await aru.post("/api/bookings", json={"event_id": armed})
    assert problem(answer) == (503, "room-away")
    assert int(answer.headers["retry-after"]) >= 1


async def test_nobody_without_an_account_is_let_in(stand, armed):
    stand.desk.then = Let(stand.pass_for(armed, 1), "visit-1")
    async with stand.api() as nobody:
        answer = await nobody.post("/api/bookings", json={"event_id": armed})
    assert problem(answer) == (401, "sign-in-needed")
    assert stand.desk.asked == []
