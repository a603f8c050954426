"""A partner who owns the seats of every event of a test that would be our own: its hall is laid at
first sight.
"""

from typing import Any

from kernel.clock import Clock
from sales.catalogue import Catalogue
from sales.halls import Halls
from sales.partner_book import PartnerBook
from sales.partner_careful import Partner
from sales.partner_desk import PartnerDesk
from sales.partner_halls import PartnerHalls
from sales.partners import Partners
from tests.flow.shop import no_sleep
from tests.partner import FakePartner, client_of

BASE = "http://partner.example/event/{event}/event-provider"


class EveryHall(PartnerDesk):
    """`lag`: how many calls each hall's reader is behind."""

    def __init__(self, db: Any, clock: Clock, catalogue: Catalogue, lag: int = 2) -> None:
        self._db, self._clock, self._catalogue, self._lag = db, clock, catalogue, lag
        self.halls: dict[int, FakePartner] = {}
        partners = Partners(db, clock, catalogue, base_url=BASE, client=self._client)
        super().__init__(PartnerBook(db, clock), partners, clock, no_sleep)

    async def owns(self, event_id: int) -> bool:
        zones = await self._catalogue.zones(event_id)
        is_ours = zones and (await self._catalogue.event(event_id)).ownership == "own"
        if is_ours and event_id not in self.halls:
            rows = [size for zone in zones for size in zone.row_sizes]
            self.halls[event_id] = FakePartner(rows, lag=self._lag)
            halls = PartnerHalls(self._db, self._clock, Halls(self._catalogue), self.partners)
            await halls.connect(event_id, None, "test")
        return await super().owns(event_id)

    def _client(self, address: str) -> Partner:
        event_id = int(address.removeprefix("http://partner.example/event/").split("/")[0])
        return client_of(self.halls[event_id])(address)
