"""The audit of staff: who did what, from which value to which.

A deed outside PostgreSQL (a room lives in Redis) is written down before it is done, with the
outcome `asked`, and closed after it: whatever is killed in between, nothing was done unseen.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from accounts.identity import Caller
from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from kernel.values import INT64_MAX

QUERIES = load_queries(Path(__file__).parent / "sql")
LINES_MAX = 50
# The subject of signing in.
STAFF = "staff"


class Line(msgspec.Struct, frozen=True):
    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class Audit:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def note(self, caller: Caller | str, action: str, subject: str, **detail: object) -> int:
        """Write a line; returns its id. Whoever is nobody's account goes by a name of their own."""
        by = caller if isinstance(caller, str) else caller.email
        said = {"by": by, **detail}
        actor = actor_of(caller)
        now = self._clock.now()
        return int(
            await self._db.fetchval(QUERIES["insert_line"], now, actor, action, subject, said)
        )

    @asynccontextmanager
    async def deed(
        self, caller: Caller | str, action: str, subject: str, **detail: object
    ) -> AsyncIterator[None]:
        """Around the deed itself. A refusal closes the line with its code; an outcome that
        stays `asked` means nobody knows.
        """
        line = await self.note(caller, action, subject, **detail, outcome="asked")
        try:
            yield
        except Refusal as refusal:
            await self._db.execute(QUERIES["set_outcome"], line, refusal.code)
            raise
        await self._db.execute(QUERIES["set_outcome"], line, "done")

    async def about(
        self, subjects: Sequence[str], *, below: int = INT64_MAX, count: int = LINES_MAX
    ) -> list[Line]:
        """The newest lines about these subjects."""
        rows = await self._db.fetch(QUERIES["lines_about"], list(subjects), below, count)
        return [Line(**row) for row in rows]

    async def of_staff(self, *, below: int = INT64_MAX, count: int = LINES_MAX) -> list[Line]:
        """Of all that people here did, whatever it was done to."""
        rows = await self._db.fetch(QUERIES["lines_of_staff"], below, count)
        return [Line(**row) for row in rows]

    async def everything(self, *, below: int = INT64_MAX, count: int = LINES_MAX) -> list[Line]:
        rows = await self._db.fetch(QUERIES["lines"], below, count)
        return [Line(**row) for row in rows]


def actor_of(caller: Caller | str) -> str:
    return caller if isinstance(caller, str) else f"account:{caller.need_account()}"


def room_subject(event: int) -> str:
    return f"room:{event}"
