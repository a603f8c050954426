"""What is done about each kind of notice. Every handler may be run twice."""

from collections.abc import Mapping
from typing import Protocol

from kernel.clock import Clock
from sales.admission import Admissions
from sales.cancellations import CANCELLED
from sales.cancellations_rounds import CancellationRounds
from sales.holds import Holds
from sales.order import OrderUnknown
from sales.orders import Orders
from sales.outbox import Again, Handler, Notice
from sales.partner import SWEEP, TEND
from sales.partner_tending import PartnerTending
from sales.payments import Payments
from sales.payments_void import VOID, Voids
from sales.refills import REFILL, Refills
from sales.refunds import Refunds
from sales.refunds_book import RETURNED
from sales.refunds_owed import SETTLE
from sales.reschedules import MOVED, Reschedules

# After a webhook the gateway's own answer may lag behind (§1.7); asked this often,
HINT_EVERY_S = 2.0
# for this long; then the payment's ordinary looks go on alone.
HINT_FOR_S = 40.0
ENDED = frozenset({"cancelled", "expired"})


class RoomDoor(Protocol):
    """As much of waitingroom.room.Rooms as notices need."""

    async def keep(
        self, event: int, subject: str, until_ms: int, jti: str | None = None
    ) -> bool: ...

    async def free(self, event: int, subject: str, jti: str | None = None) -> bool: ...


class Handlers:
    def __init__(
        self,
        clock: Clock,
        *,
        payments: Payments,
        orders: Orders,
        holds: Holds,
        admissions: Admissions,
        rooms: RoomDoor,
        voids: Voids,
        refunds: Refunds,
        cancellations: CancellationRounds,
        reschedules: Reschedules,
        partners: PartnerTending,
    ) -> None:
        self._clock = clock
        self._payments, self._orders, self._holds = payments, orders, holds
        self._admissions, self._rooms, self._voids = admissions, rooms, voids
        self._refunds = refunds
        self._cancellations, self._reschedules = cancellations, reschedules
        self._partners = partners
        self._refills = Refills(holds.store, clock)

    def by_kind(self) -> Mapping[str, Handler]:
        return {
            "payment.settle": self.settle,
            VOID: self._voids.void,
            "order.expire": self.expire,
            "order.paid": self.paid,
            "order.released": self.released,
            SETTLE: self.settle_refund,
            RETURNED: self.returned,
            REFILL: self._refills.refill,
            CANCELLED: self._cancellations.carry_on,
            MOVED: self._reschedules.carry_on,
            TEND: self._partners.tend,
            SWEEP: self._partners.sweep,
            "admission.opened": self.opened,
            "admission.ended": self.ended,
        }

    async def settle(self, notice: Notice) -> Again | None:
        """Ask the gateway about a payment: until it is final, or once because of a hint."""
        again = await self._payments.settle(notice.subject_id)
        if again is None or "hint" not in notice.payload:
            return again
        age_s = (self._clock.now() - notice.created_at).total_seconds()
        return Again(min(again.delay_s, HINT_EVERY_S)) if age_s < HINT_FOR_S else None

    async def expire(self, notice: Notice) -> None:
        """The time to pay is over."""
        await self._orders.expire(notice.subject_id)

    async def paid(self, notice: Notice) -> None:
        """The seats are sold in Redis too, and the visit is over."""
        told = notice.payload
        await self._holds.sell(told["event_id"], notice.subject_id, told["seats"])
        await self._admissions.end(told["event_id"], told["admission_jti"], "paid")

    async def released(self, notice: Notice) -> None:
        """The seats are free in Redis too, and there is time for another try."""
        told = notice.payload
        try:
            order = await self._orders.get(notice.subject_id)
        except OrderUnknown:  # a reset has voided its seats
            return
        # Late money may have taken the seats again meanwhile.
        if order.state in ENDED:
            await self._holds.free(told["event_id"], notice.subject_id, told["seats"])
            await self._admissions.shorten(told["event_id"], told["admission_jti"])

    async def settle_refund(self, notice: Notice) -> Again | None:
        """Money is on its way back through the gateway."""
        return await self._refunds.settle(notice.subject_id)

    async def returned(self, notice: Notice) -> None:
        """Tickets came back: their seats are free in Redis too."""
        told = notice.payload
        await self._holds.free(told["event_id"], notice.subject_id, told["seats"])

    async def opened(self, notice: Notice) -> None:
        """The pass was used: the place in flight is kept for the visit."""
        told = notice.payload
        await self._rooms.keep(told["event_id"], told["subject"], told["until_ms"], told.get("jti"))

    async def ended(self, notice: Notice) -> None:
        """The visit is over: the place in flight goes to the next in line."""
        told = notice.payload
        await self._rooms.free(told["event_id"], told["subject"], told.get("jti"))
