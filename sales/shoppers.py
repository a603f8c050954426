"""Who was shopping when an automatic room armed: nobody is thrown out of a shop that was open.

What counts is an order of the event, opened without a pass before the room armed: while it holds
seats or is being paid, and for one hold's time after it was opened, to take the first seats. Orders
opened later count for nothing, and after two holds' time nothing does, so that nobody shops on for
ever without having queued.
"""

from datetime import datetime, timedelta
from pathlib import Path

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.catalogue import Catalogue
from sales.holds import Holds

Q = load_queries(Path(__file__).parent / "sql")
# A program may have opened many; its newest are looked at.
ORDERS_MAX = 50
HOLDS_MAX = 2


class Shoppers:
    def __init__(self, db: Db, clock: Clock, catalogue: Catalogue, holds: Holds) -> None:
        self._db, self._clock = db, clock
        self._catalogue, self._holds = catalogue, holds

    async def go_on(self, event_id: int, account_id: int, armed_at: datetime) -> bool:
        """Whether this account was shopping when the room armed, and still is."""
        event = await self._catalogue.event(event_id)
        span, now = timedelta(seconds=event.hold_seconds), self._clock.now()
        if now >= armed_at + HOLDS_MAX * span:
            return False
        rows = await self._db.fetch(
            Q["list_unpassed_orders"], account_id, event_id, armed_at, ORDERS_MAX
        )
        if any(row["state"] == "pending" or now < row["created_at"] + span for row in rows):
            return True
        return bool(rows) and bool(
            await self._holds.of_orders((event_id, row["id"]) for row in rows)
        )
