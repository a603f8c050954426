"""The worker: drains the outbox whenever RQ rings."""

from random import SystemRandom

from biletter.duties.stopping import stop_signal
from biletter.parts import Parts
from biletter.shop import NobodyAsks, Shop
from kernel.pulse import Pulse, serve_pulse
from sales.outbox_draining import Outbox
from sales.payments_void import Voids
from workers import worker
from workers.handlers import Handlers

DB_CONNECTIONS = 24
# It takes and closes notices by turns.
OUTBOX_CONNECTIONS = 4


async def run(parts: Parts) -> None:
    settings = parts.settings
    pulse = Pulse("doorbells", "database")
    serve_pulse(pulse, bind=settings.bind, port=settings.port_of("worker"))
    stop = stop_signal()
    nobody = NobodyAsks()
    shop = Shop(parts, await parts.db(DB_CONNECTIONS), parts.redis_shop(), nobody, nobody)
    outbox_db = await parts.db(OUTBOX_CONNECTIONS, plans_once=True)
    rooms = parts.rooms()
    handlers = Handlers(
        parts.clock,
        payments=shop.payments,
        orders=shop.orders,
        holds=shop.holds,
        admissions=shop.admissions,
        rooms=rooms,
        voids=Voids(shop.gateway, parts.clock),
        refunds=shop.refunds,
        cancellations=shop.cancellation_rounds,
        reschedules=shop.reschedules,
        partners=shop.partner_side.tending(shop.holds),
    )
    outbox = Outbox(outbox_db, parts.clock, handlers.by_kind(), SystemRandom())
    await worker.run(outbox, parts.redis_jobs(), stop, pulse.beat)
    await rooms.close()
    await shop.close()
    await outbox_db.close()
