"""What several duties are built from. Made here, handed down; nothing else opens a store."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from accounts.accounts import Accounts
from accounts.cookies import STAFF_COOKIE
from accounts.identity import Identity
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from biletter.settings import DUTIES_WITH_A_PORT, ROOT, Settings
from kernel.clock import Clock, SystemClock
from kernel.db import Db, open_pool
from kernel.keyring import Keyring
from kernel.web.links import Links
from kernel.web.pages import Pages

TEMPLATES, STATIC, LOCALE = ROOT / "templates", ROOT / "static", ROOT / "locale"
# A Redis that does not answer within this is away, and the caller is told so.
REDIS_TIMEOUT_S = 3.0
REDIS_CONNECTIONS_MAX = 32


class Parts:
    """The common parts of one process: settings, clock, keys, links; stores on demand."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.keyring = Keyring(settings.keys)
        self.links = links_of(settings)

    async def db(self, size_max: int = 8) -> Db:
        assert self.settings.database_url is not None
        return await open_pool(self.settings.database_url, size_max=size_max)

    def redis_rooms(self) -> Redis:
        return open_redis(self.settings.redis_rooms_url)

    def redis_shop(self) -> Redis:
        return open_redis(self.settings.redis_shop_url)

    def redis_jobs(self) -> SyncRedis:
        """The blocking client that RQ works with."""
        assert self.settings.redis_shop_url is not None
        return SyncRedis.from_url(self.settings.redis_shop_url)

    def accounts(self, db: Db) -> Accounts:
        return Accounts(db, Passwords(self.keyring.secret("pepper")), self.clock)

    def sessions(self, db: Db, *, staff: bool = False) -> Sessions:
        audience: Any = "staff" if staff else "site"
        return Sessions(db, self.keyring.secret("session"), self.clock, audience=audience)

    def identity(self, accounts: Accounts, sessions: Sessions, *, staff: bool = False) -> Identity:
        named = {"cookie": STAFF_COOKIE} if staff else {}
        return Identity(
            accounts,
            sessions,
            self.keyring.secret("subject"),
            secure=self.settings.secure_cookies,
            **named,
        )

    def pages(self, ambient: Any) -> Pages:
        return Pages(TEMPLATES, STATIC, LOCALE, self.links, ambient)


def open_redis(url: str | None) -> Redis:
    """No blind retries: whether a command ran is for the caller to find out."""
    assert url is not None
    return Redis.from_url(
        url,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        max_connections=REDIS_CONNECTIONS_MAX,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=15,
    )


def links_of(settings: Settings) -> Links:
    ports = {duty: settings.port_of(duty) for duty in DUTIES_WITH_A_PORT[:5]}
    public = dict(settings.public)
    gateway = settings.payment_endpoint
    if gateway:
        parts = urlsplit(gateway)
        # Forms are redirected to the gateway's card page: browsers must be told that this is ours.
        public.setdefault("toleubar", f"{parts.scheme}://{parts.netloc}")
    return Links(ports=ports, public=public, hosts=settings.hosts, sites=settings.sites)


def books_of(settings: Settings) -> Path:
    return settings.data / "toleubar" / "books.sqlite"
