"""The worker: an RQ worker in this process, whose jobs drain the outbox on our event loop.

RQ's loop blocks, so it lives in a thread; the event loop with its pools lives as long as the
process. A stop finishes the notices in hand and takes no more. The bell is only a bell: while RQ
cannot hear it (its Redis is away), the worker goes to look by itself.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import asyncpg
import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker

from kernel.db import GONE
from sales.outbox import LANES
from sales.outbox_draining import Outbox
from workers.doorbell import DRAIN_TIMEOUT_S, QUEUE
from workers.jobs import BENCH

# RQ waits for a bell this long less 15 s: one second, so that a stop is heard and the pulse beats.
WORKER_TTL_S = 16
# A Redis that leaves a wait unanswered for so much longer is away.
REDIS_SPARE_S = 3
# After Redis was away, or RQ gave up.
PAUSE_S = 1.0
# RQ went round no more since: its Redis is away, and the outbox is looked at without a bell.
DEAF_S = 4.0
LOOK_S = 1.0
# A drain hands back after so long, so that RQ can say that it lives; what is in hand goes on.
DRAIN_S = 30.0
# After the last notice it looks around for a moment more: a job of RQ costs as much as ten notices.
LINGER_S = 0.3
# What is in hand at a stop may take this long.
STOP_TIMEOUT_S = max(lane.timeout_s for lane in LANES.values()) + 5
AWAY = (*GONE, asyncpg.PostgresError)
log = structlog.get_logger()


def _ignore(_: str) -> None:
    """Nobody takes this process's pulse."""


class LoopBench:
    """The bench of workers.jobs: from RQ's thread onto the process's event loop."""

    def __init__(self, outbox: Outbox, stop: asyncio.Event, beat: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._outbox, self._stop, self._beat = outbox, stop, beat
        self.is_draining = False
        self._heard_at = time.monotonic()

    def drain(self) -> int:
        self.is_draining = True
        try:
            drained = asyncio.run_coroutine_threadsafe(self.drain_here(), self._loop)
            return drained.result(DRAIN_TIMEOUT_S)
        finally:
            self.is_draining = False

    async def drain_here(self) -> int:
        """How many notices were taken; what a store that is away left undone stays in line."""
        try:
            return await self._outbox.drain(stop=self._stop, for_s=DRAIN_S, linger_s=LINGER_S)
        except AWAY as error:
            log.warning("worker waits for PostgreSQL", error=repr(error))
            return 0

    def hear(self) -> None:
        """RQ goes round: a bell would be heard."""
        self._heard_at = time.monotonic()
        self._beat("doorbells")

    async def look(self) -> None:
        """Tell how we are; and where no bell can be heard, see whether somebody is at the door."""
        if self.is_draining:
            self.hear()
        with suppress(*AWAY):
            is_due = await self._outbox.is_due()
            self._beat("database")
            if is_due and time.monotonic() - self._heard_at > DEAF_S:
                await self.drain_here()


class DoorbellWorker(SimpleWorker):
    """RQ's in-process worker, for a thread: it takes no signals and no remote commands."""

    death_penalty_class = TimerDeathPenalty
    max_connection_wait_time = 2.0

    def __init__(
        self, redis: "Redis", stop: asyncio.Event, hear: Callable[[], None], **given: Any
    ) -> None:
        self._stop, self._hear = stop, hear
        super().__init__(
            [QUEUE],
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_S,
            log_job_description=False,
            **given,
        )

    @property
    def connection_timeout(self) -> int:
        """RQ's own patience with a Redis that stands still would be eleven seconds."""
        return int(self.dequeue_timeout) + REDIS_SPARE_S

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ says so before each wait for a bell: the moment to hear a stop."""
        if self._stop.is_set() and not self.executions:
            raise StopRequested
        super().heartbeat(timeout, pipeline)
        self._hear()

    def _install_signal_handlers(self) -> None:
        """A thread cannot: the process stops us through `stop`."""

    def subscribe(self) -> None:
        """Nobody commands a worker over Redis."""

    def unsubscribe(self) -> None:
        """See subscribe."""


async def run(
    outbox: Outbox,
    redis: "Redis",
    stop: asyncio.Event,
    beat: Callable[[str], None] = _ignore,
) -> None:
    """Until `stop` is set. `redis` is a blocking client, as RQ needs; it answers bytes."""
    bench = LoopBench(outbox, stop, beat)
    with ThreadPoolExecutor(1, thread_name_prefix="rq") as threads:
        serving = asyncio.get_running_loop().run_in_executor(threads, _serve, bench, redis, stop)
        while not stop.is_set() and not serving.done():
            await bench.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)
        await asyncio.wait_for(serving, STOP_TIMEOUT_S)
    with suppress(*AWAY):
        await asyncio.wait_for(outbox.finish(), STOP_TIMEOUT_S)


def _serve(bench: LoopBench, redis: "Redis", stop: asyncio.Event) -> None:
    """RQ gives up when Redis goes away in the wrong moment: then it is begun anew."""
    BENCH.set(bench)
    while not stop.is_set():
        try:
            DoorbellWorker(redis, stop, bench.hear).work(logging_level="WARNING")
        except (RedisError, OSError) as error:
            log.warning("worker waits for Redis", error=repr(error))
        if not stop.is_set():
            time.sleep(PAUSE_S)
