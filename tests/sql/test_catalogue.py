"""The catalogue and its search, on a real PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sales.catalogue import Catalogue, EventUnknown
from sales.search import QueryTooLong

DAY = date(2026, 6, 10)


@pytest.fixture
async def catalogue(db, clock):
    return Catalogue(db, clock)


async def put(db, event_id, title, starts_at, *, description="", state="on_sale", **more):
    await db.execute(
        "INSERT INTO event (id, title, description, kind, starts_at, local_day, state, guarded,"
        " look) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        event_id,
        title,
        description,
        more.get("kind", "cinema"),
        starts_at,
        more.get("day", starts_at.date()),
        state,
        more.get("guarded", False),
        more.get("look", {}),
    )


async def put_zone(db, event_id, price, zone_no=1, first_seat=0):
    await db.execute(
        "INSERT INTO zone VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(event_id, zone_no, f"Зона {zone_no}", price, zone_no, [10], first_seat, 10),
    )


async def titles(catalogue, *args, **more):
    return [card.title for card in await catalogue.search(*args, **more)]


async def test_an_event_is_read_with_everything_its_page_needs(db, catalogue, clock):
    await put(db, 7, "Концерт", clock.now(), guarded=True, look={"theme": "sea"})
    event = await catalogue.event(7)
    assert (event.id, event.title, event.guarded, event.order_limit) == (7, "Концерт", True, 6)
    assert event.look == {"theme": "sea"}
    assert event.person_limit is None
    assert event.starts_at == clock.now()


@pytest.mark.parametrize("event_id", [0, -1, 404, 2**53, 2**63, 2**70])
async def test_an_unknown_event_is_refused_whatever_its_number(catalogue, event_id):
    with pytest.raises(EventUnknown):
        await catalogue.event(event_id)


async def test_an_event_is_kept_in_memory_for_two_seconds_and_no_longer(db, catalogue, clock):
    await put(db, 7, "Старое имя", clock.now())
    await catalogue.event(7)
    await db.execute("UPDATE event SET title = 'Новое имя' WHERE id = 7")
    assert (await catalogue.event(7)).title == "Старое имя"
    clock.advance(2.1)
    assert (await catalogue.event(7)).title == "Новое имя"


async def test_an_event_that_was_removed_is_not_served_from_memory_for_ever(db, catalogue, clock):
    await put(db, 7, "Концерт", clock.now())
    await catalogue.event(7)
    await db.execute("DELETE FROM event WHERE id = 7")
    clock.advance(2.1)
    for _ in range(2):
        with pytest.raises(EventUnknown):
            await catalogue.event(7)


async def test_zones_come_in_seat_order(db, catalogue, clock):
    await put(db, 7, "Концерт", clock.now())
    await put_zone(db, 7, 200, zone_no=2, first_seat=10)
    await put_zone(db, 7, 100, zone_no=1)
    assert [zone.zone_no for zone in await catalogue.zones(7)] == [1, 2]
    assert await catalogue.zones(8) == []


async def test_what_is_to_come_stands_soonest_first_and_the_past_follows_newest_first(
    db, catalogue, clock
):
    now = clock.now()
    await put(db, 1, "Через месяц", now + timedelta(days=30))
    await put(db, 2, "Завтра", now + timedelta(days=1))
    await put(db, 3, "Вчера", now - timedelta(days=1))
    await put(db, 100_000, "Десять лет назад", now - timedelta(days=3650), state="archived")
    await put(db, 100_001, "Год назад", now - timedelta(days=365), state="archived")
    everything = ["Завтра", "Через месяц", "Вчера", "Год назад", "Десять лет назад"]
    assert await titles(catalogue, archived=True) == everything
    assert await titles(catalogue) == ["Завтра", "Через месяц"]
    pages = [await titles(catalogue, archived=True, page=n, page_size=2) for n in (1, 2, 3, 4)]
    assert [title for page in pages for title in page] == everything


async def test_a_cancelled_event_is_not_found_by_search(db, catalogue, clock):
    await put(db, 1, "Отменено", clock.now() + timedelta(days=1), state="cancelled")
    assert await titles(catalogue, archived=True) == []


async def test_words_are_found_inside_words_whatever_their_case(db, catalogue, clock):
    soon = clock.now() + timedelta(days=1)
    await put(db, 1, "Финал кубка", soon, description="Вечер спортивного АЗАРТА и борьбы")
    await put(db, 2, "Тихий вечер", soon)
    assert await titles(catalogue, "азарт") == ["Финал кубка"]
    assert await titles(catalogue, "ВЕЧЕР кубка") == ["Финал кубка"]
    assert await titles(catalogue, "вечер") == ["Финал кубка", "Тихий вечер"]
    assert await titles(catalogue, "вечер балета") == []


async def test_yo_and_ye_are_one_letter(db, catalogue, clock):
    await put(db, 1, "Звёздный час", clock.now() + timedelta(days=1))
    await put(db, 2, "Ёлка", clock.now() + timedelta(days=2))
    assert await titles(catalogue, "звездный") == ["Звёздный час"]
    assert await titles(catalogue, "ёлка") == ["Ёлка"]


async def test_quotes_are_harmless(db, catalogue, clock):
    await put(db, 1, 'Экспозиция "Звездные войны"', clock.now() + timedelta(days=1))
    for query in ('Экспозиция "Звездные войны"', "экспозиция звездные", "«звездные»", "'звездные"):
        assert await titles(catalogue, query) == ['Экспозиция "Звездные войны"'], query
    assert await titles(catalogue, '"') == []


@pytest.mark.parametrize(
    "query",
    ["%", "_", "\\", "' OR 1=1 --", "a & | !", "(((", ":*", "\0", "\ud800", "%%%", "AND", "<->"],
)
async def test_operators_in_a_query_neither_fail_nor_match_everything(db, catalogue, clock, query):
    await put(db, 1, "Концерт", clock.now() + timedelta(days=1))
    found = await titles(catalogue, query)
    assert found == ([] if query.strip("\0\ud800") else ["Концерт"])


async def test_a_query_beyond_two_hundred_characters_is_refused(catalogue):
    assert await catalogue.search("я" * 200) == []
    with pytest.raises(QueryTooLong):
        await catalogue.search("я" * 201)


async def test_day_kind_and_words_must_all_agree(db, catalogue, clock):
    evening = datetime(2026, 6, 10, 14, 0, tzinfo=UTC)
    await put(db, 1, "Комедия", evening, day=DAY, kind="stage")
    await put(db, 2, "Комедия", evening, day=DAY)
    await put(db, 3, "Комедия", evening + timedelta(days=1), day=date(2026, 6, 11))
    await put(db, 4, "Драма", evening, day=DAY)
    assert [card.id for card in await catalogue.search("комедия", DAY)] == [1, 2]
    assert [card.id for card in await catalogue.search("комедия", DAY, "cinema")] == [2]
    assert [card.id for card in await catalogue.search(day=DAY)] == [1, 2, 4]


async def test_pages_beyond_reach_are_empty(db, catalogue, clock):
    await put(db, 1, "Концерт", clock.now() + timedelta(days=1))
    assert await catalogue.search(page=2**31) == []
    assert await catalogue.search(page=900) == []


async def test_a_card_names_its_cheapest_zone(db, catalogue, clock):
    await put(db, 1, "Концерт", clock.now() + timedelta(days=1))
    await put(db, 2, "Без зала", clock.now() + timedelta(days=2))
    await put_zone(db, 1, 500_000)
    await put_zone(db, 1, 200_000, zone_no=2, first_seat=10)
    assert [card.price_from for card in await catalogue.search()] == [200_000, None]


async def test_hot_events_are_the_guarded_and_the_marked_ones(db, catalogue, clock):
    soon = clock.now() + timedelta(days=1)
    await put(db, 1, "Звезда", soon + timedelta(days=5), guarded=True)
    await put(db, 2, "Финал", soon, look={"hot": True})
    await put(db, 3, "Кино", soon)
    assert [card.title for card in await catalogue.hot(10)] == ["Звезда", "Финал"]
    assert [card.title for card in await catalogue.nearest(2)] == ["Финал", "Кино"]


async def test_kinds_are_listed_by_how_many_are_coming(db, catalogue, clock):
    soon = clock.now() + timedelta(days=1)
    await put(db, 1, "А", soon, kind="stage")
    await put(db, 2, "Б", soon)
    await put(db, 3, "В", soon)
    await put(db, 4, "Г", clock.now() - timedelta(days=1), kind="sport")
    assert await catalogue.kinds() == ["cinema", "stage"]
