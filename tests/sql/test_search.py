"""The search, on a real PostgreSQL: what answers a query, and that both ways of reading agree."""

import random
from datetime import timedelta

import asyncpg
import pytest

from sales import search
from sales.catalogue import Catalogue
from sales.search import Search, Sought
from tests.halls import build_event

TITLES = (
    *("Концерт камерного оркестра", "Ночь концертов", "Последняя гастроль", "Игра престолов"),
    *("Спортивный азарт", "Азартные игры", "Золото саков", "Звёздный час", "Қазақ әні"),
)


@pytest.fixture
async def catalogue(db, clock):
    return Catalogue(db, clock)


async def put(db, title, starts_at, description="", state="on_sale", kind="concert"):
    columns = {"description": description, "state": state, "kind": kind}
    day = starts_at.date()
    return await build_event(db, (), title=title, starts_at=starts_at, local_day=day, **columns)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("концерты", ["Концерт камерного оркестра", "Ночь концертов"]),
        ("оркестрами", ["Концерт камерного оркестра"]),
        ("зарт", ["Спортивный азарт", "Азартные игры"]),
        ("игр", ["Игра престолов", "Азартные игры"]),
        ("пос", ["Последняя гастроль"]),
        ("на", []),
        ("но", ["Ночь концертов"]),
        ("звездный ЧАС", ["Звёздный час"]),
        ("әні", ["Қазақ әні"]),
        ("золото | саков", ["Золото саков"]),
        ("золото & !саков <-> :*", ["Золото саков"]),
        ("золото игры", []),
        ("'; DROP TABLE event; --", []),
    ],
)
async def test_words_answer_in_any_form_from_their_beginning_or_inside(
    db, catalogue, clock, query, titles
):
    for number, title in enumerate(TITLES):
        await put(db, title, clock.now() + timedelta(days=1, hours=number))
    assert [card.title for card in await catalogue.search(query)] == titles


async def test_a_changed_text_is_found_by_its_new_words_alone(db, catalogue, clock):
    number = await put(db, "Старое имя", clock.now() + timedelta(days=1))
    await db.execute("UPDATE event SET title = 'Новая пьеса' WHERE id = $1", number)
    assert [card.title for card in await catalogue.search("новые пьесы")] == ["Новая пьеса"]
    assert await catalogue.search("старое") == []


async def test_events_of_one_text_share_its_words(db, clock):
    for day in range(5):
        await put(db, "Снежный барс", clock.now() + timedelta(days=day))
    assert await db.fetchval("SELECT count(*) FROM wording") == 1


@pytest.mark.parametrize("seed", range(3))
async def test_both_ways_of_reading_give_what_reading_everything_would(
    db, clock, monkeypatch, seed
):
    chance = random.Random(seed)
    words = ("азарт", "игра", "гора", "ночь", "степь")
    events = []
    for _ in range(120):
        title = " ".join(chance.sample(words, chance.randint(1, 3)))
        starts_at = clock.now() + timedelta(hours=chance.randint(-60, 60))
        state = chance.choice(["on_sale", "on_sale", "closed", "cancelled"])
        kind = chance.choice(["film", "concert"])
        number = await put(db, title, starts_at, state=state, kind=kind)
        events.append((number, title, starts_at, state, kind))
    for _ in range(25):
        sought = Sought(
            query=" ".join(chance.sample(words, chance.randint(0, 2))),
            day=chance.choice([None, None, clock.now().date()]),
            kind=chance.choice([None, "film"]),
            archived=chance.random() < 0.7,
        )
        offset, limit = chance.choice([0, 0, 5, 30]), chance.choice([1, 7, 40])
        expected = _all(events, sought, clock.now())[offset : offset + limit]
        for few in (0, 10_000):
            monkeypatch.setattr(search, "WORDINGS_MIN", few)
            monkeypatch.setattr(search, "PROBE", 7 if few else 10**12)
            assert await Search(db, clock).ids(sought, offset, limit) == expected, (sought, few)


def _all(events, sought, now):
    fits = [
        (starts_at, number)
        for number, title, starts_at, state, kind in events
        if state != "cancelled"
        and set(sought.query.split()) <= set(title.split())
        and (sought.day is None or starts_at.date() == sought.day)
        and (sought.kind is None or kind == sought.kind)
    ]
    coming = sorted(one for one in fits if one[0] >= now)
    past = sorted((one for one in fits if one[0] < now), reverse=True)
    return [number for _, number in coming + (past if sought.archived else [])]


async def test_texts_that_events_name_are_never_deleted(db, clock):
    await put(db, "Ночь концертов", clock.now() + timedelta(days=1))
    for statement in ("DELETE FROM wording", "TRUNCATE wording"):
        with pytest.raises(asyncpg.RaiseError, match="never deleted"):
            await db.execute(statement)
