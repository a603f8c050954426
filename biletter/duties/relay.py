"""The outbox relay: rings for a worker when a notice is due."""

from random import SystemRandom

from biletter.duties.stopping import stop_signal
from biletter.parts import Parts
from kernel.pulse import Pulse, serve_pulse
from sales.outbox_backlog import Backlog
from sales.outbox_draining import Outbox
from workers.doorbell import Doorbell
from workers.relay import Relay

DB_CONNECTIONS = 2


async def run(parts: Parts) -> None:
    settings = parts.settings
    assert settings.database_url is not None
    pulse = Pulse("relay")
    serve_pulse(pulse, bind=settings.bind, port=settings.port_of("relay"))
    stop = stop_signal()
    db = await parts.db(DB_CONNECTIONS, plans_once=True)
    outbox = Outbox(db, parts.clock, {}, SystemRandom())
    doorbell = Doorbell(parts.redis_jobs())
    backlog = Backlog(db, parts.clock)
    await Relay(settings.database_url, outbox, doorbell, pulse.beat, backlog).run(stop)
    await db.close()
