"""The reconcilers of this installation, and when each of them is due."""

from datetime import datetime, timedelta
from functools import partial

from biletter.parts import Parts
from biletter.shop import Shop
from sales.ledger import Ledger
from sales.reconcile.allotments import AllotmentCheck
from sales.reconcile.gateway import GatewayCheck, next_night
from sales.reconcile.items import ReviewItems
from sales.reconcile.ledger import LedgerCheck
from sales.reconcile.partners import PartnerCheck, PartnerHealth
from sales.reconcile.rota import Duty, Rota
from sales.reconcile.seats import SeatCheck
from sales.reconcile.stuck import StuckCheck
from workers.ticker import Piece

STUCK_EVERY = timedelta(minutes=1)
SEATS_EVERY = timedelta(minutes=5)
HEALTH_EVERY = timedelta(seconds=15)
# Whether one is due is looked up this often; a step may have a page of pauses in it.
LOOK_S = 5.0
STEP_TIMEOUT_S = 75.0
FORGET_EVERY_S = 3600.0


def rota_of(parts: Parts, shop: Shop, name: str) -> Rota:
    """`name` tells this process from others that would run the same."""
    db, clock = shop.db, parts.clock
    duties = {
        "stuck": Duty(StuckCheck(db, clock), partial(_after, STUCK_EVERY)),
        "seats": Duty(SeatCheck(db, clock, shop.holds.store), partial(_after, SEATS_EVERY)),
        "allotments": Duty(AllotmentCheck(db, shop.holds.store), partial(_after, SEATS_EVERY)),
        "ledger": Duty(LedgerCheck(Ledger(db)), next_night),
        "gateway": Duty(GatewayCheck(db, clock, shop.gateway), next_night),
        "partner-health": Duty(PartnerHealth(db, clock), partial(_after, HEALTH_EVERY)),
        "partners": Duty(PartnerCheck(db, clock, shop.partner_side.partners), next_night),
    }
    return Rota(db, clock, ReviewItems(db, clock), duties, name)


def reconciling(rota: Rota) -> list[Piece]:
    """The ticker's pieces: each reconciler on its own, so that a slow one holds up no other."""
    steps = [
        Piece(
            f"reconcile-{what}",
            LOOK_S,
            partial(rota.step, what),
            is_quiet=True,
            timeout_s=STEP_TIMEOUT_S,
        )
        for what in rota.duties
    ]
    return [*steps, Piece("reconcile-forget", FORGET_EVERY_S, rota.items.forget_old)]


def _after(pause: timedelta, now: datetime) -> datetime:
    return now + pause
