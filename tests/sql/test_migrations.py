"""Migrations: once each, whole or not at all, never on a newer database."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from biletter.migrations import list_steps, migrate
from biletter.trouble import Trouble


def write(folder: Path, name: str, statements: str) -> None:
    (folder / f"{name}.sql").write_text(statements)


async def test_the_template_has_every_step(db: asyncpg.Pool) -> None:
    done = [row["name"] for row in await db.fetch("SELECT name FROM migration ORDER BY number")]
    assert done == [step.name for step in list_steps()]


async def test_a_step_is_applied_once(db_url: str, db: asyncpg.Pool, tmp_path: Path) -> None:
    for step in list_steps():
        write(tmp_path, step.name, "SELECT 1")
    write(tmp_path, "9000_mark", "CREATE TABLE mark (place int)")
    assert await migrate(db_url, tmp_path) == ["9000_mark"]
    assert await migrate(db_url, tmp_path) == []
    assert await db.fetchval("SELECT count(*) FROM mark") == 0


async def test_processes_that_start_together_apply_a_step_once(db_url: str, tmp_path: Path) -> None:
    for step in list_steps():
        write(tmp_path, step.name, "SELECT 1")
    write(tmp_path, "9000_mark", "CREATE TABLE mark (place int); SELECT pg_sleep(0.1)")
    applied = await asyncio.gather(*(migrate(db_url, tmp_path) for _ in range(4)))
    assert sorted(applied) == [[], [], [], ["9000_mark"]]


async def test_a_step_that_fails_leaves_nothing_behind(
    db_url: str, db: asyncpg.Pool, tmp_path: Path
) -> None:
    for step in list_steps():
        write(tmp_path, step.name, "SELECT 1")
    write(tmp_path, "9000_half", "CREATE TABLE mark (place int); SELECT 1 / 0")
    with pytest.raises(Trouble, match="9000_half failed: division by zero"):
        await migrate(db_url, tmp_path)
    assert await db.fetchval("SELECT to_regclass('mark')") is None
    assert await db.fetchval("SELECT count(*) FROM migration WHERE number = 9000") == 0


async def test_a_database_of_a_newer_biletter_is_refused(db_url: str, db: asyncpg.Pool) -> None:
    await db.execute("INSERT INTO migration (number, name) VALUES (9999, '9999_later')")
    with pytest.raises(Trouble, match="newer Biletter"):
        await migrate(db_url)


async def test_a_silent_database_is_one_sentence() -> None:
    with pytest.raises(Trouble, match="does not answer"):
        await migrate("postgresql://biletter@/biletter?host=/nowhere")
