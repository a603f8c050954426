"""The ticker: the rooms' admission tick, and what lapses with time."""

import os
import socket
from random import SystemRandom

from biletter.duties.stopping import stop_signal
from biletter.parts import Parts
from biletter.reconcilers import reconciling, rota_of
from biletter.shop import NobodyAsks, Shop
from kernel.pulse import Pulse, serve_pulse
from sales.allotments import AllotmentTick
from sales.idempotency import Answers
from sales.outbox_draining import Outbox
from workers.doorbell import Doorbell
from workers.relay import FORGOTTEN_S, Sweeper
from workers.ticker import BEATING, Piece, Ticker, pieces

DB_CONNECTIONS = 8
# Deadlines, and what staff have changed.
ALLOTMENTS_EVERY_S = 1.0
# Sessions that are over only take room.
SWEEP_EVERY_S = 3600.0
# Answers kept under clients' keys, a batch at a time.
KEYS_EVERY_S = 60.0


async def run(parts: Parts) -> None:
    settings = parts.settings
    pulse = Pulse(*BEATING)
    serve_pulse(pulse, bind=settings.bind, port=settings.port_of("ticker"))
    stop = stop_signal()
    nobody = NobodyAsks()
    shop = Shop(parts, await parts.db(DB_CONNECTIONS), parts.redis_shop(), nobody, nobody)
    rooms = parts.rooms()
    name = f"{socket.gethostname()}:{os.getpid()}"
    given = pieces(
        name,
        parts.clock,
        rooms=rooms,
        holds=shop.holds,
        admissions=shop.admissions,
        orders=shop.orders,
    )
    given.append(Piece("keys", KEYS_EVERY_S, Answers(shop.db, parts.clock).sweep))
    tick = AllotmentTick(shop.db, shop.holds.store).tick
    given.append(Piece("allotments", ALLOTMENTS_EVERY_S, tick))
    sessions = [parts.sessions(shop.db), parts.sessions(shop.db, staff=True)]
    given += [Piece("sessions", SWEEP_EVERY_S, one.sweep) for one in sessions]
    outbox = Outbox(shop.db, parts.clock, {}, SystemRandom())
    sweeper = Sweeper(outbox, Doorbell(parts.redis_jobs()))
    given.append(Piece("forgotten", FORGOTTEN_S, sweeper.sweep))
    given += reconciling(rota_of(parts, shop, name))
    await Ticker(given, pulse.beat).run(stop)
    await rooms.close()
    await shop.close()
