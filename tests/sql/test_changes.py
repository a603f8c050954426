"""Changes of the catalogue are heard, from a real PostgreSQL."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg

from sales import changes
from sales.changes import CatalogueChanges
from tests.halls import build_event

PATIENCE_S = 10


@asynccontextmanager
async def hearing(db_url):
    heard = CatalogueChanges(db_url)
    runner = asyncio.create_task(heard.run())
    try:
        await until(lambda: heard.version is not None)
        yield heard
    finally:
        runner.cancel()
        with suppress(asyncio.CancelledError):
            await runner


async def until(is_so):
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_every_write_of_an_event_is_another_version(db, db_url, clock):
    async with hearing(db_url) as heard:
        before = heard.version
        number = await build_event(db, (), title="Кино", starts_at=clock.now() + timedelta(days=1))
        await until(lambda: heard.version != before)
        before = heard.version
        await db.execute("UPDATE event SET title = 'Опера' WHERE id = $1", number)
        await until(lambda: heard.version != before)
        before = heard.version
        await db.execute("DELETE FROM event WHERE id = $1", number)
        await until(lambda: heard.version != before)


async def test_while_nothing_is_heard_there_is_no_version(db, db_url, monkeypatch):
    monkeypatch.setattr(changes, "AGAIN_S", 0.05)
    async with hearing(db_url) as heard:
        before = heard.version
        lost = asyncio.Event()
        monkeypatch.setattr(asyncpg, "connect", _refusing(asyncpg.connect, lost))
        await db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query = 'SELECT 1' AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        await until(lambda: heard.version is None)
        lost.set()
        await until(lambda: heard.version is not None)
        assert heard.version != before


def _refusing(connect, until_set):
    async def tried(*args, **more):
        if not until_set.is_set():
            raise OSError("away")
        return await connect(*args, **more)

    return tried
