"""The orders of a cancelled event: those that are not paid end, the others' money goes back.

A notice goes over them page by page and may die anywhere: what is done is out of its next look.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from pathlib import Path
from time import monotonic
from typing import Protocol

import asyncpg
import structlog

from kernel.clock import Clock
from kernel.db import GONE, Db
from kernel.errors import Refusal, TryAgain
from kernel.sql import load_queries
from sales.cancellations import REASON
from sales.order import OrderUnknown
from sales.outbox import Again, Notice

Q = load_queries(Path(__file__).parent / "sql")
# Orders a look of the database, and those of them in work at the same time.
PAGE_SIZE, AT_ONCE = 100, 8
# One turn of the notice, well below its lane's ten seconds; the next one follows at once.
TURN_S = 4.0
# A process that has not heard yet may still place an order, whose payment may take a quarter of an
# hour: orders are looked for during this time.
LOOK_FOR_S = 30 * 60
LOOK_EVERY_S = 15.0
ERROR_CHARS_MAX = 300
log = structlog.get_logger()


class OrderEnder(Protocol):
    """As much of sales.orders.Orders as a cancelled event asks for."""

    async def call_off(self, order_id: int, reason: str) -> bool: ...


class MoneyGiver(Protocol):
    """As much of sales.refunds.Refunds as a cancelled event asks for."""

    async def give_back(self, order_id: int, reason: str, actor: str) -> object: ...


class CancellationRounds:
    def __init__(self, db: Db, clock: Clock, *, orders: OrderEnder, refunds: MoneyGiver) -> None:
        self._db, self._clock = db, clock
        self._orders, self._refunds = orders, refunds

    async def carry_on(self, notice: Notice) -> Again | None:
        """For the outbox: one turn over the event's orders."""
        event_id, until = notice.subject_id, monotonic() + TURN_S
        more = await self._go_over("list_unpaid_orders", event_id, self._end, until)
        more = await self._go_over("list_paid_orders", event_id, self._give_back, until) or more
        if more:
            return Again(0)
        age_s = (self._clock.now() - notice.created_at).total_seconds()
        # What is unpaid may still become paid, however long the gateway has been away.
        if age_s < LOOK_FOR_S or await self._db.fetchval(Q["has_unpaid_orders"], event_id):
            return Again(LOOK_EVERY_S)
        return None

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
