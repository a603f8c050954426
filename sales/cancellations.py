"""An event is cancelled: nobody buys any more, and everybody's money goes back, without a fee.

The fact is one transaction; the orders follow by a notice that goes over them page by page and
may die anywhere: what is done is out of its next look. An order that can't be given back is
listed for staff and does not stop the others.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import ClassVar, Protocol

import asyncpg
import msgspec
import structlog

from kernel.clock import Clock
from kernel.db import GONE, Db
from kernel.errors import Refusal, TryAgain
from kernel.sql import load_queries
from sales import audit
from sales.catalogue import Catalogue
from sales.order import OrderUnknown
from sales.outbox import Again, Draft, Notice, stage

Q = load_queries(Path(__file__).parent / "sql")
CANCELLED = "event.cancelled"
REASON = "event-cancelled"
# Orders a look of the database, and those of them in work at the same time.
PAGE_SIZE, AT_ONCE = 100, 8
# One turn of the notice, well below its lane's ten seconds; the next one follows at once.
TURN_S = 4.0
# A process that has not heard yet may still place an order, whose payment may take a quarter of an
# hour: orders are looked for during this time.
LOOK_FOR_S = 30 * 60
LOOK_EVERY_S = 15.0
ERROR_CHARS_MAX = 300
FAILURES_MAX = 500
log = structlog.get_logger()


class EventOver(Refusal):
    """Это мероприятие уже отменено или прошло."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "event-over"


class OrderEnder(Protocol):
    """As much of sales.orders.Orders as a cancelled event asks for."""

    async def call_off(self, order_id: int, reason: str) -> bool: ...


class MoneyGiver(Protocol):
    """As much of sales.refunds.Refunds as a cancelled event asks for."""

    async def give_back(self, order_id: int, reason: str, actor: str) -> object: ...


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


class Cancellations:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        *,
        catalogue: Catalogue,
        orders: OrderEnder,
        refunds: MoneyGiver,
    ) -> None:
        self._db, self._clock, self._catalogue = db, clock, catalogue
        self._orders, self._refunds = orders, refunds

    async def cancel(self, event_id: int, actor: str) -> None:
        """Said again of a cancelled event, it tries the failed orders once more. Raises
        EventUnknown, EventOver.
        """
        self._catalogue.forget(event_id)
        event = await self._catalogue.event(event_id)
        now = self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            cancelled = await conn.fetchval(Q["cancel_event"], event_id, now)
            if cancelled is None and event.state != "cancelled":
                raise EventOver(state=event.state)
            await conn.execute(Q["forget_failures"], event_id)
            await audit.write(conn, now, actor, "event.cancel", f"event:{event_id}")
            await stage(conn, now, [Draft(CANCELLED, event_id)])
        self._catalogue.forget(event_id)

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

    async def carry_on(self, notice: Notice) -> Again | None:
        """For the outbox: one turn over the event's orders."""
        event_id, until = notice.subject_id, monotonic() + TURN_S
        more = await self._go_over("list_unpaid_orders", event_id, self._end, until)
        more = await self._go_over("list_paid_orders", event_id, self._give_back, until) or more
        if more:
            return Again(0)
        age_s = (self._clock.now() - notice.created_at).total_seconds()
        return Again(LOOK_EVERY_S) if age_s < LOOK_FOR_S else None

    async def _go_over(self, query: str, event_id: int, act: "Act", until: float) -> bool:
        """Page by page until the turn is over; True: there may be more."""
        after = 0
        while monotonic() < until:
            rows = await self._db.fetch(Q[query], event_id, after, PAGE_SIZE)
            ids = [row["id"] for row in rows]
            for start in range(0, len(ids), AT_ONCE):
                part = ids[start : start + AT_ONCE]
                await _together(act(event_id, order_id) for order_id in part)
            if len(ids) < PAGE_SIZE:
                return False
            after = ids[-1]
        return True

    async def _end(self, event_id: int, order_id: int) -> None:
        """One whose money is being taken this moment is paid by the next look, and given back."""
        del event_id
        try:
            await self._orders.call_off(order_id, REASON)
        except OrderUnknown:
            log.info("a reset came in between", order_id=order_id)

    async def _give_back(self, event_id: int, order_id: int) -> None:
        try:
            await self._refunds.give_back(order_id, REASON, "organiser")
        except (TryAgain, *GONE):
            raise
        except OrderUnknown:
            log.info("a reset came in between", order_id=order_id)
        except (Refusal, AssertionError, asyncpg.PostgresError) as error:
            log.warning("not given back", event_id=event_id, order_id=order_id, error=repr(error))
            text = f"{type(error).__name__}: {error}"[:ERROR_CHARS_MAX]
            await self._db.execute(Q["note_failure"], event_id, order_id, text, self._clock.now())


async def _together(acts: Iterable[Awaitable[None]]) -> None:
    """All of them come to an end before the first trouble is told."""
    for answer in await asyncio.gather(*acts, return_exceptions=True):
        if answer is not None:
            raise answer


class Act(Protocol):
    """What is done about one order."""

    async def __call__(self, event_id: int, order_id: int) -> None: ...
