"""An event is cancelled: nobody buys any more, and everybody's money goes back, without a fee.

The fact is one transaction, and whoever states it needs no gateway: the orders follow by a notice
(sales.cancellations_rounds). An order that can't be given back is listed for staff and does not
stop the others.
"""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from sales import audit
from sales.catalogue import Catalogue
from sales.outbox import Draft, stage

Q = load_queries(Path(__file__).parent / "sql")
CANCELLED = "event.cancelled"
REASON = "event-cancelled"
FAILURES_MAX = 500
NEWEST_MAX = 20


class EventOver(Refusal):
    """Это мероприятие уже отменено или прошло."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "event-over"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of a cancelled event. `unpaid`: not ended yet; `paid`: not given back yet, `failed`
    of them could not be; `on_the_way` at the gateway, `queued` for payout, `done`. Sums in tiyn.
    """

    unpaid: int
    paid: int
    failed: int
    on_the_way: int
    queued: int
    done: int
    amount: int
    amount_done: int

    @property
    def total(self) -> int:
        """Orders whose money goes back."""
        return self.paid + self.on_the_way + self.queued + self.done


class Failure(msgspec.Struct, frozen=True):
    """`total` in tiyn."""

    order_id: int
    account_id: int
    total: int
    error: str
    at: datetime


class CancelledEvent(msgspec.Struct, frozen=True):
    """An event that was cancelled."""

    id: int
    title: str
    hall: str
    starts_at: datetime
    cancelled_at: datetime


class Cancellations:
    def __init__(self, db: Db, clock: Clock, catalogue: Catalogue) -> None:
        self._db, self._clock, self._catalogue = db, clock, catalogue

    async def cancel(self, event_id: int, actor: str, **said: object) -> bool:
        """False: it was cancelled before, and nothing is changed. `said` goes to the audit. Raises
        EventUnknown, EventOver.
        """
        now = self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            done = await conn.fetchval(Q["cancel_event"], event_id, now) is not None
            if done:
                await audit.write(conn, now, actor, "event.cancel", f"event:{event_id}", **said)
                await stage(conn, now, [Draft(CANCELLED, event_id)])
        self._catalogue.forget(event_id)
        if not done:
            await self._need_cancelled(event_id)
        return done

    async def try_again(self, event_id: int, actor: str, **said: object) -> None:
        """The orders of a cancelled event that failed are tried once more. Raises EventUnknown,
        EventOver.
        """
        self._catalogue.forget(event_id)
        await self._need_cancelled(event_id)
        now = self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            await conn.execute(Q["forget_failures"], event_id)
            await audit.write(conn, now, actor, "event.refund-again", f"event:{event_id}", **said)
            await stage(conn, now, [Draft(CANCELLED, event_id)])

    async def newest(self, limit: int = NEWEST_MAX) -> list[CancelledEvent]:
        """The events that were cancelled last."""
        rows = await self._db.fetch(Q["list_cancelled"], min(limit, NEWEST_MAX))
        return [CancelledEvent(**row) for row in rows]

    async def _need_cancelled(self, event_id: int) -> None:
        event = await self._catalogue.event(event_id)
        if event.state != "cancelled":
            raise EventOver(state=event.state)

    async def progress(self, event_id: int) -> Progress:
        row = await self._db.fetchrow(Q["measure_cancellation"], event_id, REASON)
        assert row is not None
        return Progress(**row)

    async def failures(
        self, event_id: int, after: int = 0, limit: int = FAILURES_MAX
    ) -> list[Failure]:
        """Orders after order `after` whose money could not be given back."""
        rows = await self._db.fetch(Q["list_failures"], event_id, after, min(limit, FAILURES_MAX))
        return [Failure(**row) for row in rows]
