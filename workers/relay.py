"""The relay: hears that a notice was committed and rings for a worker.

1. Listen to PostgreSQL; without a word look every POLL_S all the same (later notices become due,
   and a bell may have been lost).
2. If a notice is due and few bells are waiting, ring one.
3. Whatever is away is waited for; nothing is lost meanwhile, because the row is the job.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog
from redis.exceptions import RedisError

from kernel.db import GONE
from sales.outbox import CHANNEL, Outbox
from workers.doorbell import Doorbell

POLL_S = 0.5
PAUSE_S = 0.5
CONNECT_TIMEOUT_S = 3
BELL_TIMEOUT_S = 5.0
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
    ) -> None:
        self._url, self._outbox, self._doorbell, self._beat = database_url, outbox, doorbell, beat
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
        ringing = asyncio.to_thread(self._doorbell.ring)
        return await asyncio.wait_for(ringing, BELL_TIMEOUT_S)

    async def _listen(self, stop: asyncio.Event) -> None:
        conn = await asyncpg.connect(self._url, timeout=CONNECT_TIMEOUT_S)
        try:
            await conn.add_listener(CHANNEL, lambda *_: self._heard.set())
            conn.add_termination_listener(lambda _: self._heard.set())
            while not stop.is_set() and not conn.is_closed():
                self._heard.clear()
                await self.relay_once()
                self._beat("relay")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), POLL_S)
        finally:
            with suppress(*AWAY):
                await conn.close(timeout=CONNECT_TIMEOUT_S)
