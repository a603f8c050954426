"""`Idempotency-Key`: a question asked again gets the answer it got, and does nothing more."""

import asyncio

import httpx
import pytest

from sales.geometry import seat_id
from sales.idempotency import CLAIMED_FOR
from tests.halls import build_event
from tests.web.api_calls import problem
from tests.web.api_stand import api_stand


@pytest.fixture
async def stand(db, redis_shop, clock, tmp_path):
    async with api_stand(db, redis_shop, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def aru(stand):
    async with stand.api("aru") as client:
        yield client


@pytest.fixture
async def event_id(db):
    return await build_event(db)


async def book(api, event_id, key="k-1"):
    headers = {"Idempotency-Key": key}
    return await api.post("/api/bookings", json={"event_id": event_id}, headers=headers)


async def select(api, booking, seat, key):
    body = {"booking_id": booking, "seat_id": seat}
    return await api.patch("/api/seats/select", json=body, headers={"Idempotency-Key": key})


def is_replayed(answer):
    return answer.headers.get("idempotency-replayed") == "true"


async def orders_made(stand):
    return await stand.db.fetchval("SELECT count(*) FROM orders")


async def test_the_same_question_under_one_key_is_answered_once(stand, event_id, aru):
    first = await book(aru, event_id)
    again = await book(aru, event_id)
    assert (first.status_code, is_replayed(first)) == (201, False)
    assert (again.status_code, again.json(), is_replayed(again)) == (201, first.json(), True)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await orders_made(stand) == 1
    other = await book(aru, event_id, "k-2")
    assert other.json() != first.json()
    assert await orders_made(stand) == 2


async def test_a_question_cut_off_in_the_middle_was_never_asked(stand, event_id, aru):
    whole = b'{"event_id": %d}' % event_id
    told = [
        {"type": "http.request", "body": whole[:-2], "more_body": True},
        {"type": "http.disconnect"},
    ]
    request = aru.build_request(
        "POST", "/api/bookings", content=whole, headers={"Idempotency-Key": "k-1"}
    )
    request = next(aru.auth.auth_flow(request))
    scope = {"type": "http", "method": "POST", "path": "/api/bookings", "query_string": b""}
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    said: list[object] = []

    async def receive():
        return told.pop(0)

    async def send(message):
        said.append(message)

    await stand.app({**scope, "headers": headers}, receive, send)
    assert (said, await orders_made(stand)) == ([], 0)
    assert (await book(aru, event_id)).status_code == 201, "the key is free for the whole question"


async def test_without_a_key_nothing_is_kept(stand, event_id, aru):
    for _ in range(2):
        await aru.post("/api/bookings", json={"event_id": event_id})
    assert await orders_made(stand) == 2
    assert await stand.db.fetchval("SELECT count(*) FROM idempotency_key") == 0


async def test_a_redirect_to_the_payment_page_is_repeated_whole(stand, event_id, aru):
    booking = (await book(aru, event_id)).json()["id"]
    await select(aru, booking, seat_id(event_id, 0), "s")
    headers, body = {"Idempotency-Key": "pay"}, {"booking_id": booking}
    first, again = [
        await aru.patch("/api/bookings/initiatePayment", json=body, headers=headers)
        for _ in range(2)
    ]
    assert (first.status_code, again.status_code, is_replayed(again)) == (302, 302, True)
    assert again.headers["location"] == first.headers["location"]
    assert len(stand.gateway.opened) == 1


async def test_a_refusal_is_an_answer_too(stand, event_id, aru):
    booking = (await book(aru, event_id)).json()["id"]
    async with stand.api("bek") as bek:
        taken = (await book(bek, event_id)).json()["id"]
        await select(bek, taken, seat_id(event_id, 0), "s")
        first = await select(aru, booking, seat_id(event_id, 0), "s-1")
        assert problem(first) == (419, "seat-taken")
        await bek.patch("/api/bookings/cancel", json={"booking_id": taken})
    again = await select(aru, booking, seat_id(event_id, 0), "s-1")
    assert (problem(again), is_replayed(again)) == ((419, "seat-taken"), True)
    assert (await select(aru, booking, seat_id(event_id, 0), "s-2")).status_code == 200


async def test_one_key_names_one_question(stand, event_id, aru):
    await book(aru, event_id)
    for answer in (
        await book(aru, event_id + 1),
        await aru.post("/api/bookings?x=1", json={"event_id": event_id}, headers=KEY),
        await aru.patch("/api/bookings/cancel", json={"event_id": event_id}, headers=KEY),
    ):
        assert problem(answer) == (422, "idempotency-key-reused")
    assert await orders_made(stand) == 1


async def test_a_method_that_nothing_answers_to_is_refused_as_without_a_key(event_id, aru):
    await book(aru, event_id)
    for method in ("PUT", "DELETE", "PATCH"):
        answer = await aru.request(method, "/api/bookings", json={}, headers=KEY)
        assert answer.status_code == 405
    assert (await aru.post("/api/bookings/cancel", json={}, headers=KEY)).status_code == 405
    assert (await aru.post("/api/nothing", json={}, headers=KEY)).status_code == 404


KEY = {"Idempotency-Key": "k-1"}


async def test_keys_are_each_accounts_own(stand, event_id, aru):
    first = await book(aru, event_id)
    async with stand.api("bek") as bek:
        other = await book(bek, event_id)
    assert not is_replayed(other)
    assert other.json() != first.json()


async def test_while_the_first_is_at_work_the_second_is_told_to_come_again(
    stand, event_id, aru, monkeypatch
):
    began, go_on = asyncio.Event(), asyncio.Event()
    event = stand.catalogue.event

    async def slow(event_id):
        began.set()
        await go_on.wait()
        return await event(event_id)

    monkeypatch.setattr(stand.catalogue, "event", slow)
    first = asyncio.create_task(book(aru, event_id))
    await began.wait()
    second = await book(aru, event_id)
    assert problem(second) == (409, "idempotency-key-in-progress")
    assert second.headers["retry-after"] == "1"
    assert problem(await book(aru, event_id + 1)) == (422, "idempotency-key-reused")
    go_on.set()
    made = (await first).json()
    assert (await book(aru, event_id)).json() == made
    assert await orders_made(stand) == 1


async def test_many_at_once_are_answered_by_one(stand, event_id, aru):
    answers = await asyncio.gather(*(book(aru, event_id) for _ in range(12)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await orders_made(stand) == 1


async def test_a_key_whose_answerer_died_is_taken_over(stand, event_id, aru):
    account = stand.ids["aru"]
    first = await book(aru, event_id)
    await stand.db.execute("UPDATE idempotency_key SET status = NULL, body = ''")
    assert problem(await book(aru, event_id))[0] == 409
    stand.clock.advance(CLAIMED_FOR.total_seconds())
    again = await book(aru, event_id)
    assert (again.status_code, is_replayed(again)) == (201, False)
    assert again.json() != first.json()
    assert is_replayed(await book(aru, event_id))
    assert await stand.db.fetchval("SELECT account_id FROM idempotency_key") == account


async def test_who_lost_the_claim_does_not_overwrite_the_answer(stand, event_id, aru):
    late = await stand.answers.claim(stand.ids["aru"], "k", b"f" * 32)
    stand.clock.advance(CLAIMED_FOR.total_seconds() + 1)
    now = await stand.answers.claim(stand.ids["aru"], "k", b"f" * 32)
    assert now.until > late.until
    await stand.answers.forget(late)
    assert await stand.db.fetchval("SELECT count(*) FROM idempotency_key") == 1


async def test_what_is_not_final_is_not_kept(stand, event_id, aru):
    booking = (await book(aru, event_id)).json()["id"]
    await select(aru, booking, seat_id(event_id, 0), "s")
    headers, body = {"Idempotency-Key": "pay"}, {"booking_id": booking}
    stand.gateway.away["init"] = 3
    first = await aru.patch("/api/bookings/initiatePayment", json=body, headers=headers)
    assert problem(first) == (503, "payments-away")
    stand.gateway.away.clear()
    again = await aru.patch("/api/bookings/initiatePayment", json=body, headers=headers)
    assert (again.status_code, is_replayed(again)) == (302, False)


@pytest.mark.parametrize("key", ["", " ", "k" * 101, "k k", "k\tk", "ключ", "a;b", '"', "a\x00"])
async def test_a_key_that_is_none_is_refused(stand, event_id, aru, key):
    headers = {"Idempotency-Key": key.encode()}
    answer = await aru.post("/api/bookings", json={"event_id": event_id}, headers=headers)
    assert problem(answer) == (400, "idempotency-key-bad")
    assert await orders_made(stand) == 0


async def test_a_key_may_stand_in_quotes(stand, event_id, aru):
    first = await book(aru, event_id, '"k-1"')
    assert (await book(aru, event_id, "k-1")).json() == first.json()


async def test_after_a_day_the_key_is_new(stand, event_id, aru):
    await book(aru, event_id)
    stand.clock.advance(24 * 3600 + 1)
    assert await stand.answers.sweep() == 1
    assert await stand.answers.sweep() == 0
    assert not is_replayed(await book(aru, event_id))
    stand.clock.advance(24 * 3600 + 1)
    assert not is_replayed(await book(aru, event_id)), "swept or not"
    assert await orders_made(stand) == 3


async def test_after_a_reset_no_old_answer_is_given(stand, event_id, aru):
    await book(aru, event_id)
    await stand.reset.reset("test")
    again = await book(aru, event_id)
    assert (again.status_code, is_replayed(again)) == (201, False)


async def test_who_is_nobody_is_told_so_and_keeps_nothing(stand, event_id):
    async with stand.api() as nobody:
        assert (await book(nobody, event_id)).status_code == 401
        reset = await nobody.post("/api/reset", headers=KEY)
        assert reset.status_code == 200
    wrong = httpx.BasicAuth("bek@demo.biletter.kz", "wrong")
    async with stand.api() as client:
        answer = await client.post(
            "/api/bookings", json={"event_id": event_id}, headers=KEY, auth=wrong
        )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert await stand.db.fetchval("SELECT count(*) FROM idempotency_key") == 0


async def test_a_body_without_end_is_refused_and_reading_is_not_looked_at(stand, aru):
    huge = await aru.post("/api/bookings", content=b"x" * 1_000_001, headers=KEY)
    assert problem(huge) == (413, "too-large")
    for _ in range(2):
        listed = await aru.get("/api/bookings", headers=KEY)
        assert (listed.status_code, is_replayed(listed)) == (200, False)
