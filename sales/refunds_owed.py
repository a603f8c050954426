"""Money that nobody wants and that the gateway would not let go of at once becomes a refund: of no
ticket, through the gateway as far as it goes, and by staff's hands where it does not.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from kernel.db import Conn
from kernel.sql import load_queries
from sales import ledger
from sales.outbox import Draft, stage
from sales.payment import Attempt

Q = load_queries(Path(__file__).parent / "sql")
SETTLE: Final = "refund.settle"
MONEY_LATE: Final = "money-late"
# Of all the reasons why an order ends, the one whose refunds are counted (sales.cancellations).
COUNTED: Final = "event-cancelled"


async def begin(conn: Conn, now: datetime, attempt: Attempt) -> None:
    """In the transaction in which the payment became `owed`."""
    order, payment = attempt.order, attempt.payment
    row = await conn.fetchrow(
        Q["open_refund"],
        order.id,
        payment.id,
        order.event_id,
        order.account_id,
        order.reason if order.reason == COUNTED else MONEY_LATE,
        payment.amount,
        0,
        "asked",
        now,
        None,
    )
    assert row is not None
    facts = (order.event_id, order.id, payment.id)
    came = ledger.came_late(*facts, payment.amount)
    if await ledger.stands(conn, came.fact):
        # Told before under the payment's name; from now on under the refund's.
        await ledger.post(conn, now, ledger.went_back(*facts, payment.amount))
    await ledger.post(conn, now, ledger.owed(row["id"], *facts, payment.amount))
    await stage(conn, now, [Draft(SETTLE, row["id"])])
