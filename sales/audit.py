"""Who changed what: a line written in the transaction of the change."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kernel.db import Conn, Db
from kernel.sql import load_queries

Q = load_queries(Path(__file__).parent / "sql")
LINES_MAX = 200


class Line(msgspec.Struct, frozen=True):
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


async def write(
    conn: Conn, at: datetime, actor: str, action: str, subject: str, **detail: object
) -> None:
    """`actor` as 'account:12', 'gateway', 'worker'; `subject` as 'order:5'."""
    await conn.execute(Q["write_audit"], at, actor, action, subject, detail)


async def read(db: Db, subject: str, limit: int = LINES_MAX) -> list[Line]:
    """Newest first."""
    rows = await db.fetch(Q["read_audit"], subject, min(limit, LINES_MAX))
    return [Line(**row) for row in rows]
