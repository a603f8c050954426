"""A small site around the account pages, as the composition root puts one together."""

from typing import Any

import httpx
import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency, Provide

from accounts.accounts import Accounts
from accounts.cookies import CookieEdge
from accounts.identity import Caller, Identity
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from accounts.web import routes
from biletter.settings import ROOT
from kernel.clock import Clock
from kernel.db import Db
from kernel.web.app import build_app
from kernel.web.links import Links
from kernel.web.pages import Pages

HOST = "http://localhost:18500"
LINKS = Links(ports={"sales": 18500, "waitingroom": 18501, "admin": 18502})
HTML = {"accept": "text/html"}


@get("/api/whoami")
async def whoami(caller: NamedDependency[Caller]) -> Response[bytes]:
    return Response(msgspec.json.encode(caller), media_type="application/json")


@get("/whoami")
async def whoami_page(caller: NamedDependency[Caller]) -> Response[bytes]:
    return Response(msgspec.json.encode(caller), media_type="application/json")


@post("/whoami")
async def whoami_write(caller: NamedDependency[Caller]) -> dict[str, int]:
    return {"account_id": caller.need_account()}


class Site:
    def __init__(self, db: Db, clock: Clock, passwords: Passwords) -> None:
        self.accounts = Accounts(db, passwords, clock)
        self.sessions = Sessions(db, b"s" * 32, clock)
        self.identity = Identity(self.accounts, self.sessions, b"k" * 32, secure=False)
        pages = Pages(
            ROOT / "templates", ROOT / "static", ROOT / "locale", LINKS, self.identity.ambient
        )
        edge = build_app(
            "test",
            [*routes(), whoami, whoami_page, whoami_write],
            links=LINKS,
            provide={
                "accounts": self.accounts,
                "sessions": self.sessions,
                "identity": self.identity,
            },
            dependencies={"caller": Provide(self.identity.identify)},
            pages=pages,
            static=ROOT / "static",
        )
        self.app = CookieEdge(edge, secure=False)

    def browser(self, **given: Any) -> httpx.AsyncClient:
        """A browser that keeps cookies and does not follow redirects; `address` is where it is."""
        transport = httpx.ASGITransport(self.app, client=(given.pop("address", "127.0.0.1"), 123))
        given.setdefault("headers", HTML)
        return httpx.AsyncClient(transport=transport, base_url=HOST, **given)
