"""Connecting an event to the partner that owns its seats.

The partner knows rows and seats by numbers of its own and nothing of zones, prices and events: so
its list, in row and seat order, is laid upon our hall, row by row and seat by seat. It must fit
exactly. What is sold elsewhere does not matter here: the map learns that by reading.
"""

from itertools import groupby
from pathlib import Path
from typing import ClassVar, Final

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Conflict
from kernel.sql import load_queries
from sales import audit
from sales.gateway import Unknown
from sales.geometry import CAPACITY_MAX, Hall
from sales.halls import Halls
from sales.partner import PartnerAway, PlaceTold
from sales.partner_api import PAGE_SIZE
from sales.partner_careful import Partner
from sales.partners import Partners

Q = load_queries(Path(__file__).parent / "sql")
PAGES_MAX: Final = CAPACITY_MAX // PAGE_SIZE + 1
# A star concert's hundred thousand rows, checked and written at once.
WRITE_TIMEOUT_S: Final = 60


class HallsDiffer(Conflict):
    """Зал партнёра не такой, как у мероприятия."""

    code: ClassVar[str] = "halls-differ"


class PartnerInUse(Conflict):
    """По этому мероприятию уже есть заказы у другого партнёра."""

    code: ClassVar[str] = "partner-in-use"


class PartnerHalls:
    def __init__(self, db: Db, clock: Clock, halls: Halls, partners: Partners) -> None:
        self._db, self._clock, self._halls, self._partners = db, clock, halls, partners

    async def connect(self, event_id: int, base_url: str | None, actor: str) -> int:
        """From now on the partner at this address (None: the installation's own) owns the event's
        seats; how many there are. Said again, the list is read anew. Raises EventUnknown,
        PartnerAway, HallsDiffer, PartnerInUse.
        """
        hall = await self._halls.hall(event_id)
        places = await list_places(self._partners.at(base_url, event_id))
        seats = lay(places, hall)
        now = self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            await conn.execute(f"SET LOCAL statement_timeout = '{WRITE_TIMEOUT_S}s'")
            row = await conn.fetchval(Q["connect_partner_hall"], event_id, base_url, now)
            if row is None:
                raise PartnerInUse
            await conn.execute(Q["forget_partner_places"], event_id)
            given = [list(column) for column in zip(*seats, strict=True)]
            await conn.execute(Q["write_partner_places"], event_id, *given, timeout=WRITE_TIMEOUT_S)
            told = {"base_url": base_url, "places": len(seats)}
            await audit.write(conn, now, actor, "partner.connect", f"event:{event_id}", **told)
        self._partners.forget(event_id)
        return len(seats)


async def list_places(partner: Partner) -> list[PlaceTold]:
    """All of a partner's places. Raises PartnerAway."""
    places: list[PlaceTold] = []
    for page in range(1, PAGES_MAX + 1):
        told = await partner.places(page)
        if isinstance(told, Unknown):
            raise PartnerAway
        places += told
        if len(told) < PAGE_SIZE:
            break
    return places


def lay(places: list[PlaceTold], hall: Hall) -> list[tuple[int, object, int, int]]:
    """Seat, place, and the partner's row and number, for each seat. Raises HallsDiffer."""
    ordered = sorted(places, key=lambda one: (one.row, one.seat))
    rows = [list(row) for _, row in groupby(ordered, key=lambda one: one.row)]
    sizes = [size for zone in hall.zones for size in zone.row_sizes]
    theirs = [len(row) for row in rows]
    twice = len({(one.row, one.seat) for one in places}) < len(places)
    if theirs != sizes or twice or not sizes:
        raise HallsDiffer(
            rows=len(rows), places=len(places), our_rows=len(sizes), our_places=hall.capacity
        )
    return [(seat, one.id, one.row, one.seat) for seat, one in enumerate(ordered)]
