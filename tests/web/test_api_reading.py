"""The reading half of the contract: events, seats, analytics. Nobody needs credentials here."""

import asyncio
import re
from datetime import timedelta

import pytest

from sales.geometry import seat_id
from tests.halls import START, big_zones, build_event
from tests.web.api_stand import api_stand

MONEY = re.compile(r"^[0-9]+\.[0-9]{2}$")


@pytest.fixture
async def api(stand):
    async with stand.api() as client:
        yield client


async def put_events(db, clock):
    """Three to come, two of the archive; ids by title."""
    soon = clock.now() + timedelta(days=1)
    titles = {
        "Концерт": {"starts_at": soon},
        "Кино": {"starts_at": soon + timedelta(hours=1), "description": "Вечер азарта"},
        "Балет": {"starts_at": START},
        'Экспозиция "Звездные войны"': {
            "starts_at": clock.now() - timedelta(days=600),
            "state": "archived",
        },
        "Финал": {
            "starts_at": clock.now() - timedelta(days=900),
            "state": "archived",
            "description": "много азарта",
        },
    }
    ids = {}
    for title, columns in titles.items():
        day = columns["starts_at"].date()
        ids[title] = await build_event(db, (), title=title, **{**columns, "local_day": day})
    return ids


async def test_events_are_a_bare_array_of_ids_and_titles(db, clock, api):
    ids = await put_events(db, clock)
    answer = await api.get("/api/events", params={"page": 1, "pageSize": 20})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()[0] == {"id": ids["Концерт"], "title": "Концерт"}
    assert [one["title"] for one in answer.json()] == list(ids)


async def test_a_setting_puts_the_events_into_an_envelope(db, redis_shop, clock, tmp_path):
    await put_events(db, clock)
    async with (
        api_stand(db, redis_shop, clock, tmp_path, envelope=True) as stand,
        stand.api() as api,
    ):
        answer = (await api.get("/api/events", params={"pageSize": 2})).json()
    assert (answer["success"], answer["count"], len(answer["events"])) == (True, 2, 2)


async def test_a_repeated_search_is_answered_from_memory_until_the_catalogue_changes(
    db, clock, api, stand
):
    ids = await put_events(db, clock)

    async def found():
        answer = await api.get("/api/events", params={"query": "кино"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        return [one["title"] for one in answer.json()]

    assert await found() == ["Кино"]
    await db.execute("UPDATE event SET title = 'Новое кино' WHERE id = $1", ids["Кино"])
    assert await found() == ["Кино"]  # nobody has told
    stand.changes.version = 2
    assert await found() == ["Новое кино"]
    await db.execute("UPDATE event SET title = 'Старое кино' WHERE id = $1", ids["Кино"])
    clock.advance(5.1)
    assert await found() == ["Старое кино"]  # kept for five seconds
    stand.changes.version = None
    await db.execute("UPDATE event SET title = 'Кино' WHERE id = $1", ids["Кино"])
    assert await found() == ["Кино"]  # changes are not heard: nothing is kept


async def test_a_crowd_with_one_question_asks_the_database_once(db, clock, api, stand, monkeypatch):
    await put_events(db, clock)
    asked, search = [], stand.catalogue.search

    async def counted(*args, **more):
        asked.append(args)
        return await search(*args, **more)

    monkeypatch.setattr(stand.catalogue, "search", counted)
    crowd = [api.get("/api/events", params={"query": "азарт"}) for _ in range(20)]
    answers = await asyncio.gather(*crowd)
    assert {answer.text for answer in answers} == {answers[0].text}
    assert len(asked) == 1


async def test_search_reads_active_and_archived_events_alike(db, clock, api):
    await put_events(db, clock)
    found = (await api.get("/api/events", params={"query": "азарт"})).json()
    assert [one["title"] for one in found] == ["Кино", "Финал"]
    phrase = 'Экспозиция "Звездные войны"'
    found = (await api.get("/api/events", params={"query": phrase})).json()
    assert [one["title"] for one in found] == [phrase]
    day = (clock.now() + timedelta(days=1)).date().isoformat()
    found = (await api.get("/api/events", params={"query": "азарт", "date": day})).json()
    assert [one["title"] for one in found] == ["Кино"]


async def test_pages_follow_each_other(db, clock, api):
    ids = await put_events(db, clock)
    pages = [
        (await api.get("/api/events", params={"page": n, "pageSize": 2})).json() for n in (1, 2, 3)
    ]
    assert [one["id"] for page in pages for one in page] == list(ids.values())
    beyond = await api.get("/api/events", params={"page": 2**31 - 1})
    assert (beyond.status_code, beyond.json()) == (200, [])


MALFORMED_EVENTS = (
    "page=1e3", "page=%2B1", "page=+1", "page=%201", "page=%D9%A1", "page=0x1", "page=1_0",
    "page=0", "page=-1", "page=x", "page=", "page=1.5", "page=99999999999999999999",
    "pageSize=0", "pageSize=21", "pageSize=x", "date=2024-13-01", "date=25.12.2024",
    "date=x", "query=" + "a" * 201,
)  # fmt: skip


async def test_malformed_parameters_of_events_are_refused(api):
    for query in MALFORMED_EVENTS:
        answer = await api.get(f"/api/events?{query}")
        assert answer.status_code == 400, query
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["error"] == answer.json()["code"] == "bad-input"
        assert answer.json()["detail"]


async def test_no_query_breaks_the_search(api):
    for query in ["%", "'", '"', "a & | ! ( ) :*", "\\", "%00", "%ED%A0%80"]:
        assert (await api.get(f"/api/events?query={query}")).status_code == 200, query


async def test_events_need_no_credentials_and_wrong_ones_do_no_harm(api):
    assert (await api.get("/api/events")).status_code == 200
    assert (await api.get("/api/events", auth=("test", "test"))).status_code == 200


async def test_a_seat_has_the_contracts_five_fields(db, api):
    event_id = await build_event(db)
    answer = await api.get("/api/seats", params={"event_id": event_id})
    assert answer.status_code == 200
    seats = answer.json()
    assert len(seats) == 11
    assert {seat["id"] for seat in seats} == {seat_id(event_id, n) for n in range(11)}
    first = next(seat for seat in seats if seat["id"] == seat_id(event_id, 3))
    assert first == {
        "id": seat_id(event_id, 3),
        "row": 2,
        "number": 1,
        "status": "FREE",
        "price": "5000.00",
    }
    assert all(MONEY.match(seat["price"]) for seat in seats)


async def test_pages_of_seats_hold_at_most_what_was_asked_and_no_seat_twice(db, api):
    event_id = await build_event(db, big_zones(rows=10, row_size=20, zones=2))
    asked = {"event_id": event_id, "status": "FREE", "pageSize": 7}
    pages = [(await api.get("/api/seats", params={**asked, "page": n})).json() for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [7, 7, 7]
    ids = [seat["id"] for page in pages for seat in page]
    assert len(set(ids)) == 21


async def test_rows_and_statuses_narrow_the_list(db, stand, api):
    event_id = await build_event(db)
    await stand.holds.hold(event_id, 1, 1, [3, 4])
    held = {"event_id": event_id, "status": "RESERVED"}
    assert {seat["row"] for seat in (await api.get("/api/seats", params=held)).json()} == {2}
    of_row = (await api.get("/api/seats", params={"event_id": event_id, "row": 2})).json()
    assert sorted(seat["number"] for seat in of_row) == [1, 2, 3, 4]
    assert [seat["status"] for seat in of_row] == ["FREE", "FREE", "RESERVED", "RESERVED"]
    assert (await api.get("/api/seats", params={"event_id": event_id, "row": 99})).json() == []
    sold = {"event_id": event_id, "status": "SOLD"}
    assert (await api.get("/api/seats", params=sold)).json() == []


async def test_callers_are_offered_different_free_seats(db, stand):
    event_id = await build_event(db, big_zones())
    asked = {"event_id": event_id, "status": "FREE", "pageSize": 5}
    offered = {}
    for who in ("aru", "bek", "ermek"):
        async with stand.api(who) as api:
            offered[who] = [
                seat["id"] for seat in (await api.get("/api/seats", params=asked)).json()
            ]
            again = (await api.get("/api/seats", params=asked)).json()
            assert [seat["id"] for seat in again] == offered[who]
    assert len({tuple(ids) for ids in offered.values()}) == 3


MALFORMED_SEATS = (
    "", "event_id=", "event_id=x", "event_id=1.5", "event_id=9223372036854775808",
    "event_id=1e0", "event_id=%2B1", "event_id=+1", "event_id=%D9%A1", "event_id=1&row=1e0",
    "event_id=1&page=0", "event_id=1&pageSize=21", "event_id=1&row=0", "event_id=1&row=x",
    "event_id=1&status=free", "event_id=1&status=HELD", "event_id=1&status=",
)  # fmt: skip


async def test_malformed_parameters_of_seats_are_refused(api):
    for query in MALFORMED_SEATS:
        assert (await api.get(f"/api/seats?{query}")).status_code == 400, query


async def test_seats_and_figures_of_an_unknown_event_are_not_found(api):
    for event_id in (0, -1, 404, 2**53, 2**63 - 1, -(2**63)):
        for path in (f"/api/seats?event_id={event_id}", f"/api/analytics?id={event_id}"):
            answer = await api.get(path)
            assert (answer.status_code, answer.json()["error"]) == (404, "event-unknown"), path


async def test_analytics_has_all_its_fields_and_adds_up(db, stand, api):
    event_id = await build_event(db)
    await stand.holds.hold(event_id, 1, 1, [3, 8])
    answer = await api.get("/api/analytics", params={"id": event_id})
    assert answer.status_code == 200
    figures = answer.json()
    zones = figures.pop("zones")
    assert figures == {
        "event_id": event_id,
        "total_seats": 11,
        "sold_seats": 0,
        "reserved_seats": 2,
        "free_seats": 9,
        "total_revenue": "0.00",
        "bookings_count": 1,
    }
    assert zones[0] == {
        "zone": "Партер",
        "total_seats": 7,
        "sold_seats": 0,
        "reserved_seats": 1,
        "free_seats": 6,
        "revenue": "0.00",
        "zone_no": 1,
    }


async def test_malformed_parameters_of_analytics_are_refused(api):
    for query in ("", "id=", "id=x", "id=1e0", "id=+1", "id=1.5", "id=9223372036854775808"):
        assert (await api.get(f"/api/analytics?{query}")).status_code == 400, query
