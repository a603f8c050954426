"""The outbox: facts committed for others, and the jobs that tell them.

A notice is staged in the transaction that made it true; its row is the job. A worker takes due
rows by moving them ahead (whoever dies gives them back by itself), runs their handlers
concurrently, and deletes what is done. Handlers are idempotent: a notice is told at least once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import GONE, Conn, Db
from kernel.errors import TryAgain
from kernel.sql import load_queries

Q = load_queries(Path(__file__).parent / "sql")
CHANNEL = "biletter_notice"
# A handler gets this long; its notice stays taken for longer, so it is never run twice at once.
HANDLER_TIMEOUT_S = 45
TAKEN_S = 60
# Handlers of one drain that run at the same time, each with at most one database connection.
CONCURRENCY = 24
# A drain hands back after so many notices, so that a stop is heard.
DRAIN_MAX = 2_000
# While slow handlers run, new notices are looked for this often.
LOOK_AGAIN_S = 0.05
# Unexpected failures before a notice is set aside: with the back-off below, about ten minutes.
FAILURES_MAX = 12
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0
ERROR_CHARS_MAX = 500

NOTICES = Counter("notices", "Notices handled, by kind and outcome", ["kind", "outcome"])
LATENESS = Histogram(
    "notice_seconds",
    "From a notice's staging to its end, first attempts only",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 900),
)
log = structlog.get_logger()


class Notice(msgspec.Struct, frozen=True):
    """`attempts` counts this one too."""

    id: int
    kind: str
    subject_id: int
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


class Draft(msgspec.Struct, frozen=True):
    """A notice to stage; `due_at` None: at once."""

    kind: str
    subject_id: int
    payload: dict[str, Any] = {}
    due_at: datetime | None = None


class Again(msgspec.Struct, frozen=True):
    """The handler did its part and wants to look again later: no failure."""

    delay_s: float


class PermanentError(Exception):
    """No later attempt can do better: the notice is set aside for staff."""


class TemporaryError(Exception):
    """Did not work this time, and its message says why: tried again, and set aside at last."""


Handler = Callable[[Notice], Awaitable[Again | None]]
# What outside trouble looks like: the notice waits for as long as it takes.
AWAY = (*GONE, RedisError, TryAgain)


async def stage(conn: Conn, now: datetime, drafts: Sequence[Draft]) -> None:
    """Stage notices in the caller's transaction; the bell rings when it commits."""
    if not drafts:
        return
    await conn.execute(
        Q["stage_notices"],
        [draft.kind for draft in drafts],
        [draft.subject_id for draft in drafts],
        [draft.payload for draft in drafts],
        [draft.due_at or now for draft in drafts],
        now,
    )


class Outbox:
    def __init__(
        self, db: Db, clock: Clock, handlers: Mapping[str, Handler], chance: Random
    ) -> None:
        self._db, self._clock, self._chance = db, clock, chance
        self._handlers = dict(handlers)

    async def is_due(self) -> bool:
        due: bool = await self._db.fetchval(Q["any_notice_due"], self._clock.now())
        return due

    async def drain(
        self,
        *,
        concurrency: int = CONCURRENCY,
        limit: int = DRAIN_MAX,
        stop: asyncio.Event | None = None,
    ) -> int:
        """Handle what is due until nothing is, or `limit` were taken, or `stop` is set; what is
        in hand is always finished. Returns how many were handled.
        """
        running: set[asyncio.Task[None]] = set()
        taken = 0
        try:
            while not (stop and stop.is_set()):
                room = min(concurrency - len(running), limit - taken)
                fresh = await self._take(room) if room > 0 else []
                taken += len(fresh)
                running |= {asyncio.create_task(self._handle(notice)) for notice in fresh}
                if not running:
                    break
                _, running = await asyncio.wait(
                    running, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            if running:
                await asyncio.wait(running)
        return taken

    async def unpark(self, notice_id: int) -> bool:
        """Staff put a notice back in line. False: it was not set aside."""
        return await self._db.fetchval(Q["unpark_notice"], notice_id, self._clock.now()) is not None

    async def _take(self, count: int) -> list[Notice]:
        now = self._clock.now()
        until = now + timedelta(seconds=TAKEN_S)
        rows = await self._db.fetch(Q["take_notices"], now, until, count)
        return [Notice(**row) for row in rows]

    async def _handle(self, notice: Notice) -> None:
        structlog.contextvars.bind_contextvars(notice=notice.id, kind=notice.kind)
        try:
            outcome = await self._run(notice)
        except AWAY as error:
            # Nothing of ours in it: it waits, however long that takes.
            outcome = "away"
            failures = min(notice.attempts, FAILURES_MAX - 1)
            await self._try(self._postpone(notice, failures, error))
        except PermanentError as error:
            outcome = "parked"
            await self._try(self._park(notice, error))
        except TemporaryError as error:
            outcome = "failed"
            log.warning("notice failed", subject_id=notice.subject_id, error=_text(error))
            await self._count(notice, error)
        except Exception as error:  # one poison row must not stop the others
            outcome = "failed"
            log.exception("notice failed", subject_id=notice.subject_id, attempts=notice.attempts)
            await self._count(notice, error)
        NOTICES.labels(notice.kind, outcome).inc()

    async def _count(self, notice: Notice, error: Exception) -> None:
        if notice.attempts >= FAILURES_MAX:
            await self._try(self._park(notice, error))
        else:
            await self._try(self._postpone(notice, notice.attempts, error))

    async def _run(self, notice: Notice) -> str:
        handler = self._handlers.get(notice.kind)
        if handler is None:
            raise PermanentError(f"nobody handles {notice.kind}")
        async with asyncio.timeout(HANDLER_TIMEOUT_S):
            answer = await handler(notice)
        if answer is None:
            await self._db.execute(Q["finish_notice"], notice.id)
            if notice.attempts == 1:
                seconds = (self._clock.now() - notice.created_at).total_seconds()
                LATENESS.labels(notice.kind).observe(max(0.0, seconds))
            return "done"
        due_at = self._clock.now() + timedelta(seconds=answer.delay_s)
        await self._db.execute(Q["postpone_notice"], notice.id, due_at, 0, None)
        return "again"

    async def _postpone(self, notice: Notice, failures: int, error: Exception) -> None:
        delay_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(notice.attempts - 1, 20))
        delay_s *= self._chance.uniform(0.5, 1.5)
        due_at = self._clock.now() + timedelta(seconds=delay_s)
        await self._db.execute(Q["postpone_notice"], notice.id, due_at, failures, _text(error))

    async def _park(self, notice: Notice, error: Exception) -> None:
        log.error("notice set aside", subject_id=notice.subject_id, error=_text(error))
        await self._db.execute(Q["park_notice"], notice.id, self._clock.now(), _text(error))

    @staticmethod
    async def _try(change: Awaitable[None]) -> None:
        """A note that cannot be written now costs nothing: the notice comes back by itself."""
        try:
            await change
        except GONE as error:
            log.warning("notice left to come back", error=repr(error))


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_CHARS_MAX]
