"""A whole shop on real engines, with a scripted gateway, for tests that tell a story."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from kernel.clock import ManualClock
from kernel.keyring import Keyring
from sales.admission import Admissions
from sales.cancellations import Cancellations
from sales.cancellations_rounds import CancellationRounds
from sales.catalogue import Catalogue
from sales.entrance import Entrance
from sales.gateway import Gateway
from sales.holds import Holds
from sales.order import Order
from sales.orders import Orders
from sales.outbox_draining import Outbox
from sales.partner_book import PartnerBook
from sales.partner_careful import Partner
from sales.partner_desk import PartnerDesk
from sales.partner_holds import PartnerHolds
from sales.partner_tending import PartnerTending
from sales.partners import Partners
from sales.payments import Addresses, Payments
from sales.payments_void import Voids
from sales.refunds import Refunds
from sales.reschedules import Reschedules
from sales.room_desk import Asker
from sales.shoppers import Shoppers
from sales.tickets import Tickets
from tests.fakes import FakeDesk, FakeGateway, FakeModes, FakeRooms
from tests.halls import build_event
from workers.handlers import Handlers

ARU, BEK, DANA, ERMEK = 1, 2, 3, 4
BASE = "http://localhost:8080"
PARTNER_BASE = "http://partner.example/event/1/event-provider"
SECRET = "whsec-demo-123"
# More moments than any story here has.
DUES_MAX = 500
# The database's own clock decides who is late to return a ticket, so the event lies ahead of any.
AHEAD = datetime(2190, 1, 1, 19, tzinfo=UTC)
ADDRESSES = Addresses(notification="http://127.0.0.1:8080/api/payments/notifications")


@dataclass
class Visitor:
    account_id: int | None
    device: str = "a-device"


@dataclass
class Shop:
    db: asyncpg.Pool
    clock: ManualClock
    gateway: Any
    rooms: FakeRooms
    modes: FakeModes
    keyring: Keyring
    catalogue: Catalogue
    holds: Holds
    payments: Payments
    orders: Orders
    tickets: Tickets
    admissions: Admissions
    outbox: Outbox
    desk: FakeDesk
    entrance: Entrance
    refunds: Refunds
    cancellations: Cancellations
    reschedules: Reschedules
    partner_desk: PartnerDesk
    event_id: int = 0

    async def hold(self, *seats: int, buyer: int = BEK, event_id: int | None = None) -> Order:
        event_id = event_id or self.event_id
        order = await self.orders.open(buyer, event_id, "web")
        await self.holds.hold(event_id, order.id, buyer, list(seats))
        return order

    async def placed(self, *seats: int, buyer: int = BEK) -> Order:
        """An order whose payment form is open."""
        order = await self.hold(*seats, buyer=buyer)
        await self.orders.place(order.id, buyer, BASE)
        return await self.orders.get(order.id)

    async def paid(self, *seats: int, buyer: int = BEK) -> Order:
        """An order with its tickets."""
        order = await self.placed(*seats, buyer=buyer)
        self.gateway.pay()
        await self.payments.hurry(order.id)
        await self.drain()
        return await self.orders.get(order.id)

    async def drain(self) -> int:
        """Everything due now, as the worker does it."""
        return await self.outbox.drain()

    async def later(self, seconds: float) -> None:
        """Time passes; everything that becomes due meanwhile is done at its moment."""
        end = self.clock.now() + timedelta(seconds=seconds)
        for _ in range(DUES_MAX):
            due = await self.db.fetchval("SELECT min(due_at) FROM notice WHERE parked_at IS NULL")
            if due is None or due > end:
                break
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            await self.drain()
        self.clock.advance((end - self.clock.now()).total_seconds())
        await self.drain()

    async def seats(self) -> str:
        """What Redis says of the seats: F, H, S."""
        raw: Any = await self.holds.store.redis.get(f"seats:{{{self.event_id}}}")
        return str(raw, "ascii") if raw else ""

    async def claims(self) -> dict[int, tuple[int, bool]]:
        rows = await self.db.fetch("SELECT seat, order_id, sold FROM seat_claim ORDER BY seat")
        return {row["seat"]: (row["order_id"], row["sold"]) for row in rows}

    async def payment_state(self, order_id: int) -> str:
        payment = await self.payments.of_order(order_id)
        assert payment is not None
        return payment.state

    async def state(self, order_id: int) -> tuple[str, str]:
        """Of the order and of its payment."""
        return (await self.orders.get(order_id)).state, await self.payment_state(order_id)

    async def notices(self) -> list[tuple[str, str | None]]:
        """What is still to be done: kinds, and the last error of each."""
        rows = await self.db.fetch("SELECT kind, last_error FROM notice ORDER BY id")
        return [(row["kind"], row["last_error"]) for row in rows]


async def no_sleep(_: float) -> None:
    """Whoever looks at a partner again and again is counted, not timed."""
    await asyncio.sleep(0)


def no_partner(address: str) -> Partner:
    raise AssertionError(f"these seats are our own: {address}")


async def open_shop(
    db: asyncpg.Pool,
    redis: Any,
    clock: ManualClock,
    folder: Path,
    gateway: Gateway | None = None,
    **event: Any,
) -> Shop:
    """A shop that sells one event; `event` are columns of its row."""
    shop = make_shop(db, redis, clock, folder, gateway)
    shop.event_id = await build_event(db, **event)
    return shop


def make_shop(
    db: Any,
    redis: Any,
    clock: ManualClock,
    folder: Path,
    gateway: Gateway | None = None,
    rooms: Any = None,
    partner: Callable[[str], Partner] | None = None,
) -> Shop:
    """What one process is made of, over these stores."""
    keyring, catalogue = Keyring(folder / "keys"), Catalogue(db, clock)
    rooms, modes, gateway = rooms or FakeRooms(), FakeModes(), gateway or FakeGateway()
    partners = Partners(db, clock, catalogue, base_url=PARTNER_BASE, client=partner or no_partner)
    desk = PartnerDesk(PartnerBook(db, clock), partners, clock, no_sleep)
    holds = PartnerHolds(redis, db, catalogue, clock, desk)
    payments = Payments(
        db,
        clock,
        gateway=gateway,
        holds=holds,
        seats=desk,
        addresses=ADDRESSES,
        webhook_secret=SECRET,
    )
    orders = Orders(db, clock, catalogue=catalogue, holds=holds, payments=payments)
    admissions = Admissions(db, clock, keyring=keyring, catalogue=catalogue, modes=modes)
    reschedules = Reschedules(db, clock, catalogue)
    refunds = Refunds(db, clock, gateway=gateway, orders=orders, holds=holds)
    rounds = CancellationRounds(db, clock, orders=orders, refunds=refunds)
    handlers = Handlers(
        clock,
        payments=payments,
        orders=orders,
        holds=holds,
        admissions=admissions,
        rooms=rooms,
        voids=Voids(gateway, clock),
        refunds=refunds,
        cancellations=rounds,
        reschedules=reschedules,
        partners=PartnerTending(desk.book, desk.driving, clock, holds),
    )
    outbox = Outbox(db, clock, handlers.by_kind(), Random(1))
    return Shop(
        db,
        clock,
        gateway,
        rooms,
        modes,
        keyring,
        catalogue,
        holds,
        payments,
        orders,
        Tickets(db, keyring),
        admissions,
        outbox,
        room_desk := FakeDesk(),
        Entrance(admissions, modes, Shoppers(db, clock, catalogue, holds), Asker(room_desk, clock)),
        refunds,
        Cancellations(db, clock, catalogue),
        reschedules,
        desk,
    )
