"""The waiting room's process as the composition root builds it: real Redis, a manual clock."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import httpx
from litestar import Request
from litestar.di import Provide
from redis.asyncio import Redis

from accounts.cookies import CookieEdge
from accounts.identity import device_of
from biletter.settings import ROOT
from kernel.clock import ManualClock
from kernel.keyring import Keyring
from kernel.subjects import subject_of
from kernel.web.app import build_app
from kernel.web.links import Links
from kernel.web.pages import Pages
from tests.web.witness import Witness
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings
from waitingroom.web.described import SCHEMES
from waitingroom.web.hot import HotRooms
from waitingroom.web.hotjoin import HotJoin
from waitingroom.web.hotstatus import HotStatus
from waitingroom.web.routes import routes

EVENT = 1
HOST = "http://localhost:18201"
# A site of somebody else's that the room stands before.
SHOP = "https://shop.example"
LINKS = Links(ports={"sales": 18200, "waitingroom": 18201, "admin": 18202}, sites=frozenset({SHOP}))
# Stands in for a session: the account's id.
ACCOUNT = "x-account"
HTML = {"accept": "text/html"}


class Site:
    def __init__(
        self, redis: "Redis", clock: ManualClock, folder: Path, links: Links = LINKS
    ) -> None:
        self.clock = clock
        self.redis = redis
        self.keyring = Keyring(folder / "keys")
        self.rooms = Rooms(
            redis, clock=clock, keyring=self.keyring, chance=Random(1), gate_clock=clock
        )
        self.pages = Pages(ROOT / "templates", ROOT / "static", ROOT / "locale", links)
        routed = build_app(
            "waitingroom",
            routes(),
            links=links,
            provide={"rooms": self.rooms, "secure_cookies": False},
            dependencies={"visitor": Provide(self._visitor)},
            pages=self.pages,
            static=ROOT / "static",
            schemes=SCHEMES,
            hot={
                "/rooms/": HotRooms(
                    self.rooms,
                    links,
                    HotJoin(self.rooms, links, self._visitor, self._near, secure=False),
                    self.pages.told,
                )
            },
            inner=lambda routes: CookieEdge(routes, secure=False),
        )
        self.app = Witness(HotStatus(routed, self.rooms.reader))

    async def open(self, event: int = EVENT, **fields: Any) -> None:
        await self.rooms.open(event, RoomSettings(**fields))
        await self.rooms.reader.refresh()

    def visitor(self, account: int | None = None) -> httpx.AsyncClient:
        """A browser or program with a cookie jar of its own."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=HOST,
            headers={ACCOUNT: str(account)} if account else {},
        )

    async def move(self, seconds: float) -> None:
        """Time goes by: the ticker ticks four times a second, the reader reads at the end."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            await self.rooms.tick_all("ticker")
        await self.rooms.reader.refresh()

    async def _visitor(self, request: Request[Any, Any, Any]) -> str:
        secret = self.keyring.secret("subject")
        account = request.headers.get(ACCOUNT)
        if account:
            return subject_of(secret, "account", account)
        return subject_of(secret, "device", device_of(request))

    def _near(self, headers: Mapping[bytes, bytes], device: str) -> str:
        secret = self.keyring.secret("subject")
        account = headers.get(ACCOUNT.encode())
        if account:
            return subject_of(secret, "account", account.decode())
        return subject_of(secret, "device", device)
