"""Ending an order before it is paid: its buyer's wish, or the organiser's.

An open order ends at once. A pending one ends when the gateway has let go of its money: until then
it stays `pending` with the reason written down, and nobody captures it any more.
"""

from pathlib import Path

import structlog
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import TryAgain
from kernel.sql import load_queries
from sales.holds import Holds
from sales.order import Order
from sales.outbox import Draft, stage
from sales.payments import Payments
from sales.states import move_order

Q = load_queries(Path(__file__).parent / "sql")
log = structlog.get_logger()


class Ending:
    def __init__(self, db: Db, clock: Clock, holds: Holds, payments: Payments) -> None:
        self._db, self._clock = db, clock
        self._holds, self._payments = holds, payments

    async def call_off(self, order: Order, reason: str, actor: str) -> bool:
        """The organiser ends an order that is not paid. False: it has changed since it was read, or
        its money is being taken: look again later.
        """
        if order.state == "open":
            return await self.end_open(order, reason, actor)
        payment = await self._payments.of_order(order.id)
        if payment is None or order.reason is not None:
            return True
        return await self._payments.wish_end(payment.id, reason, order, actor)

    async def end_open(self, order: Order, reason: str, actor: str) -> bool:
        """False: somebody was faster."""
        now = self._clock.now()
        facts = {
            "event_id": order.event_id,
            "account_id": order.account_id,
            "admission_jti": order.admission_jti,
            "seats": None,
            "reason": reason,
        }
        async with self._db.acquire() as conn, conn.transaction():
            version = await conn.fetchval(
                Q["end_open_order"],
                order.id,
                order.version,
                order.state,
                move_order(order.state, "cancel"),
                reason,
                now,
                actor,
                "order.cancel",
            )
            if version is None:
                return False
            await stage(conn, now, [Draft("order.released", order.id, facts)])
        await self.let_go(order)
        return True

    async def let_go(self, order: Order) -> None:
        """At once, for whoever looks at the map now; the notice does it again."""
        try:
            await self._holds.free(order.event_id, order.id)
        except (RedisError, TryAgain) as error:
            log.warning("seats go free a little later", order_id=order.id, error=repr(error))
