"""The demonstration written into a real database."""

import pytest

from accounts.accounts import Accounts
from accounts.passwords import Passwords
from biletter.seed.accounts import CROWD_SIZE, PEOPLE
from biletter.seed.demo import is_fresh, limit_star, seed_accounts, seed_events
from sales.catalogue import Catalogue


def quiet(_: str) -> None:
    pass


@pytest.fixture
async def seeded(db, clock):
    await seed_events(db, clock, None, quiet)
    return Catalogue(db, clock)


async def snapshot(db):
    events = await db.fetch("SELECT * FROM event ORDER BY id")
    return events, await db.fetch("SELECT * FROM zone ORDER BY event_id, zone_no")


async def test_seeding_again_on_the_same_day_changes_nothing(db, clock, seeded):
    before = await snapshot(db)
    await seed_events(db, clock, None, quiet)
    assert await snapshot(db) == before


async def test_seeding_a_week_later_moves_the_dates_and_keeps_what_staff_decided(db, clock, seeded):
    await db.execute("UPDATE event SET state = 'closed', order_limit = 4 WHERE id = 5")
    before = await db.fetchrow("SELECT * FROM event WHERE id = 5")
    clock.advance(7 * 86_400)
    await seed_events(db, clock, None, quiet)
    after = await db.fetchrow("SELECT * FROM event WHERE id = 5")
    assert (after["local_day"] - before["local_day"]).days == 7
    assert (after["state"], after["order_limit"]) == ("closed", 4)
    assert after["title"] == before["title"]


async def test_the_demonstration_is_fresh_until_the_great_evening_is_over(db, clock):
    assert not await is_fresh(db, clock)
    await seed_events(db, clock, None, quiet)
    assert await is_fresh(db, clock)
    clock.advance(46 * 86_400)
    assert not await is_fresh(db, clock)


async def test_event_one_takes_the_limit_of_this_start_or_has_none(db, clock, seeded):
    await limit_star(db, 4)
    assert await db.fetchval("SELECT person_limit FROM event WHERE id = 1") == 4
    await limit_star(db, None)
    assert await db.fetchval("SELECT person_limit FROM event WHERE id = 1") is None


async def test_the_catalogue_finds_the_star_the_programme_and_the_archive(seeded):
    star = await seeded.event(1)
    assert (star.guarded, star.order_limit, star.state) == (True, 6, "on_sale")
    assert [card.id for card in await seeded.search("морейра")] == [1]
    assert (await seeded.hot(10))[0].id == 1
    assert (await seeded.kinds())[0] == "cinema"
    assert await seeded.search('Экспозиция "Звездные войны"') == []
    found = await seeded.search('Экспозиция "Звездные войны"', archived=True)
    assert [card.starts_at.year for card in found] == [2024, 2019]
    assert await seeded.search("азарт", archived=True, page_size=50) != []


async def test_an_event_made_by_staff_is_numbered_clear_of_imports(db, seeded):
    event_id = await db.fetchval(
        "INSERT INTO event (title, kind, starts_at, local_day)"
        " VALUES ('Новое', 'concert', now(), current_date) RETURNING id"
    )
    assert event_id >= 10_000_000


async def test_everybody_can_sign_in_with_the_printed_password(db, clock):
    passwords = Passwords(b"pepper of a test")
    accounts = Accounts(db, passwords, clock)
    lines: list[str] = []
    await seed_accounts(accounts, lines.append)
    await seed_accounts(accounts, quiet)
    assert await db.fetchval("SELECT count(*) FROM account") == CROWD_SIZE + len(PEOPLE)
    for one in PEOPLE:
        person = await accounts.authenticate(one.email, one.password)
        assert person.role == one.role
        assert any(one.email in line and one.password in line for line in lines)
    await accounts.authenticate("crowd-04321@demo.biletter.kz", "crowd-04321")
    passwords.close()
