"""The sales site's pages over a whole shop on real engines, as the composition root does it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from litestar.di import Provide

from accounts.accounts import Accounts, Newcomer
from accounts.cookies import CookieEdge
from accounts.identity import Identity
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from accounts.web import routes as account_routes
from biletter.settings import ROOT
from kernel.clock import ManualClock
from kernel.keyring import Keyring
from kernel.subjects import subject_of
from kernel.web.app import build_app
from kernel.web.links import Links
from kernel.web.pages import Pages
from sales.bookings import Bookings
from sales.guard import QueueNeeded, show_queue
from sales.idempotency import Answers
from sales.seatmap import SeatMaps
from sales.web.api.bookings import cancel_booking, open_booking, show_booking, start_payment
from sales.web.api.routes import api_writes
from sales.web.api.seats import select_seat
from sales.web.enter import enter_routes
from sales.web.keyed import KeyedWrites
from sales.web.pages import page_routes
from sales.web.pages.site import Site
from sales.web.seatmap import routes as map_routes
from tests.flow.shop import Shop, open_shop

HOST = "http://localhost:18600"
# The scripted gateway's forms stand at http://gateway.
LINKS = Links(
    ports={"sales": 18600, "waitingroom": 18601, "toleubar": 18603},
    public={"toleubar": "http://gateway"},
)
HTML = {"accept": "text/html"}
PEOPLE = {"bek": "Бек", "ermek": "Ермек"}


# Those that make and end orders; the whole face has a stand of its own.
BOOKING_CALLS = (open_booking, select_seat, start_payment, show_booking, cancel_booking)


class Browser(httpx.AsyncClient):
    """Keeps cookies, follows nothing by itself."""

    async def see(self, path: str, status: int = 200) -> "Page":
        answer = await self.get(path)
        assert answer.status_code == status, answer.text[:500]
        return Page(answer.text)

    async def submit(self, path: str, **fields: Any) -> httpx.Response:
        return await self.post(path, data=fields)


class Page(HTMLParser):
    """An HTML page as its words, its tags, and the forms and links in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.words = html, ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found in self.tags
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    def links(self) -> list[str]:
        return [one["href"] or "" for one in self.all("a") if "href" in one]

    def seats(self, state: str) -> list[int]:
        """Seat indexes that are `free`, `taken` or `chosen`."""
        boxes = self.all("input", type="checkbox", name="seats")
        is_wanted: Callable[[dict[str, str | None]], bool] = {
            "free": lambda box: "disabled" not in box and "checked" not in box,
            "taken": lambda box: "disabled" in box,
            "chosen": lambda box: "checked" in box,
        }[state]
        return [int(box["value"] or "") for box in boxes if is_wanted(box)]


class SalesSite:
    def __init__(self, shop: Shop, clock: ManualClock, folder: Path) -> None:
        self.shop, self.clock = shop, clock
        self.keyring = Keyring(folder / "keys")
        self.passwords = Passwords(b"pepper of a test")
        self.accounts = Accounts(shop.db, self.passwords, clock)
        self.sessions = Sessions(shop.db, b"s" * 32, clock)
        identity = Identity(
            self.accounts, self.sessions, self.keyring.secret("subject"), secure=False
        )
        self.pages = Pages(
            ROOT / "templates", ROOT / "static", ROOT / "locale", LINKS, identity.ambient
        )
        edge = build_app(
            "sales",
            [*page_routes(), *map_routes, *enter_routes(), *account_routes(), *BOOKING_CALLS],
            links=LINKS,
            provide={
                "site": self._site(),
                "seatmaps": SeatMaps(shop.holds.store, clock),
                **self._verbs(),
                "accounts": self.accounts,
                "sessions": self.sessions,
                "identity": identity,
            },
            dependencies={"caller": Provide(identity.identify)},
            pages=self.pages,
            static=ROOT / "static",
            exceptions={QueueNeeded: show_queue},
        )
        keyed = KeyedWrites(edge, Answers(shop.db, clock), identity.identify, calls=api_writes())
        self.app = CookieEdge(keyed, secure=False)
        self.ids: dict[str, int] = {}

    def _site(self) -> Site:
        shop = self.shop
        return Site(
            pages=self.pages,
            links=LINKS,
            clock=self.clock,
            catalogue=shop.catalogue,
            seatmaps=SeatMaps(shop.holds.store, self.clock),
            holds=shop.holds,
            orders=shop.orders,
            payments=shop.payments,
            refunds=shop.refunds,
            tickets=shop.tickets,
            admissions=shop.admissions,
            entrance=shop.entrance,
            room_modes=shop.modes,
            secure_cookies=False,
        )

    def _verbs(self) -> dict[str, Any]:
        """What the calls for programs ask for."""
        shop = self.shop
        named = ("orders", "holds", "refunds", "payments", "admissions", "entrance")
        return {
            **{name: getattr(shop, name) for name in named},
            "bookings": Bookings(shop.db, shop.holds),
        }

    async def people(self) -> None:
        newcomers = [
            Newcomer(f"{key}@demo.biletter.kz", f"{key}-password", "buyer", name)
            for key, name in PEOPLE.items()
        ]
        found = await self.accounts.ensure_many(newcomers)
        self.ids = {key: found[f"{key}@demo.biletter.kz"] for key in PEOPLE}

    def browser(self) -> Browser:
        transport = httpx.ASGITransport(self.app)
        return Browser(transport=transport, base_url=HOST, headers=HTML)

    def program(self, who: str = "bek") -> httpx.AsyncClient:
        """Signs in with every call."""
        auth = httpx.BasicAuth(f"{who}@demo.biletter.kz", f"{who}-password")
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=HOST, auth=auth)

    async def signed_in(self, who: str = "bek") -> Browser:
        browser = self.browser()
        answer = await browser.submit(
            "/sign-in", email=f"{who}@demo.biletter.kz", password=f"{who}-password"
        )
        assert answer.status_code == 303, answer.text[:500]
        return browser

    def pass_for(self, who: str, event_id: int, jti: str = "visit-1") -> str:
        """What the room's gate would give to this account."""
        now = self.clock.ms() // 1000
        subject = subject_of(self.keyring.secret("subject"), "account", self.ids[who])
        claims = {"iss": "biletter-room", "aud": str(event_id), "sub": subject, "jti": jti}
        times = {"iat": now, "nbf": now - 5, "exp": now + 180, "lease": now + 900}
        return self.keyring.sign("pass", {**claims, **times, "gen": 1, "num": 1}, typ="pass+jwt")


@asynccontextmanager
async def open_site(
    db: Any, redis: Any, clock: ManualClock, folder: Path, **event: Any
) -> AsyncIterator[SalesSite]:
    """The site of a new shop with one event, and its people."""
    made = SalesSite(await open_shop(db, redis, clock, folder, **event), clock, folder)
    await made.people()
    try:
        yield made
    finally:
        made.passwords.close()


async def take(browser: Browser, event_id: int, *seats: int) -> str:
    """The address of the order that now holds these seats."""
    answer = await browser.submit(
        f"/events/{event_id}/holds", zone="1", block="1", seats=list(seats)
    )
    assert answer.status_code == 303, answer.text[:500]
    return answer.headers["location"]
