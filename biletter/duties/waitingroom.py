"""The waiting room's process. PostgreSQL is asked only about HTTP Basic: the queue itself goes
on without it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from litestar.di import Provide

from accounts.cookies import CookieEdge
from biletter.parts import STATIC, Parts, teller
from biletter.seed.room import ensure_star_room
from kernel.web.app import build_app, running
from kernel.web.networks import Networks
from kernel.web.serve import serve
from waitingroom.abuse import Door
from waitingroom.store import RoomAway
from waitingroom.tallies import tell_tallies
from waitingroom.web.counts import Counts
from waitingroom.web.described import SCHEMES
from waitingroom.web.hot import HotRooms
from waitingroom.web.hotjoin import HotJoin
from waitingroom.web.hotstatus import HotStatus
from waitingroom.web.routes import routes

DB_CONNECTIONS = 2
log = structlog.get_logger()


async def run(parts: Parts) -> None:
    settings = parts.settings
    db = await parts.db(DB_CONNECTIONS)
    accounts = parts.accounts(db)
    identity = parts.identity(accounts, parts.sessions(db))
    networks = Networks(settings.trusted_proxies, settings.allowed_networks)
    door = Door(parts.clock, networks, count_only=settings.count_only)
    rooms = parts.rooms(door=door)

    @asynccontextmanager
    async def open_rooms() -> AsyncIterator[None]:
        try:
            if settings.shop:
                await ensure_star_room(rooms, settings)
        except RoomAway as error:
            log.warning("the star's room could not be looked after", error=repr(error))
        await rooms.reader.refresh()
        yield

    join = HotJoin(
        rooms, parts.links, identity.visitor, identity.near, secure=settings.secure_cookies
    )
    pages = parts.pages(identity.ambient)
    app = build_app(
        "waitingroom",
        routes(),
        links=parts.links,
        provide={"rooms": rooms, "secure_cookies": settings.secure_cookies},
        dependencies={"visitor": Provide(identity.visitor)},
        ready={"redis-rooms": rooms.redis.ping},
        lifespan=[
            open_rooms(),
            running(rooms.reader.run),
            running(Counts(rooms, teller()).run),
            running(accounts.upgrades.run),
            running(lambda: tell_tallies(door, rooms)),
        ],
        hot={"/rooms/": HotRooms(rooms, parts.links, join, pages.told)},
        inner=lambda routes: CookieEdge(routes, secure=settings.secure_cookies),
        pages=pages,
        schemes=SCHEMES,
        static=STATIC,
    )
    port = settings.port_of("waitingroom")
    whole = HotStatus(app, rooms.reader)
    await serve(whole, bind=settings.bind, port=port, duty="waitingroom")
    await rooms.close()
    await db.close()
