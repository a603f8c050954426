"""The database's shape, one numbered file a step: `migrations/0001_start.sql` and so on.

Each file is applied once, in its own transaction together with its row in `migration`, so a
killed migration leaves no half step. An advisory lock lets many processes start at once. A
database with steps this code does not know is refused: it belongs to a newer Biletter.
"""

from dataclasses import dataclass
from pathlib import Path

import asyncpg

from biletter.trouble import Trouble

FOLDER = Path(__file__).resolve().parent.parent / "migrations"
LOCK_ID = 0x62696C65746D  # "biletm": any number nobody else locks
CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 600


@dataclass(frozen=True)
class Step:
    """One migration file."""

    number: int
    name: str
    path: Path


def list_steps(folder: Path = FOLDER) -> list[Step]:
    """The files in order. Two of one number are our own mistake."""
    steps = [
        Step(int(path.name.partition("_")[0]), path.stem, path)
        for path in sorted(folder.glob("[0-9]*_*.sql"))
    ]
    numbers = [step.number for step in steps]
    assert len(set(numbers)) == len(numbers), f"two migrations share a number: {numbers}"
    return steps


async def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Applies what is missing; returns the names applied now. Raises Trouble, see above."""
    try:
        conn = await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as reason:
        raise Trouble(f"The database does not answer: {reason}.") from reason
    try:
        await conn.execute("SELECT pg_advisory_lock($1)", LOCK_ID)
        return await _apply_missing(conn, list_steps(folder))
    finally:
        await conn.close()  # gives the lock back


async def _apply_missing(conn: asyncpg.Connection, steps: list[Step]) -> list[str]:
    await conn.execute(
        "CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY, name text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    done = {row["number"]: row["name"] for row in await conn.fetch("SELECT * FROM migration")}
    unknown = sorted(set(done) - {step.number for step in steps})
    if unknown:
        raise Trouble(
            f"The database was made by a newer Biletter (it has step {done[unknown[-1]]}):"
            " start that version instead."
        )
    applied = []
    for step in steps:
        if step.number not in done:
            await _apply(conn, step)
            applied.append(step.name)
    return applied


async def _apply(conn: asyncpg.Connection, step: Step) -> None:
    try:
        async with conn.transaction():
            await conn.execute(step.path.read_text())
            await conn.execute(
                "INSERT INTO migration (number, name) VALUES ($1, $2)", step.number, step.name
            )
    except asyncpg.PostgresError as reason:
        raise Trouble(f"Migration {step.name} failed: {reason}.") from reason
