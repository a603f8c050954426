"""The staff pages, as the composition root puts them together, over real rooms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from litestar.di import Provide
from redis.asyncio import Redis

from accounts.accounts import Accounts
from accounts.cookies import STAFF_COOKIE, CookieEdge
from accounts.identity import Identity
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from admin.audit import Audit
from admin.doorkeeper import Doorkeeper
from admin.events import EventDesk
from admin.restarts import Restarts
from admin.tempo import Tempo
from admin.throttle import ThrottleConsole
from admin.web.routes import routes
from biletter.settings import ROOT
from kernel.clock import Clock
from kernel.db import Db
from kernel.keyring import Keyring
from kernel.web.app import build_app
from kernel.web.links import Links
from kernel.web.pages import Pages
from sales.allotments import Allotments
from sales.cancellations import Cancellations
from sales.catalogue import Catalogue
from sales.outbox_parked import ParkedNotices
from sales.payouts import Payouts
from sales.reconcile.items import ReviewItems
from sales.reschedules import Reschedules
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings

HOST = "http://localhost:18502"
LINKS = Links(ports={"sales": 18500, "waitingroom": 18501, "admin": 18502})
HTML = {"accept": "text/html"}
# Of somebody else, before which a room may stand.
SITE = "https://site.example"
OPS, BEK = "ops@mail.kz", "bek@mail.kz"
PASSWORD = "смена до вечера"


class Desk:
    """Rooms 1 and 2, an operator and a buyer, and the staff pages."""

    def __init__(self, db: Db, redis: "Redis", clock: Clock, keys: Path) -> None:
        self.passwords = Passwords(b"p" * 32)
        self.accounts = Accounts(db, self.passwords, clock)
        self.sessions = Sessions(db, b"s" * 32, clock, audience="staff")
        self.identity = Identity(
            self.accounts, self.sessions, b"k" * 32, secure=False, cookie=STAFF_COOKIE
        )
        self.rooms = Rooms(redis, clock=clock, keyring=Keyring(keys))
        self.tempo = Tempo(self.rooms, clock)
        audit = Audit(db, clock)
        console = ThrottleConsole(self.rooms, audit, self.tempo, {SITE})
        catalogue = Catalogue(db, clock)
        edge = build_app(
            "admin",
            routes(),
            links=LINKS,
            provide={
                "accounts": self.accounts,
                "sessions": self.sessions,
                "identity": self.identity,
                "console": console,
                "doorkeeper": Doorkeeper(console, self.rooms, self.accounts),
                "restarts": Restarts(self.rooms, audit),
                "audit": audit,
                "review": ReviewItems(db, clock),
                "parked": ParkedNotices(db, clock),
                "payouts": Payouts(db, clock),
                "events": EventDesk(
                    clock,
                    catalogue,
                    Cancellations(db, clock, catalogue),
                    Reschedules(db, clock, catalogue),
                ),
                "allotments": Allotments(db),
            },
            dependencies={"caller": Provide(self.identity.identify)},
            pages=Pages(
                ROOT / "templates", ROOT / "static", ROOT / "locale", LINKS, self.identity.ambient
            ),
            static=ROOT / "static",
        )
        self.app = CookieEdge(edge, secure=False)

    async def open(self) -> None:
        await self.rooms.open(1, RoomSettings(title="Селеста Морейра", ceiling=500))
        await self.rooms.open(2, RoomSettings(rate_per_minute=60))
        await self.rooms.reader.refresh()
        await self.accounts.ensure(OPS, PASSWORD, "operator", "Олжас Диспетчер")
        await self.accounts.ensure(BEK, PASSWORD)

    def browser(self, **given: Any) -> httpx.AsyncClient:
        """A browser that keeps cookies and does not follow redirects."""
        transport = httpx.ASGITransport(self.app)
        given.setdefault("headers", HTML)
        return httpx.AsyncClient(transport=transport, base_url=HOST, **given)

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[httpx.AsyncClient]:
        """The operator's browser, signed in."""
        async with self.browser() as browser:
            answer = await browser.post("/sign-in", data={"email": OPS, "password": PASSWORD})
            assert answer.status_code == 303
            yield browser
