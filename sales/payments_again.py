"""Another try after a declined card: the same order, the same claims, a new attempt.

An order has one open attempt at a time (an index sees to it), and each attempt its own order id at
the gateway. The seats stay until the tries or the time are used up, whichever is first.
"""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.outbox import Draft, stage
from sales.payment import Attempt

Q = load_queries(Path(__file__).parent / "sql")
# The contract of the machine face knows no second try: a failed payment ends its booking (§4.9).
ATTEMPTS_MAX: Final = {"web": 5, "box_office": 5, "api": 1}
# Time to find another card, as far as the order's whole time to pay allows.
AGAIN_S: Final = 4 * 60
PAYABLE_MAX_S: Final = 20 * 60
# With less than this left another form is no use.
LEAST_S: Final = 45
# The web process opens the payment itself; the worker looks whether it lived to do so.
FIRST_LOOK_S: Final = 5.0


def gateway_order_id(order_id: int, attempt: int) -> str:
    """Unique at the gateway for ever, also after a reset of ours."""
    return f"bl-{order_id}-{attempt}-{secrets.token_hex(4)}"


def attempts_left(channel: str, attempt: int) -> int:
    return max(0, ATTEMPTS_MAX[channel] - attempt)


def payable_until(attempt: Attempt, now: datetime) -> datetime | None:
    """Until when an order whose card was declined may be paid by another. None: it may not."""
    order = attempt.order
    if order.expires_at is None or not attempts_left(order.channel, attempt.payment.attempt):
        return None
    last = attempt.first_at + timedelta(seconds=PAYABLE_MAX_S)
    until = min(max(order.expires_at, now + timedelta(seconds=AGAIN_S)), last)
    return until if until >= now + timedelta(seconds=LEAST_S) else None


class Again:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def leave_open(self, attempt: Attempt, until: datetime) -> bool:
        """The bank said no, the order may be paid by another card until then. False: somebody was
        faster.
        """
        order, now = attempt.order, self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            moved = await conn.fetchval(
                Q["decline_attempt"],
                order.id,
                order.version,
                attempt.payment.id,
                attempt.payment.state,
                until,
                now,
            )
            if moved is None:
                return False
            assert moved == 1, f"payment {attempt.payment.id} moved by itself"
            if until != order.expires_at:
                await stage(conn, now, [Draft("order.expire", order.id, due_at=until)])
            return True

    async def begin(self, attempt: Attempt, return_base: str) -> int | None:
        """The next attempt after a declined one: its id. None: somebody was faster, or there is no
        time or try left.
        """
        order, now = attempt.order, self._clock.now()
        until = payable_until(attempt, now)
        if until is None:
            return None
        number = attempt.payment.attempt + 1
        async with self._db.acquire() as conn, conn.transaction():
            payment_id: int | None = await conn.fetchval(
                Q["next_attempt"],
                order.id,
                order.version,
                number,
                gateway_order_id(order.id, number),
                return_base,
                until,
                now,
            )
            if payment_id is None:
                return None
            first = now + timedelta(seconds=FIRST_LOOK_S)
            drafts = [Draft("payment.settle", payment_id, due_at=first)]
            if until != order.expires_at:
                drafts.append(Draft("order.expire", order.id, due_at=until))
            await stage(conn, now, drafts)
        return payment_id
