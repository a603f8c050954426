"""Review items: differences for staff to look at, one open item for each kind and subject.

An item closes by itself when its difference has vanished. What a person has closed stays closed
as long as exactly the same is found.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from prometheus_client import Gauge

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import NotFound
from kernel.sql import load_queries
from kernel.values import INT64_MAX
from sales import audit
from sales.outbox_parked import checked
from sales.reconcile.found import Difference
from sales.reconcile.kinds import KINDS

Q = load_queries(Path(__file__).parent / "sql")
PAGE = 50
RECONCILER = "reconciler"
# Closed items older than this are dropped: the audit keeps who closed what and why.
KEPT = timedelta(days=180)
FORGET_MAX = 1_000
OPEN = Gauge("review_items_open", "Differences that wait for staff", ["kind"])


class ItemUnknown(NotFound):
    """Такой записи нет, или её уже закрыли."""

    code: ClassVar[str] = "review-unknown"


class Item(msgspec.Struct, frozen=True):
    """`closed_by` 'reconciler' with no note: repaired, or gone by itself."""

    id: int
    kind: str
    subject: str
    found: dict[str, Any]
    state: str
    first_seen: datetime
    last_seen: datetime
    seen: int
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


class Run(msgspec.Struct, frozen=True):
    """How far a reconciler has got. Counts are of the run under way, or of the last one."""

    what: str
    due_at: datetime
    under_way: bool
    started_at: datetime | None
    finished_at: datetime | None
    looked_at: int
    found: int


class ReviewItems:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def report(self, differences: Sequence[Difference]) -> int:
        """How many of them are new."""
        return len(await self._write("report_differences", differences))

    async def tell_repaired(self, differences: Sequence[Difference]) -> None:
        await self._write("tell_repaired", differences)

    async def close_vanished(
        self, kinds: Sequence[str], since: datetime, subject: str | None = None
    ) -> int:
        """Close open items of these kinds that were looked for since then and not found."""
        now = self._clock.now()
        return len(
            await self._db.fetch(Q["close_vanished"], sorted(set(kinds)), subject, since, now)
        )

    async def page(
        self,
        *,
        below: int = INT64_MAX,
        state: str | None = "open",
        kind: str | None = None,
        count: int = PAGE,
    ) -> list[Item]:
        """Newest first; `below`: the page after this id."""
        rows = await self._db.fetch(Q["list_items"], below, min(count, PAGE), state, kind)
        return [Item(**row) for row in rows]

    async def get(self, item_id: int) -> Item:
        """Raises ItemUnknown."""
        row = await self._db.fetchrow(Q["read_item"], min(item_id, INT64_MAX))
        if row is None:
            raise ItemUnknown
        return Item(**row)

    async def close(self, item_id: int, note: str, actor: str, **who: object) -> None:
        """A person has seen to it. Raises ItemUnknown, NoteNeeded."""
        note, now = checked(note), self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(Q["close_item"], min(item_id, INT64_MAX), now, actor, note)
            if row is None:
                raise ItemUnknown
            subject = f"review:{item_id}"
            await audit.write(conn, now, actor, "review.close", subject, **row, note=note, **who)

    async def runs(self) -> list[Run]:
        """The reconcilers, as far as a ticker has begun any."""
        return [Run(**row) for row in await self._db.fetch(Q["list_runs"])]

    async def measure(self) -> dict[str, int]:
        """Open items by kind, also for /metrics; kinds without any at zero."""
        rows = await self._db.fetch(Q["count_open"])
        counts = dict.fromkeys(KINDS, 0) | {row["kind"]: row["open"] for row in rows}
        for kind, count in counts.items():
            OPEN.labels(kind).set(count)
        return counts

    async def forget_old(self) -> int:
        """Drop items closed long ago, a batch of them; how many."""
        before = self._clock.now() - KEPT
        done = await self._db.execute(Q["forget_items"], before, FORGET_MAX)
        return int(done.rpartition(" ")[2])

    async def _write(self, query: str, differences: Sequence[Difference]) -> list[Any]:
        if not differences:
            return []
        rows: list[Any] = await self._db.fetch(
            Q[query],
            [one.kind for one in differences],
            [one.subject for one in differences],
            [one.found for one in differences],
            self._clock.now(),
        )
        return rows
