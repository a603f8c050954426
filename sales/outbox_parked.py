"""Notices that were set aside, and what staff do about them: try again, or close with a note.

Either is written in the audit in the same transaction; what was closed stands there whole.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import BadInput, NotFound
from kernel.sql import load_queries
from kernel.values import INT64_MAX
from sales import audit

Q = load_queries(Path(__file__).parent / "sql")
PAGE = 50
NOTE_CHARS_MAX = 500


class NoticeUnknown(NotFound):
    """Такого отложенного уведомления нет: его уже вернули в работу или закрыли."""

    code: ClassVar[str] = "notice-unknown"


class NoteNeeded(BadInput):
    """Напишите, почему закрываете: от 3 до 500 знаков."""

    code: ClassVar[str] = "note-needed"


class Parked(msgspec.Struct, frozen=True):
    """`last_error` says why it was set aside."""

    id: int
    lane: str
    kind: str
    subject_id: int
    payload: dict[str, Any]
    attempts: int
    created_at: datetime
    parked_at: datetime
    last_error: str | None


class ParkedNotices:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def page(
        self, *, below: int = INT64_MAX, count: int = PAGE, kind: str | None = None
    ) -> list[Parked]:
        """Newest first; `below`: the page after this id."""
        rows = await self._db.fetch(Q["list_parked"], below, min(count, PAGE), kind)
        return [Parked(**row) for row in rows]

    async def get(self, notice_id: int) -> Parked:
        """Raises NoticeUnknown."""
        row = await self._db.fetchrow(Q["read_parked"], min(notice_id, INT64_MAX))
        if row is None:
            raise NoticeUnknown
        return Parked(**row)

    async def retry(self, notice_id: int, actor: str, **who: object) -> None:
        """Put it back in line, as if it had never failed. Raises NoticeUnknown."""
        await self._end("unpark_notice", [notice_id, self._clock.now()], "notice.retry", actor, who)

    async def close(self, notice_id: int, note: str, actor: str, **who: object) -> None:
        """Nobody will do it any more. Raises NoticeUnknown, NoteNeeded."""
        who["note"] = checked(note)
        await self._end("close_parked", [notice_id], "notice.close", actor, who)

    async def _end(
        self, verb: str, given: list[Any], action: str, actor: str, detail: dict[str, object]
    ) -> None:
        notice_id, *others = given
        async with self._db.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(Q[verb], min(notice_id, INT64_MAX), *others)
            if row is None:
                raise NoticeUnknown
            told = {name: _plain(value) for name, value in row.items() if name != "pg_notify"}
            subject = f"notice:{notice_id}"
            await audit.write(conn, self._clock.now(), actor, action, subject, **told, **detail)


def checked(note: str) -> str:
    """A note that says something. Raises NoteNeeded."""
    clean = " ".join(note.replace("\0", " ").split())
    if not 3 <= len(clean) <= NOTE_CHARS_MAX:  # noqa: PLR2004  # "ok" explains nothing
        raise NoteNeeded
    return clean


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
