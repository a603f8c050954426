"""Bookings: an account's orders with their places, as the public contract lists them."""

from pathlib import Path

import msgspec

from kernel.db import Db
from kernel.sql import load_queries
from kernel.values import ID_MAX
from sales.holds import Hold, Holds
from sales.order import NotYourOrder, Order, OrderUnknown

Q = load_queries(Path(__file__).parent / "sql")
# The contract doesn't leaf; its busiest client makes about a thousand in a run.
BOOKINGS_MAX = 1_500


class Booking(msgspec.Struct, frozen=True):
    """An order that has not ended. `seats` counts from 0 through the event."""

    order_id: int
    event_id: int
    seats: list[int]


class Bookings:
    def __init__(self, db: Db, holds: Holds) -> None:
        self._db = db
        self._holds = holds

    async def own(self, order_id: int, account_id: int) -> tuple[Order, list[int]]:
        """An order with its places, those that were returned left out; none while it is open.
        Raises OrderUnknown, NotYourOrder.
        """
        row = None
        if 1 <= order_id <= ID_MAX:
            row = await self._db.fetchrow(Q["read_booking"], order_id)
        if row is None:
            raise OrderUnknown
        values = dict(row)
        seats: list[int] = values.pop("seats")
        order = Order(**values)
        if order.account_id != account_id:
            raise NotYourOrder
        return order, seats

    async def of_account(self, account_id: int) -> list[Booking]:
        """Newest first; ended ones are left out, and so are places whose hold is over."""
        rows = await self._db.fetch(Q["list_bookings"], account_id, BOOKINGS_MAX)
        choosing = [(row["event_id"], row["id"]) for row in rows if row["state"] == "open"]
        holds = await self._holds.of_orders(choosing)
        return [
            Booking(row["id"], row["event_id"], _seats(row["seats"], holds.get(row["id"])))
            for row in rows
        ]


def _seats(placed: list[int], hold: Hold | None) -> list[int]:
    return sorted(hold.seats) if hold is not None else placed
