"""Who reconciles what, and when: one row a reconciler, leased by whoever runs it.

A run goes page by page; each page's end is written down, so that another process can go on
where one died. Two tickers never run the same one at once.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.reconcile.found import Page
from sales.reconcile.items import ReviewItems

Q = load_queries(Path(__file__).parent / "sql")
# A page takes seconds; whoever is silent for longer has died.
LEASE = timedelta(seconds=90)
# One step of the ticker begins no new page after this.
STEP_S = 15.0

LOOKED_AT = Counter("reconciled", "Things that reconcilers compared", ["what"])
FOUND = Counter("reconcile_found", "Differences, by what became of them", ["what", "outcome"])
FINISHED = Gauge("reconcile_finished_seconds", "When it last ran through (epoch s)", ["what"])
log = structlog.get_logger()


class Check(Protocol):
    """A reconciler. `kinds`: its items close by themselves when a whole run does not find them."""

    @property
    def kinds(self) -> tuple[str, ...]: ...

    async def page(self, cursor: dict[str, Any]) -> Page:
        """Go on from the cursor; an empty one begins anew."""
        ...


class Duty(msgspec.Struct, frozen=True):
    """`next_after`: when the run after one that ended then is due."""

    check: Check
    next_after: Callable[[datetime], datetime]


class Totals(msgspec.Struct):
    looked_at: int = 0
    repaired: int = 0
    found: int = 0
    fresh: int = 0
    vanished: int = 0


class Rota:
    def __init__(
        self, db: Db, clock: Clock, items: ReviewItems, duties: Mapping[str, Duty], name: str
    ) -> None:
        """`name` tells this process from others that would run the same."""
        self._db, self._clock, self.items = db, clock, items
        self.duties, self._name = duties, name

    async def step(self, what: str) -> int:
        """For the ticker: go on with a reconciler if it is due and nobody else has it; how many
        things were looked at.
        """
        duty, now = self.duties[what], self._clock.now()
        # The nightly ones wait for their night, the others begin now.
        await self._db.execute(Q["enrol_run"], what, _first(duty, now))
        row = await self._db.fetchrow(Q["lease_run"], what, now, self._name, now + LEASE)
        if row is None:
            return 0
        cursor, started_at, count = row["cursor"] or {}, row["started_at"], 0
        began = time.monotonic()
        while time.monotonic() - began < STEP_S:
            page = await duty.check.page(cursor)
            count += page.looked_at
            await self._tell(what, page)
            if page.cursor is None:
                await self._finish(what, started_at, page)
                return count
            cursor = page.cursor
            if not await self._save(what, page):
                return count
        return count

    async def run_now(self, what: str, cursor: dict[str, Any] | None = None) -> Totals:
        """A whole run at once, whether it is due or not; for the command line."""
        check, totals, started_at = self.duties[what].check, Totals(), self._clock.now()
        following: dict[str, Any] | None = cursor or {}
        while following is not None:
            page = await check.page(following)
            totals.looked_at += page.looked_at
            totals.repaired += len(page.repaired)
            totals.found += len(page.open)
            totals.fresh += await self._tell(what, page)
            following = page.cursor
        totals.vanished = await self.items.close_vanished(check.kinds, started_at)
        return totals

    async def _tell(self, what: str, page: Page) -> int:
        LOOKED_AT.labels(what).inc(page.looked_at)
        FOUND.labels(what, "repaired").inc(len(page.repaired))
        FOUND.labels(what, "open").inc(len(page.open))
        await self.items.tell_repaired(page.repaired)
        for one in page.right:
            await self.items.close_vanished([one.kind], self._clock.now(), one.subject)
        fresh = await self.items.report(page.open)
        for one in [*page.open, *page.repaired]:
            log.warning(
                "difference", what=what, kind=one.kind, subject=one.subject, found=one.found
            )
        return fresh

    async def _save(self, what: str, page: Page) -> bool:
        """False: somebody else has taken over."""
        until = self._clock.now() + LEASE
        saved = await self._db.fetchval(
            Q["save_run"], what, self._name, page.cursor, until, page.looked_at, page.size
        )
        return saved is not None

    async def _finish(self, what: str, started_at: datetime, last: Page) -> None:
        duty, now = self.duties[what], self._clock.now()
        await self.items.close_vanished(duty.check.kinds, started_at)
        await self.items.measure()
        following = duty.next_after(now)
        await self._db.execute(
            Q["finish_run"], what, self._name, now, following, last.looked_at, last.size
        )
        FINISHED.labels(what).set(now.timestamp())


def _first(duty: Duty, now: datetime) -> datetime:
    following = duty.next_after(now)
    return now if following - now < timedelta(hours=1) else following
