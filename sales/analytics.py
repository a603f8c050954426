"""How an event sells, live: places by state, money, orders; in total and by zone.

PostgreSQL says what is sold, Redis what is held. The two are read in this order, and whatever is
taken in Redis but not sold in PostgreSQL counts as reserved: so total = sold + reserved + free
always, also while a purchase is on its way from one to the other.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from kernel.db import Db
from kernel.sql import load_queries
from sales.allotment import rooms
from sales.catalogue import Catalogue
from sales.geometry import Zone
from sales.keys import EXPIRING, key
from sales.seatstore import SeatStore

Q = load_queries(Path(__file__).parent / "sql")
NO_VERSION = 0
FREE = b"F"


class ZoneSales(msgspec.Struct, frozen=True):
    """`revenue` in tiyn, of the sold places, as they were paid."""

    zone_no: int
    name: str
    total: int
    sold: int
    reserved: int
    revenue: int

    @property
    def free(self) -> int:
        return self.total - self.sold - self.reserved


class EventSales(msgspec.Struct, frozen=True):
    """`orders` hold or own at least one place."""

    event_id: int
    zones: Sequence[ZoneSales]
    orders: int

    @property
    def total(self) -> int:
        return sum(zone.total for zone in self.zones)

    @property
    def sold(self) -> int:
        return sum(zone.sold for zone in self.zones)

    @property
    def reserved(self) -> int:
        return sum(zone.reserved for zone in self.zones)

    @property
    def free(self) -> int:
        return sum(zone.free for zone in self.zones)

    @property
    def revenue(self) -> int:
        return sum(zone.revenue for zone in self.zones)


class Analytics:
    def __init__(self, db: Db, catalogue: Catalogue, store: SeatStore) -> None:
        self._db = db
        self._catalogue = catalogue
        self._store = store

    async def of_event(self, event_id: int) -> EventSales:
        """Raises EventUnknown. An event without a hall (the archive) has no zones."""
        await self._catalogue.event(event_id)
        zones = await self._catalogue.zones(event_id)
        if not zones:
            return EventSales(event_id, [], 0)
        sold, claiming = await self._read_sold(event_id)
        _, _, seats, *given = await self._store.run("read", event_id, NO_VERSION)
        left = rooms(given[0], seats) if given else {}
        choosing = await self._store.redis.zcard(key(EXPIRING, event_id))
        figures = [
            _zone_sales(zone, seats, left, *sold.get(zone.zone_no, (0, 0))) for zone in zones
        ]
        return EventSales(event_id, figures, claiming + choosing)

    async def _read_sold(self, event_id: int) -> tuple[dict[int, tuple[int, int]], int]:
        """Places and money by zone, and the number of orders with claims, as of one moment."""
        async with (
            self._db.acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await conn.fetch(Q["read_sales"], event_id)
            orders = await conn.fetchval(Q["count_claiming_orders"], event_id)
        return {row["zone_no"]: (row["sold"], row["revenue"]) for row in rows}, orders


def _zone_sales(
    zone: Zone, seats: bytes, left: dict[int, int], sold: int, revenue: int
) -> ZoneSales:
    free = seats.count(FREE, zone.first_seat, zone.first_seat + zone.seat_count)
    free = min(free, left.get(zone.first_seat, free))
    reserved = max(0, zone.seat_count - free - sold)
    return ZoneSales(zone.zone_no, zone.name, zone.seat_count, sold, reserved, revenue)
