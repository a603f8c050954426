"""biletter import users FILE.csv | events FILE.json | archive FILE.json"""

import argparse
import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

from accounts.import_rows import BadHeader
from accounts.imports import UserImport
from accounts.passwords import Passwords
from biletter.cli.importing import Import
from biletter.cli.surroundings import settings_beside_running
from biletter.seed.arriving import hall_of
from biletter.settings import Settings
from biletter.trouble import Trouble
from kernel.db import Db, open_pool
from kernel.incoming import Lines, Objects
from kernel.keyring import Keyring
from sales.event_import import EventImport, Hall

# A batch is one transaction of a second or so; this is a stuck server.
BATCH_TIMEOUT_MS = 120_000
# Event 1 is the star concert, whatever a file says.
ACTIVE_IDS = range(2, 100_000)
ARCHIVE_IDS = range(100_000, 10_000_000)
NO_HALL = Hall()
TOLD = {
    "users": (
        "accounts from a CSV file",
        "Adds or updates accounts by id and by e-mail; the file wins, the password included.",
    ),
    "events": (
        "coming events from a JSON file",
        "Adds or updates events by id; a new one gets a hall with zones and prices.",
    ),
    "archive": ("finished events from a JSON file", "Adds or updates finished events by id."),
}
EVERY = (
    " Rows that can't be taken go to FILE.rejects.csv with the reason. An import that was stopped"
    " goes on where it was; the same file may be imported again."
)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "import",
        help="load data from a file into the running service",
        description="Loads a file while the service runs; what was read is usable at once.",
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for kind, (help_text, description) in TOLD.items():
        one = kinds.add_parser(kind, help=help_text, description=description + EVERY)
        suffix = "csv" if kind == "users" else "json"
        one.add_argument("file", type=Path, metavar=f"FILE.{suffix}", help="UTF-8")


def run(args: argparse.Namespace) -> int:
    """Status 1 when not one row could be taken."""
    return asyncio.run(_import(settings_beside_running(), args.kind, args.file))


async def _import(settings: Settings, kind: str, path: Path) -> int:
    assert settings.database_url is not None, "settings_beside_running gives every engine"
    try:
        source = path.open("rb")
    except OSError as error:
        raise Trouble(f"{path} can't be read: {error.strerror}.") from error
    db = await open_pool(settings.database_url, size_max=1, statement_timeout_ms=BATCH_TIMEOUT_MS)
    try:
        with source:
            current = Import(path, source)
            start = current.checkpoint.start
            if kind == "users":
                passwords = Passwords(Keyring(settings.keys).secret("pepper"))
                lines = Lines(source)
                batches = UserImport(db, passwords).run(lines, start)
            else:
                batches = _events(db, kind).run(Objects(source, start))
            # Closed before the pool is: whatever stops us here, its connection must be free.
            async with aclosing(batches):
                async for progress in batches:
                    current.note(progress)
    except BadHeader as refusal:
        raise Trouble(f"{path}: {refusal.detail}") from refusal
    finally:
        await db.close()
    return current.finish()


def _events(db: Db, kind: str) -> EventImport:
    if kind == "archive":
        return EventImport(db, "archived", ARCHIVE_IDS, lambda _: NO_HALL)
    return EventImport(db, "on_sale", ACTIVE_IDS, hall_of)
