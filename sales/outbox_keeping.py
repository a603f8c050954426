"""What is in hand stays in hand: notices are taken for a short while, again and again, for as long
as their taker lives. So those of a killed one come back soon, however long a handler may take.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog

from kernel.clock import Clock
from kernel.db import GONE, Db
from kernel.sql import load_queries
from sales.outbox import TAKEN_S

Q = load_queries(Path(__file__).parent / "sql")
# Several times within TAKEN_S: a slow store, or a moment's load, lets nothing slip.
AGAIN_S = 5.0
AWAY = (*GONE, asyncpg.PostgresError)
log = structlog.get_logger()


class Keeping:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock
        # Notice → until when it is ours.
        self._until: dict[int, datetime] = {}
        self._going: asyncio.Task[None] | None = None

    def begin(self, notices: Sequence[int], until: datetime) -> None:
        """These were taken, until then."""
        self._until.update(dict.fromkeys(notices, until))
        if self._until and self._going is None:
            self._going = asyncio.create_task(self._keep_on())

    def end(self, notice: int) -> None:
        """Nobody works at it any more, whatever came of it."""
        self._until.pop(notice, None)
        if not self._until and self._going is not None:
            self._going.cancel()
            self._going = None

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            try:
                await self.keep()
            except AWAY as error:
                log.warning("notices in hand not kept", error=repr(error))

    async def keep(self) -> None:
        """Say of all that are in hand that they still are. What somebody else has by now is his."""
        ours, until = dict(self._until), self._clock.now() + timedelta(seconds=TAKEN_S)
        rows = await self._db.fetch(Q["keep_notices"], list(ours), list(ours.values()), until)
        for row in rows:
            if row["id"] in self._until:
                self._until[row["id"]] = until
