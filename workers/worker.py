"""The worker: an RQ worker in this process, whose jobs drain the outbox on our event loop.

RQ's loop blocks, so it lives in a thread; the event loop with its pools lives as long as the
process. A stop finishes the notices in hand and takes no more.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker

from sales.outbox import HANDLER_TIMEOUT_S, Outbox
from workers.doorbell import DRAIN_TIMEOUT_S, QUEUE
from workers.jobs import BENCH

# RQ waits for a bell this long less 15 s: one second, so that a stop is heard and the pulse beats.
WORKER_TTL_S = 16
# After Redis was away, or RQ gave up.
PAUSE_S = 1.0
# What is in hand at a stop may take this long.
STOP_TIMEOUT_S = HANDLER_TIMEOUT_S + 5
log = structlog.get_logger()


def _ignore(_: str) -> None:
    """Nobody takes this process's pulse."""


class LoopBench:
    """The bench of workers.jobs: from RQ's thread onto the process's event loop."""

    def __init__(self, outbox: Outbox, stop: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._outbox, self._stop = outbox, stop
        self.is_draining = False

    def drain(self) -> int:
        self.is_draining = True
        try:
            drained = asyncio.run_coroutine_threadsafe(
                self._outbox.drain(stop=self._stop), self._loop
            )
            return drained.result(DRAIN_TIMEOUT_S)
        finally:
            self.is_draining = False


class DoorbellWorker(SimpleWorker):
    """RQ's in-process worker, for a thread: it takes no signals and no remote commands."""

    death_penalty_class = TimerDeathPenalty
    max_connection_wait_time = 2.0

    def __init__(
        self, redis: "Redis", stop: asyncio.Event, beat: Callable[[str], None], **given: Any
    ) -> None:
        self._stop, self._beat = stop, beat
        super().__init__(
            [QUEUE],
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_S,
            log_job_description=False,
            **given,
        )

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ says so before each wait for a bell: the moment to hear a stop."""
        self._beat("doorbells")
        if self._stop.is_set() and not self.executions:
            raise StopRequested
        super().heartbeat(timeout, pipeline)

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
    bench = LoopBench(outbox, stop)
    with ThreadPoolExecutor(1, thread_name_prefix="rq") as threads:
        serving = asyncio.get_running_loop().run_in_executor(
            threads, _serve, bench, redis, stop, beat
        )
        while not stop.is_set() and not serving.done():
            if bench.is_draining:
                beat("doorbells")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
        await asyncio.wait_for(serving, STOP_TIMEOUT_S)


def _serve(
    bench: LoopBench, redis: "Redis", stop: asyncio.Event, beat: Callable[[str], None]
) -> None:
    """RQ gives up when Redis goes away in the wrong moment: then it is begun anew."""
    BENCH.set(bench)
    while not stop.is_set():
        try:
            DoorbellWorker(redis, stop, beat).work(logging_level="WARNING")
        except (RedisError, OSError) as error:
            log.warning("worker waits for Redis", error=repr(error))
        if not stop.is_set():
            time.sleep(PAUSE_S)
