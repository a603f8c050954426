"""The side of the shop that speaks with owners of seats, put together for one process."""

from functools import partial
from random import SystemRandom
from urllib.parse import urlsplit

from biletter.settings import Settings
from kernel.clock import Clock
from kernel.db import Db
from sales.catalogue import Catalogue
from sales.gateway_wire import HttpWire
from sales.halls import Halls
from sales.holds import Holds
from sales.partner_api import PartnerApi
from sales.partner_availability import Availability
from sales.partner_book import PartnerBook
from sales.partner_careful import Partner
from sales.partner_desk import PartnerDesk
from sales.partner_halls import PartnerHalls
from sales.partner_tending import PartnerTending
from sales.partners import Partners

# A partner's answer is waited for by somebody who looks at a page (seconds).
TOTAL_S = 2.0


class PartnerSide:
    def __init__(self, settings: Settings, db: Db, clock: Clock, catalogue: Catalogue) -> None:
        self._db, self._clock = db, clock
        self.partners = Partners(
            db,
            clock,
            catalogue,
            base_url=settings.provider_url,
            client=partial(_partner, settings),
        )
        self.book = PartnerBook(db, clock)
        self.desk = PartnerDesk(self.book, self.partners, clock)

    def tending(self, holds: Holds) -> PartnerTending:
        return PartnerTending(self.book, self.desk.driving, self._clock, holds)

    def halls(self, halls: Halls) -> PartnerHalls:
        return PartnerHalls(self._db, self._clock, halls, self.partners)

    def availability(self, holds: Holds) -> Availability:
        return Availability(self._db, self._clock, holds.store, self.partners)

    async def close(self) -> None:
        await self.partners.close()


def _partner(settings: Settings, address: str) -> Partner:
    """The client of one partner, behind breakers and a budget of its own."""
    wire = HttpWire(address, total_s=TOTAL_S, read_s=TOTAL_S, connections=settings.provider_at_once)
    return Partner(
        urlsplit(address).netloc or address,
        PartnerApi(wire),
        rate_per_s=settings.provider_rate,
        at_once=settings.provider_at_once,
        chance=SystemRandom(),
    )
