"""An event is moved: its tickets stay good, and whoever can't come then may return them.

The new time is one transaction; the return policy of the tickets follows by a notice, batch by
batch: as the event's policy says for the new beginning, at least REOPEN_FOR long, and without a
fee, for it is not the buyer who changed his mind.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from sales import audit
from sales.cancellations import EventOver
from sales.catalogue import Catalogue
from sales.event_rows import VENUE_ZONE
from sales.outbox import Again, Draft, Notice, stage

Q = load_queries(Path(__file__).parent / "sql")
MOVED = "event.moved"
# Three days to hear of it and to decide.
REOPEN_FOR = timedelta(days=3)
BATCH = 5_000


class EventInPast(Refusal):
    """Новое время мероприятия уже прошло."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "event-in-past"


class Reschedules:
    def __init__(self, db: Db, clock: Clock, catalogue: Catalogue) -> None:
        self._db, self._clock, self._catalogue = db, clock, catalogue

    async def move(self, event_id: int, starts_at: datetime, actor: str, **said: object) -> None:
        """`starts_at` is aware; `said` goes to the audit. Said again: no change. Raises
        EventUnknown, EventOver, EventInPast.
        """
        now = self._clock.now()
        if starts_at <= now:
            raise EventInPast
        self._catalogue.forget(event_id)
        event = await self._catalogue.event(event_id)
        local_day = starts_at.astimezone(VENUE_ZONE).date()
        async with self._db.acquire() as conn, conn.transaction():
            before = await conn.fetchval(Q["move_event"], event_id, starts_at, local_day)
            if before is None:
                if event.starts_at == starts_at and event.state in ("on_sale", "closed"):
                    return
                raise EventOver(state=event.state)
            await audit.write(
                conn,
                now,
                actor,
                "event.move",
                f"event:{event_id}",
                before=before.isoformat(),
                after=starts_at.isoformat(),
                **said,
            )
            await stage(conn, now, [Draft(MOVED, event_id)])
        self._catalogue.forget(event_id)

    async def carry_on(self, notice: Notice) -> Again | None:
        """For the outbox: a batch of tickets."""
        moved_at = notice.created_at
        changed = await self._db.fetchval(
            Q["reopen_returns"], notice.subject_id, moved_at, moved_at + REOPEN_FOR, BATCH
        )
        return Again(0) if changed == BATCH else None
