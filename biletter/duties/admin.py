"""The staff process: the throttle console, differences, payouts, events and the audit."""

from litestar.di import Provide

from accounts.cookies import CookieEdge
from admin.audit import Audit
from admin.doorkeeper import Doorkeeper
from admin.events import EventDesk
from admin.restarts import Restarts
from admin.tempo import Tempo
from admin.throttle import ThrottleConsole
from admin.web.routes import routes
from biletter.parts import STATIC, Parts
from kernel.web.app import build_app, running
from kernel.web.serve import serve
from sales.allotments import Allotments
from sales.cancellations import Cancellations
from sales.catalogue import Catalogue
from sales.outbox_parked import ParkedNotices
from sales.payouts import Payouts
from sales.reconcile.items import ReviewItems
from sales.reschedules import Reschedules

DB_CONNECTIONS = 4


async def run(parts: Parts) -> None:
    settings = parts.settings
    db = await parts.db(DB_CONNECTIONS)
    accounts, sessions = parts.accounts(db), parts.sessions(db, staff=True)
    identity = parts.identity(accounts, sessions, staff=True)
    rooms = parts.rooms()
    audit, tempo = Audit(db, parts.clock), Tempo(rooms, parts.clock)
    console = ThrottleConsole(rooms, audit, tempo, settings.sites)
    catalogue = Catalogue(db, parts.clock)
    # Facts only: the worker hears of them and speaks to the gateway, this process never does.
    changes = (
        Cancellations(db, parts.clock, catalogue),
        Reschedules(db, parts.clock, catalogue),
    )
    app = build_app(
        "admin",
        routes(),
        links=parts.links,
        provide={
            "accounts": accounts,
            "sessions": sessions,
            "identity": identity,
            "console": console,
            "doorkeeper": Doorkeeper(console, rooms, accounts),
            "restarts": Restarts(rooms, audit),
            "audit": audit,
            "review": ReviewItems(db, parts.clock),
            "parked": ParkedNotices(db, parts.clock),
            "payouts": Payouts(db, parts.clock),
            "events": EventDesk(parts.clock, catalogue, *changes),
            "allotments": Allotments(db),
        },
        dependencies={"caller": Provide(identity.identify)},
        ready={"database": lambda: db.fetchval("SELECT 1"), "redis-rooms": rooms.redis.ping},
        lifespan=[running(rooms.reader.run), running(tempo.run), running(accounts.upgrades.run)],
        inner=lambda routes: CookieEdge(routes, secure=settings.secure_cookies),
        pages=parts.pages(identity.ambient),
        static=STATIC,
    )
    await serve(app, bind=settings.bind, port=settings.port_of("admin"), duty="admin")
    await rooms.close()
    await db.close()
