"""`biletter allotment`, as typed."""

import asyncio
import json

import pytest

from biletter.cli.main import main
from tests.halls import build_event, claim_seats


@pytest.fixture
async def event(db) -> int:
    # The database's own clock decides whether a deadline lies ahead.
    event_id = await build_event(db)
    await db.execute("UPDATE event SET starts_at = now() + interval '30 days'")
    return event_id


@pytest.fixture
def allotment(db_url, tmp_path, monkeypatch, capsys):
    """The command; what it printed, both ways, behind its status."""
    for name in ("REDIS_ROOMS_URL", "REDIS_SHOP_URL"):
        monkeypatch.setenv(name, "redis://unused")
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("BILETTER_DATA", str(tmp_path / "data"))

    async def run(*words: object) -> tuple[int, str]:
        status = await asyncio.to_thread(main, ["allotment", *map(str, words)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


async def test_what_the_owner_gives_is_written_down_and_shown(db, event, allotment):
    until = f"{await db.fetchval('SELECT now() + interval $$20 days$$'):%Y-%m-%dT%H:%M}"
    assert "our own" in (await allotment("show", event))[1]
    given = ("give", event, 1, "--places", 4, "--until", until)
    status, said = await allotment(*given)
    assert (status, "Nothing is done yet" in said) == (1, True)
    assert await db.fetchval("SELECT ownership FROM event") == "own"
    assert (await allotment(*given, "--yes"))[0] == 0
    assert (await allotment("give", event, 2, "--rows", "3", "--until", until, "--yes"))[0] == 0
    assert await db.fetchval("SELECT ownership FROM event") == "allotment"
    row = await db.fetchrow("SELECT places, seats, channel FROM allotment WHERE zone_no = 2")
    assert tuple(row) == (4, [7, 8, 9, 10], "any")
    assert await db.fetchval("SELECT count(*) FROM audit WHERE action = 'allotment.give'") == 2
    status, said = await allotment("show", event)
    assert "zone 1 Партер: 4 places (of 7), any" in said
    assert "zone 2 Балкон: 4 places (listed), any" in said
    told = json.loads((await allotment("show", event, "--json"))[1])
    assert [zone["given"] for zone in told["zones"]] == [4, 4]
    assert (await allotment("show", event, "--csv"))[1].startswith("zone_no,zone,channel")
    for words, code in (
        (given, "allotment-not-given"),
        (("give", event, 2, "--rows", "1-2", "--until", until), "no-such-rows"),
        (("give", event, 7, "--places", 1, "--until", until), "allotment-not-given"),
    ):
        status, said = await allotment(*words, "--yes")
        assert (status, code in said) == (1, True), said


async def test_an_event_that_is_sold_elsewhere_in_the_hall_is_no_allotment(db, event, allotment):
    await claim_seats(db, event, 5, 1, [8], sold=True)
    until = f"{await db.fetchval('SELECT now() + interval $$20 days$$'):%Y-%m-%dT%H:%M}"
    status, said = await allotment("give", event, 1, "--places", 4, "--until", until, "--yes")
    assert (status, "sold-outside" in said) == (1, True)
    assert await db.fetchval("SELECT ownership FROM event") == "own"
