"""The partners of this installation: which one an event's seats belong to, and its client.

Events at one address share one partner: its connections, its budget and its breaker.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.catalogue import Catalogue, Kept
from sales.partner import OWNERSHIP
from sales.partner_careful import Partner

Q = load_queries(Path(__file__).parent / "sql")
# A hall connected anew, or found sick by another process, is seen after this long.
HALL_KEPT_MS: Final = 2_000
HALLS_KEPT_MAX: Final = 2_000
# Nothing is asked of a sick partner for so long; then one more buyer's seat tells how it is.
SICK_FOR: Final = timedelta(minutes=5)


class PartnerHall(msgspec.Struct, frozen=True):
    """`base_url` None: the installation's own. `is_sick`: see sales.reconcile.partners."""

    event_id: int
    base_url: str | None
    is_sick: bool


class Partners:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        catalogue: Catalogue,
        *,
        base_url: str,
        client: Callable[[str], Partner],
    ) -> None:
        """`base_url` serves the events that name none; `client` makes a partner for an address."""
        self._db, self._clock, self._catalogue = db, clock, catalogue
        self._base_url, self._client = base_url, client
        self._halls: Kept[int, PartnerHall | None] = Kept(clock, HALL_KEPT_MS, HALLS_KEPT_MAX)
        self._partners: dict[str, Partner] = {}

    async def is_partners(self, event_id: int) -> bool:
        """Whether a partner owns the event's seats. Raises EventUnknown."""
        return (await self._catalogue.event(event_id)).ownership == OWNERSHIP

    async def hall(self, event_id: int) -> PartnerHall | None:
        """None: not connected to any partner."""
        return await self._halls.of(event_id, self._read_hall)

    async def of_event(self, event_id: int) -> Partner | None:
        hall = await self.hall(event_id)
        return None if hall is None else self.at(hall.base_url, event_id)

    def at(self, base_url: str | None, event_id: int) -> Partner:
        """The partner at an address; None: the installation's own, which may have an address for
        each event.
        """
        address = (base_url or self._base_url).replace("{event}", str(event_id)).rstrip("/")
        partner = self._partners.get(address)
        if partner is None:
            partner = self._partners[address] = self._client(address)
        return partner

    def forget(self, event_id: int) -> None:
        """Whoever changed the hall sees the change at once in this process."""
        self._halls.forget(event_id)
        self._catalogue.forget(event_id)

    async def close(self) -> None:
        for partner in self._partners.values():
            await partner.close()

    async def _read_hall(self, event_id: int) -> PartnerHall | None:
        sick_after = self._clock.now() - SICK_FOR
        row = await self._db.fetchrow(Q["read_partner_hall"], event_id, sick_after)
        return PartnerHall(**row) if row else None
