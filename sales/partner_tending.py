"""Looking after orders at partners, notice by notice: each serves an order of ours, or goes back.

What one is needed for is never told, it is looked up: the hold in Redis while its buyer chooses,
the claim in PostgreSQL afterwards. So it does not matter how an order ended, by whom, or whether
anybody lived to say so.
"""

from datetime import datetime
from typing import Final, Protocol

from kernel.clock import Clock
from sales.hold import Hold
from sales.outbox import Again, Notice
from sales.partner import ENDED, PartnerOrder
from sales.partner_book import PartnerBook, Wish
from sales.partner_driving import PartnerDriving
from sales.partner_steps import Goal

# After a hold's last moment: a buyer may have made it longer in that very one.
AFTER_S: Final = 1.0
# While a claimed seat is being paid it is looked at now and then.
PAYING_S: Final = 60.0
SWEEP_MAX: Final = 500
# A hint is one look more; the order's own notice goes on by itself.
HINT_FOR_S: Final = 60.0


class HoldReader(Protocol):
    """As much of sales.holds.Holds as is asked for here."""

    async def of_order(self, event_id: int, order_id: int) -> Hold | None: ...


class PartnerTending:
    def __init__(
        self, book: PartnerBook, driving: PartnerDriving, clock: Clock, holds: HoldReader
    ) -> None:
        self._book, self._driving, self._clock, self._holds = book, driving, clock, holds

    async def tend(self, notice: Notice) -> Again | None:
        """For the outbox: as far as it goes now, and again until it has come to its end."""
        until: list[datetime] = []

        async def goal_of(order: PartnerOrder) -> Goal:
            return await self._goal(order, until)

        order, wait_s = await self._driving.drive(notice.subject_id, goal_of)
        if order is None or order.state in ENDED or order.state == "confirmed":
            return None
        if wait_s > 0:
            again = Again(wait_s)
        else:
            left_s = (until[-1] - self._clock.now()).total_seconds() if until else PAYING_S
            again = Again(max(AFTER_S, left_s + AFTER_S))
        if "hint" not in notice.payload:
            return again
        age_s = (self._clock.now() - notice.created_at).total_seconds()
        return again if wait_s > 0 and age_s < HINT_FOR_S else None

    async def sweep(self, notice: Notice) -> Again | None:
        """For the outbox, after a reset: nobody is going to look at those that are about."""
        del notice
        return Again(0) if len(await self._book.sweep(SWEEP_MAX)) == SWEEP_MAX else None

    async def _goal(self, order: PartnerOrder, until: list[datetime]) -> Goal:
        """`until` learns when to look again, where that is known."""
        wish = await self._book.wish(order.id)
        until.clear()
        if wish is None or wish.state is None:
            return "free"
        if wish.is_claimed:
            return "confirm" if wish.state == "paid" else self._paying(wish, until)
        if wish.state != "open":
            return "free"
        hold = await self._holds.of_order(order.event_id, order.order_id)
        if hold is None or order.seat not in hold.seats:
            return "free"
        now_ms = self._clock.ms()
        until.append(
            datetime.fromtimestamp(max(hold.expires_at_ms, now_ms) / 1000, self._clock.now().tzinfo)
        )
        return "keep"

    def _paying(self, wish: Wish, until: list[datetime]) -> Goal:
        if wish.expires_at is not None:
            until.append(wish.expires_at)
        return "submit"
