"""Redis follows PostgreSQL: seats that disagree are given to whoever PostgreSQL says."""

from collections import defaultdict

import structlog

from sales.reconcile.seats_read import SOLD, Suspect
from sales.seatstore import CLAIM_S, SeatStore

log = structlog.get_logger()


async def mend(store: SeatStore, event_id: int, suspects: list[Suspect], now_ms: int) -> None:
    """By the ordinary commands of the seats, each of which looks again by itself. Where Redis shows
    a seat taken and gives it to nobody, the event's keys are made anew from PostgreSQL; holds that
    PostgreSQL has not given to others survive that.
    """
    if any(one.holder is None and one.claim is None for one in suspects):
        await store.rebuild(event_id)
        return
    letting_go: dict[int, list[int]] = defaultdict(list)
    taking: dict[tuple[int, int, bool], list[int]] = defaultdict(list)
    for one in suspects:
        claim = one.claim
        # A sold seat never goes back to claimed by itself: it is let go first.
        if one.holder is not None and (claim is None or (one.shown == SOLD and not claim.sold)):
            letting_go[one.holder].append(one.seat)
        if claim is not None:
            taking[claim.order_id, claim.account_id, claim.sold].append(one.seat)
    for order_id, seats in letting_go.items():
        await store.run("free", event_id, order_id, *seats)
    until_ms = now_ms + CLAIM_S * 1000
    if taking:
        await store.look_after(event_id, until_ms)
    for (order_id, account_id, sold), seats in taking.items():
        mark = "S" if sold else "H"
        await store.claim(event_id, order_id, account_id, seats, mark=mark, until_ms=until_ms)
    log.warning("seats mended", event_id=event_id, seats=[one.seat for one in suspects[:100]])
