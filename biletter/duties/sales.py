"""The sales site: pages for people, `/api/*` for programs."""

from typing import Any

from litestar.di import Provide

from accounts.cookies import CookieEdge
from accounts.identity import Identity
from accounts.sessions import Sessions
from accounts.web import routes as account_routes
from biletter.parts import STATIC, Parts, teller
from biletter.room_desk import HttpRoomDesk
from biletter.room_modes import PolledRoomModes
from biletter.shop import Shop
from kernel.web.app import build_app, running
from kernel.web.pages import Pages
from kernel.web.serve import serve
from sales.guard import QueueNeeded, show_queue
from sales.idempotency import Answers
from sales.web.api.events import EventsFace
from sales.web.api.hot_events import HotEvents, SearchAnswers
from sales.web.api.hot_webhooks import HotWebhooks
from sales.web.api.routes import api_routes, api_writes
from sales.web.enter import enter_routes
from sales.web.keyed import KeyedWrites
from sales.web.pages import page_routes
from sales.web.pages.site import Site
from sales.web.seatmap import routes as map_routes

DB_CONNECTIONS = 16
# What handlers ask for by these names.
VERBS = (
    "catalogue",
    "holds",
    "seatmaps",
    "orders",
    "payments",
    "refunds",
    "tickets",
    "admissions",
    "entrance",
    "bookings",
    "analytics",
    "reset",
)


async def run(parts: Parts) -> None:
    settings = parts.settings
    db = await parts.db(DB_CONNECTIONS)
    accounts, sessions = parts.accounts(db), parts.sessions(db)
    identity = parts.identity(accounts, sessions)
    room, tokens = f"http://127.0.0.1:{settings.port_of('waitingroom')}", parts.service_tokens()
    modes = PolledRoomModes(room, tokens, teller())
    desk = HttpRoomDesk(room, tokens)
    shop = Shop(parts, db, parts.redis_shop(), modes, desk)
    pages = parts.pages(identity.ambient)
    changes = parts.catalogue_changes()
    answers = SearchAnswers(changes, parts.clock)
    edge = build_app(
        "sales",
        [*page_routes(), *map_routes, *enter_routes(), *account_routes(), *api_routes()],
        links=parts.links,
        provide={
            **_verbs(shop),
            **_people(accounts, sessions, identity),
            "site": _site(parts, shop, modes, pages),
            "clock": parts.clock,
            "links": parts.links,
            "room_modes": modes,
            "events_face": EventsFace(answers, envelope=settings.events_envelope),
        },
        dependencies={"caller": Provide(identity.identify)},
        ready={
            "database": lambda: db.fetchval("SELECT 1"),
            "redis-shop": shop.redis.ping,
        },
        lifespan=[
            running(lambda: modes.run(shop.catalogue.guarded)),
            running(accounts.upgrades.run),
            running(changes.run),
        ],
        inner=lambda routes: CookieEdge(
            KeyedWrites(routes, Answers(db, parts.clock), identity.identify, calls=api_writes()),
            secure=settings.secure_cookies,
        ),
        pages=pages,
        static=STATIC,
        exceptions={QueueNeeded: show_queue},
    )
    app = HotEvents(HotWebhooks(edge, shop.payments), answers)
    await serve(app, bind=settings.bind, port=settings.port_of("sales"), duty="sales")
    await desk.close()
    await shop.close()


def _verbs(shop: Shop) -> dict[str, Any]:
    return {name: getattr(shop, name) for name in VERBS}


def _people(accounts: Any, sessions: Sessions, identity: Identity) -> dict[str, Any]:
    return {"accounts": accounts, "sessions": sessions, "identity": identity}


def _site(parts: Parts, shop: Shop, modes: PolledRoomModes, pages: Pages) -> Site:
    return Site(
        pages=pages,
        links=parts.links,
        clock=parts.clock,
        catalogue=shop.catalogue,
        seatmaps=shop.seatmaps,
        holds=shop.holds,
        orders=shop.orders,
        payments=shop.payments,
        refunds=shop.refunds,
        tickets=shop.tickets,
        admissions=shop.admissions,
        entrance=shop.entrance,
        room_modes=modes,
        secure_cookies=parts.settings.secure_cookies,
    )
