"""The machine face as the composition root puts it together, with a gateway that does as told."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
from litestar.di import Provide
from redis.asyncio import Redis

from accounts.accounts import Accounts, Newcomer
from accounts.cookies import CookieEdge
from accounts.identity import Identity
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from kernel.clock import Clock
from kernel.db import Db
from kernel.keyring import Keyring
from kernel.subjects import subject_of
from kernel.web.app import build_app
from kernel.web.links import Links
from sales.admission import Admissions
from sales.analytics import Analytics
from sales.bookings import Bookings
from sales.catalogue import Catalogue
from sales.entrance import Entrance
from sales.gateway import Accepted, Found, Offered, Refused, ReturnUrls, Unknown
from sales.guard import QueueNeeded, show_queue
from sales.holds import Holds
from sales.idempotency import Answers
from sales.orders import Orders
from sales.partner_holds import PartnerHolds
from sales.payments import Addresses, Payments
from sales.refunds import Refunds
from sales.reset import Reset
from sales.room_desk import Asker
from sales.seatmap import SeatMaps
from sales.shoppers import Shoppers
from sales.web.api.events import EventsFace
from sales.web.api.hot_events import HotEvents, SearchAnswers
from sales.web.api.hot_webhooks import HotWebhooks
from sales.web.api.routes import api_routes, api_writes
from sales.web.keyed import KeyedWrites
from tests.fakes import FakeDesk, FakeModes
from tests.web.every_hall import EveryHall

HOST = "http://localhost:18700"
LINKS = Links(ports={"sales": 18700, "waitingroom": 18701, "toleubar": 18703})
# A colon, a backslash, a quote and Cyrillic, as in the imported file.
PEOPLE = {
    "aru": ("аru_сейтова_1@demo.biletter.kz", 'a:b\\c"d:ё'),
    "bek": ("bek@demo.biletter.kz", "bek-password"),
    "ermek": ("ermek@demo.biletter.kz", "ermek-password"),
}
# Whose seats the whole machine face is tried with: EVENTS_OF=partner script/test tests/web
OWNER = os.environ.get("EVENTS_OF", "own")
WEBHOOK_SECRET = "webhook secret of a test"


@asynccontextmanager
async def api_stand(
    db: Db, redis: "Redis", clock: Clock, folder: Path, **options: Any
) -> AsyncIterator["ApiStand"]:
    """The machine face with Aru, Bek and Ermek."""
    stand = ApiStand(db, redis, clock, folder, **options)
    stand.ids = await stand.people()
    try:
        yield stand
    finally:
        stand.passwords.close()


class ScriptedGateway:
    """Says `status` of every payment it opened; opens none while `is_silent`."""

    def __init__(self) -> None:
        self.status = "FORM_SHOWED"
        self.is_silent = False
        self.away: dict[str, float] = {}
        self.opened: dict[str, tuple[str, int]] = {}
        self.urls: ReturnUrls | None = None
        self.checks = 0

    async def init(
        self, *, order_id: str, amount: int, urls: ReturnUrls, **_: object
    ) -> Offered | Refused | Unknown:
        if self.is_silent:
            return Unknown("silence")
        payment_id = f"P{len(self.opened) + 1}"
        self.opened[payment_id] = (order_id, amount)
        self.urls = urls
        return Offered(payment_id, self.form_url(payment_id))

    async def check(self, *, payment_id: str | None, order_id: str) -> Found | Refused | Unknown:
        self.checks += 1
        for known, (its_order, amount) in self.opened.items():
            if known == payment_id or (payment_id is None and its_order == order_id):
                return Found(known, its_order, self.status, amount)
        return Unknown("silence")

    async def confirm(self, **_: object) -> Accepted | Refused | Unknown:
        self.status = "CONFIRMED"
        return Accepted(self.status)

    async def cancel(self, **_: object) -> Accepted | Refused | Unknown:
        self.status = "CANCELLED"
        return Accepted(self.status)

    def form_url(self, payment_id: str) -> str:
        return f"http://localhost:18703/api/v1/paymentform/render/{payment_id}"

    def away_s(self, call: str) -> float:
        return self.away.get(call, 0.0)

    def is_slow(self, call: str) -> bool:
        return self.away_s(call) > 0


class Changes:
    """Whether the catalogue has changed, and whether one would hear of it."""

    version: int | None = 1


class ApiStand:
    def __init__(
        self,
        db: Db,
        redis: "Redis",
        clock: Clock,
        folder: Path,
        *,
        envelope: bool = False,
        gateway: ScriptedGateway | None = None,
        modes: Any = None,
        desk: Any = None,
        owner: str = OWNER,
    ) -> None:
        """`modes` and `desk`: the rooms, where they are real ones. `owner`: own or partner, who
        has the seats of every event.
        """
        self.db, self.clock = db, clock
        self.ids: dict[str, int] = {}
        self.keyring = Keyring(folder / "keys")
        self.passwords = Passwords(b"pepper of a test")
        self.accounts = Accounts(db, self.passwords, clock)
        self.identity = Identity(
            self.accounts,
            Sessions(db, b"s" * 32, clock),
            self.keyring.secret("subject"),
            secure=False,
        )
        self.gateway = gateway or ScriptedGateway()
        self.modes, self.desk = modes or FakeModes(), desk or FakeDesk()
        self.changes = Changes()
        self.catalogue = Catalogue(db, clock)
        halls = EveryHall(db, clock, self.catalogue) if owner == "partner" else None
        self.holds = (
            PartnerHolds(redis, db, self.catalogue, clock, halls)
            if halls
            else Holds(redis, db, self.catalogue, clock)
        )
        self.payments = Payments(
            db,
            clock,
            gateway=self.gateway,
            holds=self.holds,
            seats=halls,
            addresses=Addresses(notification=f"{HOST}/api/payments/notifications"),
            webhook_secret=WEBHOOK_SECRET,
        )
        self.reset = Reset(db, clock, self.holds.store.epochs, allowed=True, chance=Random(1))
        self.answers = Answers(db, clock)
        self.searches = SearchAnswers(self.changes, clock)  # type: ignore[arg-type]  # scripted
        keyed = KeyedWrites(
            self._build(envelope=envelope),
            self.answers,
            self.identity.identify,
            calls=api_writes(),
        )
        edge = HotWebhooks(CookieEdge(keyed, secure=False), self.payments)
        self.app = HotEvents(edge, self.searches)

    def _build(self, *, envelope: bool) -> Any:
        orders = Orders(
            self.db,
            self.clock,
            catalogue=self.catalogue,
            holds=self.holds,
            payments=self.payments,
        )
        self.refunds = Refunds(
            self.db, self.clock, gateway=self.gateway, orders=orders, holds=self.holds
        )
        admissions = Admissions(
            self.db,
            self.clock,
            keyring=self.keyring,
            catalogue=self.catalogue,
            modes=self.modes,
        )
        return build_app(
            "sales",
            api_routes(),
            links=LINKS,
            provide={
                "catalogue": self.catalogue,
                "events_face": EventsFace(self.searches, envelope=envelope),
                "orders": orders,
                "refunds": self.refunds,
                "bookings": Bookings(self.db, self.holds),
                "holds": self.holds,
                "seatmaps": SeatMaps(self.holds.store, self.clock),
                "admissions": admissions,
                "entrance": Entrance(
                    admissions,
                    self.modes,
                    Shoppers(self.db, self.clock, self.catalogue, self.holds),
                    Asker(self.desk, self.clock),
                ),
                "payments": self.payments,
                "analytics": Analytics(self.db, self.catalogue, self.holds.store),
                "reset": self.reset,
            },
            dependencies={"caller": Provide(self.identity.identify)},
            exceptions={QueueNeeded: show_queue},
        )

    async def people(self) -> dict[str, int]:
        """Aru, Bek and Ermek exist; their account ids."""
        ids = await self.accounts.ensure_many(
            [Newcomer(email, password) for email, password in PEOPLE.values()]
        )
        return {name: ids[email] for name, (email, _) in PEOPLE.items()}

    def api(self, who: str | None = None) -> httpx.AsyncClient:
        """A program that signs in with every call, or does not (None)."""
        email, password = PEOPLE.get(who or "", ("", ""))
        auth = httpx.BasicAuth(email.encode(), password.encode()) if who else None
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=HOST, auth=auth)

    def pass_for(self, event_id: int, account_id: int, jti: str = "visit-1") -> str:
        """What the room's gate would give to this account."""
        now = self.clock.ms() // 1000
        subject = subject_of(self.keyring.secret("subject"), "account", account_id)
        claims = {"iss": "biletter-room", "aud": str(event_id), "sub": subject, "jti": jti}
        times = {"iat": now, "nbf": now - 5, "exp": now + 180, "lease": now + 900}
        return self.keyring.sign("pass", {**claims, **times, "gen": 1, "num": 1}, typ="pass+jwt")
