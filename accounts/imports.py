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

from collections.abc import AsyncGenerator, Sequence

import asyncpg

from accounts.import_rows import Reject, Row, read_rows
from accounts.passwords import Passwords
from accounts.queries import QUERIES
from kernel.db import Conn, Db
from kernel.incoming import Lines, Place
from kernel.intake import Intake, Progress, Written

# Where this service's own numbering starts (migration 0002).
OWN_IDS_FROM = 10_000_000
# Somebody may sign up with a row's address just now; then the row is judged again.
TRIES = 3
FIELDS = (
    *("line", "id", "email", "password_hash", "first_name", "surname", "birthday"),
    *("is_active", "registered_at", "last_logged_in"),
)


class _Entangled(Exception):
    """Rows of one batch are about the same account: their order matters."""


class UserImport:
    def __init__(self, db: Db, passwords: Passwords) -> None:
        """`db`: a pool of its own, with two minutes or so for a statement."""
        self._passwords = passwords
        self._intake = Intake(
            db, table="incoming", make=QUERIES["make_incoming"], write=self._write
        )

    def run(self, lines: Lines, start: Place) -> AsyncGenerator[Progress, None]:
        """Import the file from `start` on; `lines` is at its beginning, for the header. One
        Progress a batch. BadHeader before anything is written.
        """
        return self._intake.run(read_rows(lines, start), lines)

    async def _write(self, conn: Conn, batch: Sequence[Row | Reject]) -> Written:
        unread = [one for one in batch if isinstance(one, Reject)]
        put = await self._put(conn, [one for one in batch if isinstance(one, Row)])
        rejects = sorted([*unread, *put.rejects], key=lambda reject: reject.line)
        return Written(put.made, put.changed, rejects)

    async def _put(self, conn: Conn, rows: Sequence[Row]) -> Written:
        """Write the rows; where they are entangled, half after half."""
        if not rows:
            return Written()
        for _ in range(TRIES):
            try:
                return await self._put_together(conn, rows)
            except (_Entangled, asyncpg.UniqueViolationError):
                if len(rows) > 1:
                    middle = len(rows) // 2
                    first = await self._put(conn, rows[:middle])
                    return first.plus(await self._put(conn, rows[middle:]))
        row = rows[0]
        return Written(0, 0, (Reject(row.line, "changed-meanwhile", str(row.id), row.email),))

    async def _put_together(self, conn: Conn, rows: Sequence[Row]) -> Written:
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
        rejects = tuple(
            Reject(row["line"], row["reason"], str(row["id"]), row["email"]) for row in rejected
        )
        return Written(made, changed, rejects)

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


def _count(command: str) -> int:
    """How many rows a command says it touched: "INSERT 0 10000"."""
    return int(command.rpartition(" ")[2])
