"""What several duties are built from. Made here, handed down; nothing else opens a store."""

import os
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.accounts import Accounts
from accounts.cookies import STAFF_COOKIE
from accounts.identity import Identity
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from biletter.redis_address import REDIS_TIMEOUT_S, open_redis
from biletter.settings import ROOT, WEB_DUTIES, Settings
from kernel.clock import Clock, SystemClock
from kernel.db import Db, open_pool
from kernel.keyring import Keyring
from kernel.service_tokens import ServiceTokens
from kernel.web.links import Links
from kernel.web.networks import Networks
from kernel.web.pages import Pages
from sales.changes import CatalogueChanges
from waitingroom.apart import RoomsApart

MS = 1000
# What browsers reach of a room that stands alone.
ROOM_DUTIES = ("waitingroom", "admin")
TELLER_MAX = 60
TEMPLATES, STATIC, LOCALE = ROOT / "templates", ROOT / "static", ROOT / "locale"


class OpenRooms(RoomsApart):
    """Rooms with the connections that were opened for them."""

    def __init__(self, redis: "Redis", own: dict[int, "Redis"], **options: Any) -> None:
        super().__init__(redis, own, **options)
        self.redis = redis
        self._opened = [redis, *own.values()]

    async def close(self) -> None:
        for one in self._opened:
            await one.aclose()


class Parts:
    """The common parts of one process: settings, clock, keys, links; stores on demand."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.keyring = Keyring(settings.keys)
        self.links = links_of(settings)

    async def db(self, size_max: int = 8, *, plans_once: bool = False) -> Db:
        assert self.settings.database_url is not None
        return await open_pool(self.settings.database_url, size_max=size_max, plans_once=plans_once)

    def catalogue_changes(self) -> CatalogueChanges:
        assert self.settings.database_url is not None
        return CatalogueChanges(self.settings.database_url)

    def redis_rooms(self) -> Redis:
        assert self.settings.redis_rooms_url is not None
        return open_redis(self.settings.redis_rooms_url)

    def rooms(self, **more: Any) -> OpenRooms:
        """The rooms, those with a Redis of their own among them."""
        own = {event: open_redis(url) for event, url in self.settings.redis_room_urls.items()}
        return OpenRooms(self.redis_rooms(), own, clock=self.clock, keyring=self.keyring, **more)

    def redis_shop(self) -> Redis:
        assert self.settings.redis_shop_url is not None
        return open_redis(self.settings.redis_shop_url)

    def redis_jobs(self) -> SyncRedis:
        """The blocking client that RQ works with."""
        assert self.settings.redis_shop_url is not None
        return SyncRedis.from_url(
            self.settings.redis_shop_url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )

    def accounts(self, db: Db) -> Accounts:
        return Accounts(db, Passwords(self.keyring.secret("pepper")), self.clock)

    def sessions(self, db: Db, *, staff: bool = False) -> Sessions:
        audience: Any = "staff" if staff else "site"
        return Sessions(db, self.keyring.secret("session"), self.clock, audience=audience)

    def identity(self, accounts: Accounts, sessions: Sessions, *, staff: bool = False) -> Identity:
        named: dict[str, Any] = {"cookie": STAFF_COOKIE} if staff else {}
        return Identity(
            accounts,
            sessions,
            self.keyring.secret("subject"),
            secure=self.settings.secure_cookies,
            networks=Networks(self.settings.trusted_proxies),
            **named,
        )

    def service_tokens(self) -> ServiceTokens:
        return ServiceTokens(self.keyring, lambda: self.clock.ms() / MS)

    def pages(self, ambient: Any) -> Pages:
        return Pages(TEMPLATES, STATIC, LOCALE, self.links, ambient)


def teller() -> str:
    """The name under which a process tells how many came."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:TELLER_MAX] + f":{os.getpid()}"


def links_of(settings: Settings) -> Links:
    duties = WEB_DUTIES if settings.shop else ROOM_DUTIES
    ports = {duty: settings.port_of(duty) for duty in duties}
    public = dict(settings.public)
    gateway = settings.payment_endpoint
    if gateway and settings.shop:
        parts = urlsplit(gateway)
        # Forms are redirected to the gateway's card page: browsers must be told that this is ours.
        public.setdefault("toleubar", f"{parts.scheme}://{parts.netloc}")
    return Links(ports=ports, public=public, hosts=settings.hosts, sites=settings.sites)


def records_of(settings: Settings) -> Path:
    return settings.data / "provider" / "records.sqlite"


def books_of(settings: Settings) -> Path:
    return settings.data / "toleubar" / "books.sqlite"
