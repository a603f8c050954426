"""Payments, orders and refunds that should have an end by now, and notices nobody comes for.

A payment that nobody is going to ask about is put back in line: asking harms nothing. One that has
been asked about for long, and an order that outlived its time, are for staff.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.outbox import LANES, MONEY
from sales.reconcile.found import Difference, Page
from sales.reconcile.kinds import (
    CANCELLATION_FAILED,
    NOTICES_LATE,
    ORDER_STUCK,
    PAYMENT_STUCK,
    PAYMENT_UNWATCHED,
    REFUND_STUCK,
)

Q = load_queries(Path(__file__).parent / "sql")
PAGE = 200
# The web process that placed the order has staged its notice in the same transaction.
UNWATCHED_AFTER = timedelta(minutes=1)
# After the time to pay the gateway is asked for five minutes, and answers within half a minute.
PAYMENT_LATE = timedelta(minutes=30)
# Reserved money is taken or given back within seconds.
MONEY_LATE = timedelta(minutes=10)
ORDER_LATE = timedelta(minutes=45)
# What was said in silence shows in the gateway's answers after ten minutes.
REFUND_LATE = timedelta(hours=1)
NOTICE_LATE = timedelta(minutes=5)


class StuckCheck:
    kinds = (PAYMENT_STUCK, ORDER_STUCK, REFUND_STUCK, CANCELLATION_FAILED, NOTICES_LATE)

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def page(self, cursor: dict[str, Any]) -> Page:
        """`cursor`: the last ids that were looked at, by what was looked for."""
        now, after = self._clock.now(), dict(cursor)
        found: list[Difference] = []
        looked_at = []
        for what, query, tell, *since in (
            ("payment", Q["find_stuck_payments"], _payment, now - PAYMENT_LATE, now - MONEY_LATE),
            ("order", Q["find_stuck_orders"], _order, now - ORDER_LATE),
            ("refund", Q["find_stuck_refunds"], _refund, now - REFUND_LATE),
            ("cancellation", Q["find_stuck_cancellations"], _cancellation),
        ):
            rows = await self._db.fetch(query, *since, PAGE, after.get(what, 0))
            if rows:
                after[what] = rows[-1]["id"]
            found += map(tell, rows)
            looked_at.append(len(rows))
        unwatched = await self._db.fetch(
            Q["watch_payments"], now - UNWATCHED_AFTER, now, PAGE, MONEY
        )
        looked_at.append(len(unwatched))
        return Page(
            cursor=None if max(looked_at) < PAGE else after,
            looked_at=sum(looked_at),
            open=[*found, *await self._lanes(now)],
            repaired=[
                Difference(
                    PAYMENT_UNWATCHED, f"payment:{row['id']}", _told(row, "order_id", "state")
                )
                for row in unwatched
            ],
        )

    async def _lanes(self, now: datetime) -> list[Difference]:
        rows = await self._db.fetch(Q["find_late_lanes"], list(LANES), now - NOTICE_LATE)
        return [Difference(NOTICES_LATE, f"lane:{row['lane']}") for row in rows]


def _payment(row: Any) -> Difference:
    names = ("order_id", "state", "amount", "gateway_order_id", "gateway_payment_id", "last_error")
    return Difference(PAYMENT_STUCK, f"payment:{row['id']}", _told(row, *names))


def _order(row: Any) -> Difference:
    return Difference(ORDER_STUCK, f"order:{row['id']}", _told(row, "event_id", "total", "reason"))


def _refund(row: Any) -> Difference:
    names = ("order_id", "state", "amount", "gateway_order_id", "gateway_payment_id")
    return Difference(REFUND_STUCK, f"refund:{row['id']}", _told(row, *names))


def _cancellation(row: Any) -> Difference:
    told = _told(row, "event_id", "total", "error")
    return Difference(CANCELLATION_FAILED, f"order:{row['id']}", told)


def _told(row: Any, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if row[name] is not None}
