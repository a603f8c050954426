"""Draining the outbox: due notices are taken lane by lane and handled side by side.

One turn writes down what has ended meanwhile and takes as many notices as there is room for, each
in one statement; so the cost of a turn is shared by all that it moves. Whoever dies gives his
notices back by itself: they were only moved ahead, and are while he lives (sales.outbox_keeping).
"""

import asyncio
from collections import Counter as Tally
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import structlog
from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import GONE, Db
from kernel.errors import TryAgain
from kernel.sql import load_queries
from sales.outbox import (
    LANES,
    TAKEN_S,
    Again,
    Handler,
    Lane,
    Notice,
    PermanentError,
    TemporaryError,
)
from sales.outbox_closing import Closing, text_of
from sales.outbox_keeping import Keeping

Q = load_queries(Path(__file__).parent / "sql")
# While handlers run, new notices are looked for this often;
LOOK_AGAIN_S = 0.05
# and turns are at least this far apart, so that one statement closes and takes many.
TURN_S = 0.04
# Unexpected failures before a notice is set aside: with the back-off below, about six minutes.
FAILURES_MAX = 14
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 120.0
# A store that is away is tried again sooner: nothing is wrong with the notice.
AWAY_MAX_S = 5.0

NOTICES = Counter("notices", "Notices handled, by kind and outcome", ["kind", "outcome"])
LATENESS = Histogram(
    "notice_seconds",
    "From a notice's staging to its end, first attempts only",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 900),
)
# What outside trouble looks like: the notice waits for as long as it takes.
STORE_AWAY = (*GONE, RedisError)
log = structlog.get_logger()


class _OverdueError(Exception):
    """A handler used up its time: as unexpected as any other failure."""


class _Pace:
    """How many notices a lane takes. With its store away one at a time tries the ground."""

    def __init__(self, lane: Lane, chance: Random) -> None:
        self.lane, self._chance = lane, chance
        self._away = 0
        self._quiet_until_ms = 0.0

    def room(self, running: int, now_ms: int) -> int:
        most = 1 if self._away else self.lane.concurrency
        return 0 if now_ms < self._quiet_until_ms else max(0, most - running)

    def answered(self) -> None:
        self._away, self._quiet_until_ms = 0, 0.0

    def stayed_away(self, now_ms: int) -> None:
        self._away += 1
        longest_s = min(AWAY_MAX_S, 0.1 * 2 ** min(self._away, 10))
        self._quiet_until_ms = now_ms + 1000 * self._chance.uniform(0, longest_s)


class Outbox:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        handlers: Mapping[str, Handler],
        chance: Random,
        lanes: Mapping[str, Lane] = LANES,
    ) -> None:
        self._db, self._clock, self._chance = db, clock, chance
        self._handlers = dict(handlers)
        self._paces = {name: _Pace(lane, chance) for name, lane in lanes.items()}
        self._running: dict[asyncio.Task[None], str] = {}
        self._closing = Closing(db, clock)
        self._keeping = Keeping(db, clock)
        self._is_draining = False

    async def is_due(self, *, late_s: float = 0.0) -> bool:
        """Whether a notice is due, and has been for so long already."""
        before = self._clock.now() - timedelta(seconds=late_s)
        due: bool = await self._db.fetchval(Q["any_notice_due"], before, list(self._paces))
        return due

    async def drain(
        self,
        *,
        stop: asyncio.Event | None = None,
        for_s: float | None = None,
        linger_s: float = 0.0,
    ) -> int:
        """Handle what is due until nothing has been for `linger_s`, or `stop` is set. Returns how
        many were taken. What is in hand is finished first, except when `for_s` are over: then it
        goes on beside the next drain. Somebody draining already: 0 at once.
        """
        if self._is_draining:
            return 0
        self._is_draining = True
        loop = asyncio.get_running_loop()
        started, busy_at, count = loop.time(), loop.time(), 0
        try:
            while not (stop and stop.is_set()):
                was_busy = bool(self._running)
                fresh = await self._take()
                count += len(fresh)
                for notice in fresh:
                    self._begin(notice)
                # Who ended while we took has left room that the take did not see.
                if was_busy or self._running:
                    busy_at = loop.time()
                elif loop.time() - busy_at >= linger_s:
                    break
                else:
                    await asyncio.sleep(LOOK_AGAIN_S)
                await self._turn()
                if for_s is not None and loop.time() - started > for_s:
                    return count
            await self.finish()
        finally:
            self._is_draining = False
        return count

    async def finish(self) -> None:
        """Wait for what is in hand."""
        if self._running:
            await asyncio.wait(self._running)
        await self._closing.write()

    async def _turn(self) -> None:
        """Until there may be something to do; what has ended is written down."""
        loop = asyncio.get_running_loop()
        at = loop.time()
        if self._running:
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait(self._running, timeout=LOOK_AGAIN_S, return_when=first)
        if (left_s := at + TURN_S - loop.time()) > 0 and self._running:
            await asyncio.wait(self._running, timeout=left_s)
        await self._closing.write()

    async def _take(self) -> list[Notice]:
        now, now_ms = self._clock.now(), self._clock.ms()
        busy = Tally(self._running.values())
        rooms = {name: pace.room(busy[name], now_ms) for name, pace in self._paces.items()}
        names = [name for name, room in rooms.items() if room]
        if not names:
            return []
        until = now + timedelta(seconds=TAKEN_S)
        rows = await self._db.fetch(
            Q["take_notices"],
            now,
            names,
            [rooms[name] for name in names],
            until,
        )
        self._keeping.begin([row["id"] for row in rows], until)
        return [Notice(**row) for row in rows]

    def _begin(self, notice: Notice) -> None:
        task = asyncio.create_task(self._handle(notice))
        self._running[task] = notice.lane
        task.add_done_callback(self._running.pop)
        task.add_done_callback(lambda _: self._keeping.end(notice.id))

    async def _handle(self, notice: Notice) -> None:
        structlog.contextvars.bind_contextvars(notice=notice.id, kind=notice.kind)
        pace = self._paces[notice.lane]
        try:
            outcome = await self._run(notice, pace.lane.timeout_s)
            pace.answered()
        except (*STORE_AWAY, TryAgain) as error:
            # Nothing of the notice's own: it waits, however long that takes.
            outcome = "away"
            if not isinstance(error, TryAgain):
                pace.stayed_away(self._clock.ms())
            failures = min(notice.attempts, FAILURES_MAX - 1)
            self._closing.later(notice, self._backoff(notice, AWAY_MAX_S), failures, error)
        except PermanentError as error:
            outcome = "parked"
            await self._closing.park(notice, error)
        except TemporaryError as error:
            outcome = "failed"
            log.warning("notice failed", subject_id=notice.subject_id, error=text_of(error))
            await self._count(notice, error)
        except Exception as error:  # one poison row must not stop the others
            outcome = "failed"
            log.exception("notice failed", subject_id=notice.subject_id, attempts=notice.attempts)
            await self._count(notice, error)
        NOTICES.labels(notice.kind, outcome).inc()

    async def _run(self, notice: Notice, timeout_s: int) -> str:
        handler = self._handlers.get(notice.kind)
        if handler is None:
            raise PermanentError(f"nobody handles {notice.kind}")
        if notice.attempts > FAILURES_MAX:
            raise PermanentError(f"taken {notice.attempts - 1} times, and no taker came back")
        scope = asyncio.timeout(timeout_s)
        try:
            async with scope:
                answer = await handler(notice)
        except TimeoutError as error:
            if scope.expired():
                raise _OverdueError(f"not done within {timeout_s} s") from error
            raise
        if isinstance(answer, Again):
            due_at = self._clock.now() + timedelta(seconds=answer.delay_s)
            self._closing.later(notice, due_at, 0, None)
            return "again"
        self._closing.done(notice)
        if notice.attempts == 1:
            seconds = (self._clock.now() - notice.created_at).total_seconds()
            LATENESS.labels(notice.kind).observe(max(0.0, seconds))
        return "done"

    async def _count(self, notice: Notice, error: Exception) -> None:
        if notice.attempts >= FAILURES_MAX:
            await self._closing.park(notice, error)
        else:
            due_at = self._backoff(notice, BACKOFF_MAX_S)
            self._closing.later(notice, due_at, notice.attempts, error)

    def _backoff(self, notice: Notice, most_s: float) -> datetime:
        """Full jitter: many that failed together do not come back together."""
        longest_s = min(most_s, BACKOFF_FIRST_S * 2 ** min(notice.attempts - 1, 20))
        return self._clock.now() + timedelta(seconds=self._chance.uniform(0, longest_s))
