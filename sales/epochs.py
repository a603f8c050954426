"""Which content the seats in Redis must be of.

A token joins two facts. The epoch of PostgreSQL: a reset raises it. The run of Redis: another one
means that Redis was restarted or replaced, and may have come back empty or without its last second.
Seat commands carry the token; keys filled under another one answer `stale` and are refilled.

The epoch may be known for a second. The run is known of each connection, and told by the one that
carries the command: whoever slept through a restart has no old run to believe in.
"""

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.sql import load_queries
from kernel.wire import RUN_CHARS

Q = load_queries(Path(__file__).parent / "sql")
# A reset made by another process is seen after this long.
FRESH_MS = 1_000


class Epochs:
    def __init__(self, redis: Redis, db: Db, clock: Clock) -> None:
        self._redis = redis
        self._db = db
        self._clock = clock
        self._epoch: int | None = None
        self._fresh_until_ms = 0
        self._reading: asyncio.Task[int] | None = None

    async def fence(self) -> str:
        """What the token begins with, before the run of whoever gets it (kernel.lua)."""
        return f"{await self.epoch()}-"

    async def epoch(self) -> int:
        """The epoch, at most FRESH_MS old. Many who ask at once share one look."""
        if self._epoch is not None and self._clock.ms() < self._fresh_until_ms:
            return self._epoch
        if self._reading is None:
            self._reading = asyncio.create_task(self._renew())
            self._reading.add_done_callback(self._done)
        return await asyncio.shield(self._reading)

    async def read(self, conn: Conn) -> str:
        """The token as it stands now; the epoch as this transaction sees it."""
        return f"{await conn.fetchval(Q['read_epoch'])}-{await self._run()}"

    async def token(self) -> str:
        """The token for whoever only compares: its epoch may be FRESH_MS old."""
        return f"{await self.fence()}{await self._run()}"

    def forget(self) -> None:
        """The next command looks again. For whoever has just raised the epoch."""
        self._epoch = None

    async def _run(self) -> str:
        run: str = (await self._redis.info("server"))["run_id"]
        return run[:RUN_CHARS]

    async def _renew(self) -> int:
        epoch: int = await self._db.fetchval(Q["read_epoch"])
        self._epoch, self._fresh_until_ms = epoch, self._clock.ms() + FRESH_MS
        return epoch

    def _done(self, task: asyncio.Task[int]) -> None:
        self._reading = None
        if not task.cancelled():
            task.exception()  # told to whoever waited; not a forgotten failure
