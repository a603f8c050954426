"""The relay: hears that a notice was committed and rings for a worker.

1. Listen to PostgreSQL; without a word look every POLL_S all the same (later notices become due,
   and a bell may have been lost).
2. If a notice is due and few bells are waiting, ring one.
3. Whatever is away is waited for; nothing is lost meanwhile, because the row is the job.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog
from redis.exceptions import RedisError

from kernel.db import GONE
from sales.outbox import CHANNEL
from sales.outbox_backlog import Backlog
from sales.outbox_draining import Outbox
from workers.doorbell import Doorbell

POLL_S = 0.5
# Looks are at least this far apart: under load a bell is no news, and a worker that heard one looks
# around for longer than this (workers.worker, LINGER_S).
PACE_S = 0.1
# How long the queue is, and whether Redis is there although nothing rings, is looked up this often.
MEASURE_S = 2.0
PAUSE_S = 0.5
# A notice that has been due for so long was forgotten.
FORGOTTEN_S = 5.0
CONNECT_TIMEOUT_S = 3
# Longer than the blocking client's own patience, so that no thread is left behind.
BELL_TIMEOUT_S = 8.0
AWAY = (*GONE, asyncpg.PostgresError, RedisError, TimeoutError)
log = structlog.get_logger()


def _ignore(_: str) -> None:
    """Nobody takes this process's pulse."""


class Relay:
    def __init__(
        self,
        database_url: str,
        outbox: Outbox,
        doorbell: Doorbell,
        beat: Callable[[str], None] = _ignore,
        backlog: Backlog | None = None,
    ) -> None:
        self._url, self._outbox, self._doorbell, self._beat = database_url, outbox, doorbell, beat
        self._backlog = backlog
        self._measured_at = 0.0
        self._heard = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._heard.set())
        while not stop.is_set():
            try:
                await self._listen(stop)
            except AWAY as error:
                log.warning("relay waits", error=repr(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAUSE_S)
        stopping.cancel()

    async def relay_once(self) -> bool:
        """One look: True if a bell was rung."""
        if not await self._outbox.is_due():
            return False
        return await self._ask_redis(self._doorbell.ring)

    async def _listen(self, stop: asyncio.Event) -> None:
        conn = await asyncpg.connect(self._url, timeout=CONNECT_TIMEOUT_S)
        try:
            await conn.add_listener(CHANNEL, lambda *_: self._heard.set())
            conn.add_termination_listener(lambda _: self._heard.set())
            while not stop.is_set() and not conn.is_closed():
                self._heard.clear()
                looked_at = time.monotonic()
                await self.relay_once()
                await self._measure()
                self._beat("relay")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), POLL_S)
                await asyncio.sleep(max(0.0, looked_at + PACE_S - time.monotonic()))
        finally:
            with suppress(*AWAY):
                await conn.close(timeout=CONNECT_TIMEOUT_S)

    async def _measure(self) -> None:
        """So that the pulse is honest: a relay that could not ring is not ready."""
        if time.monotonic() - self._measured_at < MEASURE_S:
            return
        await self._ask_redis(self._doorbell.answers)
        if self._backlog is not None:
            await self._backlog.measure()
        self._measured_at = time.monotonic()

    @staticmethod
    async def _ask_redis(what: Callable[[], bool]) -> bool:
        return await asyncio.wait_for(asyncio.to_thread(what), BELL_TIMEOUT_S)


class Sweeper:
    """Rings again for notices that nobody came for: the relay may be dead, the bells lost."""

    def __init__(self, outbox: Outbox, doorbell: Doorbell) -> None:
        self._outbox, self._doorbell = outbox, doorbell

    async def sweep(self) -> int:
        """1 if a bell was rung. For the ticker."""
        if not await self._outbox.is_due(late_s=FORGOTTEN_S):
            return 0
        return int(await asyncio.wait_for(asyncio.to_thread(self._doorbell.ring), BELL_TIMEOUT_S))
