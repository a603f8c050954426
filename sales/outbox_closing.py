"""How notices end: what has been decided about them is collected and written in one go."""

from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path

import structlog

from kernel.clock import Clock
from kernel.db import GONE, Db
from kernel.sql import load_queries
from sales.outbox import Notice

Q = load_queries(Path(__file__).parent / "sql")
ERROR_CHARS_MAX = 500
log = structlog.get_logger()


def text_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_CHARS_MAX]


class Closing:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._done: list[int] = []
        self._later: list[tuple[int, datetime, int, str | None]] = []

    def done(self, notice: Notice) -> None:
        self._done.append(notice.id)

    def later(
        self, notice: Notice, due_at: datetime, failures: int, error: Exception | None
    ) -> None:
        self._later.append((notice.id, due_at, failures, text_of(error) if error else None))

    async def park(self, notice: Notice, error: Exception) -> None:
        """At once: it is rare, and staff are waiting to hear of it."""
        log.error("notice set aside", subject_id=notice.subject_id, error=text_of(error))
        await self._try(
            self._db.execute(Q["park_notice"], notice.id, self._clock.now(), text_of(error))
        )

    async def write(self) -> None:
        """Write down all that was decided since the last time."""
        done, self._done = self._done, []
        later, self._later = self._later, []
        if done:
            await self._try(self._db.execute(Q["finish_notices"], done))
        if later:
            await self._try(
                self._db.execute(Q["postpone_notices"], *map(list, zip(*later, strict=True)))
            )

    @staticmethod
    async def _try(change: Awaitable[object]) -> None:
        """A note that cannot be written now costs nothing: the notice comes back by itself."""
        try:
            await change
        except GONE as error:
            log.warning("notice left to come back", error=repr(error))
