"""Users out of a file: streamed, judged and written in batches, usable at once.

What a row means (in the order of the file, as if the rows came one by one):
- its e-mail belongs to an account: that account is changed, and keeps its own id;
- only its id belongs to an account: that account is changed, e-mail included, unless the account
  was born here (ids from OWN_IDS_FROM): then the row is rejected (`id-of-another-account`);
- both belong, to different accounts: rejected (`email-of-another-account`);
- either belongs to staff: rejected (`staff-account`), for a file must not hand out a staff login;
- neither: a new account under the file's id.
The file wins over what was there, the password included. Importing the same file again changes
nothing that can be seen.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice

import asyncpg
import msgspec

from accounts.import_rows import Reject, Row, read_rows
from accounts.passwords import Passwords
from accounts.queries import QUERIES
from kernel.db import Conn, Db
from kernel.incoming import Lines, Place

BATCH_ROWS = 10_000
# Where this service's own numbering starts (migration 0002).
OWN_IDS_FROM = 10_000_000
# Somebody may sign up with a row's address just now; then the row is judged again.
TRIES = 3
FIELDS = (
    *("line", "id", "email", "password_hash", "first_name", "surname", "birthday"),
    *("is_active", "registered_at", "last_logged_in"),
)


class Progress(msgspec.Struct, frozen=True):
    """After a batch: how many rows so far, the rejected ones of this batch, where to go on."""

    made: int
    changed: int
    rejected: int
    rejects: Sequence[Reject]
    place: Place


class _Batch(msgspec.Struct, frozen=True):
    rows: Sequence[Row | Reject]
    place: Place


class _Entangled(Exception):
    """Rows of one batch are about the same account: their order matters."""


class UserImport:
    def __init__(self, db: Db, passwords: Passwords) -> None:
        """`db`: a pool of its own, with two minutes or so for a statement."""
        self._db = db
        self._passwords = passwords
        self._made = self._changed = self._rejected = 0

    async def run(self, lines: Lines, start: Place) -> AsyncIterator[Progress]:
        """Import the file from `start` on; `lines` is at its beginning, for the header. One
        Progress a batch. BadHeader before anything is written.

        While PostgreSQL works on a batch, the next one is read.
        """
        rows = read_rows(lines, start)
        async with self._db.acquire() as conn:
            await conn.execute(QUERIES["make_incoming"])
            try:
                batch = await asyncio.to_thread(_take, rows, lines)
                while batch.rows:
                    writing = asyncio.create_task(self._write(conn, batch))
                    try:
                        batch = await asyncio.to_thread(_take, rows, lines)
                    finally:
                        progress = await writing
                    yield progress
            finally:
                await conn.execute("DROP TABLE incoming")

    async def _write(self, conn: Conn, batch: _Batch) -> Progress:
        rejects = [one for one in batch.rows if isinstance(one, Reject)]
        rejects += await self._put(conn, [one for one in batch.rows if isinstance(one, Row)])
        rejects.sort(key=lambda reject: reject.line)
        self._rejected += len(rejects)
        return Progress(self._made, self._changed, self._rejected, rejects, batch.place)

    async def _put(self, conn: Conn, rows: Sequence[Row]) -> list[Reject]:
        """Write the rows; where they are entangled, half after half. Returns the rejected."""
        if not rows:
            return []
        for _ in range(TRIES):
            try:
                return await self._put_together(conn, rows)
            except (_Entangled, asyncpg.UniqueViolationError):
                if len(rows) > 1:
                    middle = len(rows) // 2
                    first = await self._put(conn, rows[:middle])
                    return first + await self._put(conn, rows[middle:])
        row = rows[0]
        return [Reject(row.line, "changed-meanwhile", str(row.id), row.email)]

    async def _put_together(self, conn: Conn, rows: Sequence[Row]) -> list[Reject]:
        if len({row.id for row in rows}) < len(rows):
            raise _Entangled
        if len({row.email for row in rows}) < len(rows):
            raise _Entangled
        async with conn.transaction():
            await conn.copy_records_to_table(
                "incoming", records=[self._record(row) for row in rows], columns=list(FIELDS)
            )
            await conn.execute(QUERIES["judge_incoming"], OWN_IDS_FROM)
            if await conn.fetchval(QUERIES["entangled_incoming"]):
                raise _Entangled
            rejected = await conn.fetch(QUERIES["rejected_incoming"])
            changed = _count(await conn.execute(QUERIES["update_from_incoming"]))
            made = _count(await conn.execute(QUERIES["insert_from_incoming"]))
            await conn.execute(QUERIES["raise_account_ids"], OWN_IDS_FROM)
        self._made += made
        self._changed += changed
        return [
            Reject(row["line"], row["reason"], str(row["id"]), row["email"]) for row in rejected
        ]

    def _record(self, row: Row) -> tuple[object, ...]:
        return (
            row.line,
            row.id,
            row.email,
            self._passwords.import_digest(row.digest),
            row.first_name,
            row.surname,
            row.birthday,
            row.is_active,
            row.registered_at,
            row.last_logged_in,
        )


def _take(rows: Iterator[Row | Reject], lines: Lines) -> _Batch:
    return _Batch(list(islice(rows, BATCH_ROWS)), Place(lines.offset, lines.line))


def _count(command: str) -> int:
    """How many rows a command says it touched: "INSERT 0 10000"."""
    return int(command.rpartition(" ")[2])
