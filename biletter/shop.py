"""The sales context, put together for one process."""

from datetime import datetime
from random import SystemRandom

from redis.asyncio import Redis

from biletter.partner_side import PartnerSide
from biletter.parts import Parts
from biletter.settings import Settings
from kernel.db import Db
from sales.admission import Admissions
from sales.analytics import Analytics
from sales.bookings import Bookings
from sales.cancellations import Cancellations
from sales.cancellations_rounds import CancellationRounds
from sales.catalogue import Catalogue
from sales.entrance import Entrance
from sales.gateway_careful import CarefulGateway
from sales.gateway_toleubar import ToleuBar
from sales.gateway_wire import HttpWire
from sales.guard import RoomModes
from sales.orders import Orders
from sales.partner_holds import PartnerHolds
from sales.payments import Addresses, Payments
from sales.refunds import Refunds
from sales.reschedules import Reschedules
from sales.reset import Reset
from sales.room_desk import Asker, Busy, Let, RoomDesk
from sales.seatmap import SeatMaps
from sales.shoppers import Shoppers
from sales.tickets import Tickets


class Shop:
    """Every verb of the sales context, over one pool and one Redis."""

    def __init__(
        self, parts: Parts, db: Db, redis: Redis, modes: RoomModes, desk: RoomDesk
    ) -> None:
        settings, clock = parts.settings, parts.clock
        self.db, self.redis = db, redis
        self.catalogue = Catalogue(db, clock)
        self.partner_side = PartnerSide(settings, db, clock, self.catalogue)
        owners = self.partner_side.desk
        self.holds = PartnerHolds(redis, db, self.catalogue, clock, owners)
        self.seatmaps = SeatMaps(
            self.holds.store, clock, self.partner_side.availability(self.holds)
        )
        self._toleubar, self.gateway = _gateway(settings)
        self.payments = Payments(
            db,
            clock,
            gateway=self.gateway,
            holds=self.holds,
            seats=owners,
            addresses=Addresses(
                f"http://127.0.0.1:{settings.port}/api/payments/notifications",
            ),
            webhook_secret=settings.webhook_secret,
        )
        self.orders = Orders(
            db, clock, catalogue=self.catalogue, holds=self.holds, payments=self.payments
        )
        self.refunds = Refunds(
            db, clock, gateway=self.gateway, orders=self.orders, holds=self.holds
        )
        self.cancellations = Cancellations(db, clock, self.catalogue)
        self.cancellation_rounds = CancellationRounds(
            db, clock, orders=self.orders, refunds=self.refunds
        )
        self.reschedules = Reschedules(db, clock, self.catalogue)
        self.tickets = Tickets(db, parts.keyring)
        self.admissions = Admissions(
            db, clock, keyring=parts.keyring, catalogue=self.catalogue, modes=modes
        )
        shoppers = Shoppers(db, clock, self.catalogue, self.holds)
        self.entrance = Entrance(self.admissions, modes, shoppers, Asker(desk, clock))
        self.bookings = Bookings(db, self.holds)
        self.analytics = Analytics(db, self.catalogue, self.holds.store)
        self.reset = Reset(
            db,
            clock,
            self.holds.store.epochs,
            allowed=settings.reset_allowed,
            chance=SystemRandom(),
        )

    async def close(self) -> None:
        await self._toleubar.close()
        await self.partner_side.close()
        await self.redis.aclose()
        await self.db.close()


def _gateway(settings: Settings) -> tuple[ToleuBar, CarefulGateway]:
    """The gateway's client, and the same behind its breaker and budget."""
    toleubar = ToleuBar(
        settings.gateway_url,
        team_slug=settings.merchant_slug,
        password=settings.merchant_password,
        public_url=settings.public.get("toleubar"),
        wire=HttpWire(settings.gateway_url, connections=settings.gateway_at_once),
    )
    careful = CarefulGateway(
        toleubar,
        rate_per_s=settings.gateway_rate,
        at_once=settings.gateway_at_once,
        chance=SystemRandom(),
    )
    return toleubar, careful


class NobodyAsks:
    """The rooms for processes that let nobody in: every guarded event stays guarded."""

    def is_open(self, event_id: int) -> bool:
        del event_id
        return False

    def armed_at(self, event_id: int) -> datetime | None:
        del event_id
        return None

    def came(self, event_id: int) -> None:
        """Nobody does."""

    async def admit(self, event_id: int, subject: str, over: str | None) -> Let | Busy | None:
        raise AssertionError((event_id, subject, over))
