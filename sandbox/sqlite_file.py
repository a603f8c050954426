"""A stand-in's memory: one SQLite file.

Each change is committed before it is answered, so `kill -9` of the process loses nothing that was
said (the write-ahead log survives the process; only a power cut may cost the last moments).
One connection, used from the event loop: a commit takes about a tenth of a millisecond.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Another reader (a checker, a shell) may hold the file for a moment.
BUSY_TIMEOUT_S = 5


class FileBrokenError(Exception):
    """The file cannot be opened; the message says why in one sentence."""


def open_file(path: Path, version: int, make_tables: str, what: str) -> sqlite3.Connection:
    """The file, made if it is not there. `what` is its name in the sentence of FileBrokenError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        db = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            db.execute(f"PRAGMA {pragma}")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise FileBrokenError(f"{what} {path} were written by a newer version")
        db.executescript(make_tables)
        db.execute(f"PRAGMA user_version = {version}")
    except sqlite3.Error as error:
        raise FileBrokenError(f"{what} {path} cannot be opened: {error}") from error
    return db


@contextmanager
def together(db: sqlite3.Connection) -> Iterator[None]:
    """What is written inside is kept as a whole or not at all; may be nested."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
