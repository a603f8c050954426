"""Importing events into real PostgreSQL."""

import io
import json
from datetime import UTC, datetime

import pytest

from biletter.seed.arriving import hall_of
from kernel import intake
from kernel.incoming import Objects
from sales.catalogue import Catalogue
from sales.event_import import EventImport, Hall

IDS = range(2, 100_000)


def told(number, **changes):
    return {
        "id": number,
        "title": f"Фильм {number}",
        "description": "Премьера",
        "type": "film",
        "datetime_start": "2027-03-01T19:30:00",
        "provider": "Kino.kz",
    } | changes


def no_hall(_):
    return Hall()


def objects_of(*events):
    return Objects(io.BytesIO(json.dumps(events, ensure_ascii=False).encode()))


@pytest.fixture
def load(db):
    async def run(*events, state="on_sale", ids=IDS, halls=hall_of):
        importing = EventImport(db, state, ids, halls)
        done = [progress async for progress in importing.run(objects_of(*events))]
        rejects = [(one.row, one.reason) for progress in done for one in progress.rejects]
        return (done[-1].made, done[-1].changed, rejects) if done else (0, 0, [])

    return run


async def test_imported_events_are_found_at_once_and_have_seats(load, db, clock):
    assert await load(told(2), told(3, title="Ночной азарт", type="sport")) == (2, 0, [])
    catalogue = Catalogue(db, clock)
    [card] = await catalogue.search("азарт")
    assert (card.id, card.starts_at) == (3, datetime(2027, 3, 1, 14, 30, tzinfo=UTC))
    zones = await catalogue.zones(3)
    assert zones
    assert card.hall
    assert card.price_from == min(zone.price for zone in zones)


async def test_the_file_wins_but_hall_seats_and_state_stay(load, db, clock):
    await load(told(2))
    before = await Catalogue(db, clock).zones(2)
    await db.execute("UPDATE event SET state = 'closed' WHERE id = 2")
    changed = told(2, title="Новый фильм", type="sport", provider="")
    assert await load(changed) == (0, 1, [])
    event = await Catalogue(db, clock).event(2)
    assert (event.title, event.kind, event.state) == ("Новый фильм", "sport", "closed")
    assert await Catalogue(db, clock).zones(2) == before
    assert [card.id for card in await Catalogue(db, clock).search("новые фильмы")] == [2]


async def test_the_same_file_again_writes_nothing(load, db):
    await load(told(2), told(3))
    written = "SELECT array_agg(xmin::text ORDER BY id) FROM event"
    before = await db.fetchval(written)
    assert await load(told(2), told(3)) == (0, 2, [])
    assert await db.fetchval(written) == before


async def test_the_last_of_two_rows_with_one_id_wins(load, db):
    assert await load(told(2), told(3), told(2, title="Позже")) == (2, 1, [])
    assert await db.fetchval("SELECT title FROM event WHERE id = 2") == "Позже"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": 1}, "id-out-of-range"),
        ({"id": 2**70}, "id-out-of-range"),
        ({"id": "7"}, "bad-id"),
        ({"id": True}, "bad-id"),
        ({"id": 7.0}, "bad-id"),
        ({"title": " \u200b "}, "bad-title"),
        ({"title": "x" * 301}, "bad-title"),
        ({"title": 5}, "bad-title"),
        ({"description": "x" * 5_001}, "bad-description"),
        ({"type": None}, "bad-type"),
        ({"datetime_start": "завтра"}, "bad-time"),
        ({"datetime_start": None}, "bad-time"),
        ({"datetime_start": "9999-12-31T23:59:59-23:00"}, "bad-time"),
    ],
)
async def test_a_wrong_event_is_told_and_the_others_go_in(load, changes, reason):
    assert await load(told(2), told(3, **changes), told(4)) == (2, 0, [(2, reason)])


async def test_what_is_no_object_is_told_too(load):
    assert await load(told(2), 5, "x", None) == (
        *(1, 0),
        [(2, "not-an-object"), (3, "not-an-object"), (4, "not-an-object")],
    )


async def test_nothing_unseen_or_unstorable_gets_into_a_title(load, db):
    await load(told(2, title="Ночь\u202e\0 в опере\u200b", description="a\0b"))
    assert await db.fetchval("SELECT title FROM event WHERE id = 2") == "Ночь в опере"


async def test_bytes_that_are_no_text_are_dropped_from_it(db):
    raw = json.dumps([told(2, title="Ночь X в опере")], ensure_ascii=False).encode()
    objects = Objects(io.BytesIO(raw.replace(b" X ", b" \xff ")))
    done = [one async for one in EventImport(db, "archived", IDS, no_hall).run(objects)]
    assert (done[-1].made, done[-1].rejected) == (1, 0)
    assert await db.fetchval("SELECT title FROM event WHERE id = 2") == "Ночь в опере"


async def test_an_import_goes_on_after_the_place_of_any_batch(db, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_ROWS", 2)
    whole = json.dumps([told(number) for number in range(2, 8)], ensure_ascii=False).encode()
    importing = EventImport(db, "archived", IDS, no_hall).run(Objects(io.BytesIO(whole)))
    first = await anext(importing)
    await importing.aclose()
    assert first.place.row == 2
    again = EventImport(db, "archived", IDS, no_hall)
    rest = Objects(io.BytesIO(whole), first.place)
    done = [progress async for progress in again.run(rest)]
    assert done[-1].made + done[-1].changed == 4
    assert done[-1].place.row == 6
    assert await db.fetchval("SELECT array_agg(id ORDER BY id) FROM event") == [*range(2, 8)]


async def test_a_broken_file_leaves_what_stood_before(db):
    whole = json.dumps([told(number) for number in range(2, 8)], ensure_ascii=False).encode()
    objects = Objects(io.BytesIO(whole[:-30]))
    done = [one async for one in EventImport(db, "archived", IDS, no_hall).run(objects)]
    assert [(one.row, one.reason) for one in done[-1].rejects] == [(6, "broken-json")]
    assert await db.fetchval("SELECT array_agg(id ORDER BY id) FROM event") == [*range(2, 7)]
