"""Refunds: tickets come back, their seats go on sale at once, the money finds its way.

A whole payment goes back through the gateway, which is asked, told and asked again (ADR 9); a
part of one, or what is left after a fee, waits in the queue of payouts for staff. Every verb can
be repeated: two clicks are one refund.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import TryAgain
from sales.gateway import Gateway, Refused, Unknown
from sales.order import Order
from sales.outbox import Again, PermanentError
from sales.payments_settling import NOT_CANCELLABLE
from sales.refund import Paid, Refund, Return, Sheet
from sales.refunds_book import RefundBook
from sales.refunds_policy import is_returned, plan_return
from sales.refunds_steps import Done, Puzzle, Queue, Rest, Send, Wait, decide, look_s, refused
from sales.tickets import Ticket

# Whoever loses this many races in a row may try again himself.
RACES_MAX = 5
# Send, then see that it is done; more is a lively race.
STEPS_MAX = 6
RACE_S = 0.3
REFUNDS = Counter("refunds", "Refunds by what became of them", ["outcome"])
log = structlog.get_logger()


class OrderReader(Protocol):
    """As much of sales.orders.Orders as refunds ask for."""

    async def get(self, order_id: int) -> Order: ...

    async def own(self, order_id: int, account_id: int) -> Order: ...


class SeatFreer(Protocol):
    """As much of sales.holds.Holds as refunds ask for."""

    async def free(self, event_id: int, order_id: int, seats: list[int]) -> object: ...


class Quote(msgspec.Struct, frozen=True):
    """What the buyer would get for what can still be returned. Sums in tiyn."""

    tickets: list[Ticket]
    plan: Return | None


class Refunds:
    def __init__(
        self, db: Db, clock: Clock, *, gateway: Gateway, orders: OrderReader, holds: SeatFreer
    ) -> None:
        self.book = RefundBook(db, clock)
        self._clock, self._gateway = clock, gateway
        self._orders, self._holds = orders, holds

    async def of_order(self, order_id: int) -> list[Refund]:
        """The oldest first."""
        return await self.book.of_order(order_id)

    async def returnable(self, order: Order) -> list[Ticket]:
        """The tickets that their buyer may return now, in seat order."""
        if order.state != "paid":
            return []
        sheet = await self.book.sheet(order)
        return [one for one in sheet.tickets if one.state == "valid" and one.id not in sheet.late]

    async def quote(
        self, order_id: int, account_id: int, tickets: Sequence[int] | None = None
    ) -> Return:
        """What returning these tickets (None: all that are left) would give. Raises as `ask`."""
        order = await self._orders.own(order_id, account_id)
        return plan_return(await self.book.sheet(order), tickets)

    async def ask(
        self, order_id: int, account_id: int, tickets: Sequence[int] | None = None
    ) -> Refund:
        """The buyer returns these tickets (ids), or all that are left. Asked again for the same:
        the same refund. Raises OrderUnknown, NotYourOrder, OrderUnpaid, RefundTooLate, TicketUsed,
        TicketReturned, TicketUnknown, NoTicketsChosen.
        """
        await self._orders.own(order_id, account_id)
        return await self._give_back(order_id, tickets, "buyer", f"account:{account_id}")

    async def give_back(self, order_id: int, reason: str, actor: str) -> Refund:
        """The organiser gives back all that is left, whenever, without a fee. Raises OrderUnknown,
        OrderUnpaid.
        """
        return await self._give_back(order_id, None, reason, actor, by_house=True)

    async def settle(self, refund_id: int) -> Again | None:
        """Have the gateway give it back, as far as it goes now. None: nothing is left to do.
        Raises PermanentError for what staff must look at.
        """
        for _ in range(STEPS_MAX):
            found = await self.book.read(refund_id)
            if found is None:  # a reset has removed it; its payment is let go by another notice
                return None
            wait = await self._step(*found)
            if isinstance(wait, Wait):
                return Again(wait.delay_s)
            if isinstance(wait, Rest):
                return None
        return Again(RACE_S)

    async def _give_back(
        self,
        order_id: int,
        tickets: Sequence[int] | None,
        reason: str,
        actor: str,
        *,
        by_house: bool = False,
    ) -> Refund:
        for _ in range(RACES_MAX):
            sheet = await self.book.sheet(await self._orders.get(order_id))
            if is_returned(sheet, tickets):
                return _refund_of(sheet, tickets)
            plan = plan_return(sheet, tickets, by_house=by_house)
            refund = await self.book.give_back(
                sheet, plan, reason=reason, actor=actor, by_house=by_house
            )
            if refund is not None:
                REFUNDS.labels(refund.state).inc()
                await self._let_go(refund, [ticket.seat for ticket in plan.tickets])
                return refund
        raise TryAgain

    async def _let_go(self, refund: Refund, seats: list[int]) -> None:
        """At once, for whoever looks at the map now; the notice does it again."""
        try:
            await self._holds.free(refund.event_id, refund.order_id, seats)
        except (RedisError, TryAgain) as error:
            log.warning("seats go free a little later", refund_id=refund.id, error=repr(error))

    async def _step(self, refund: Refund, paid: Paid) -> Wait | Rest | None:
        """None: look again at once."""
        if refund.state not in ("asked", "sent"):
            return Rest()
        told = await self._gateway.check(
            payment_id=paid.gateway_payment_id, order_id=paid.gateway_order_id
        )
        step = decide(refund, paid, told, self._clock.now())
        match step:
            case Done():
                if await self.book.finish(refund):
                    REFUNDS.labels("given-back").inc()
            case Queue():
                await self._queue(refund, step)
            case Send():
                return await self._send(refund, step)
            case Puzzle():
                raise PermanentError(f"refund {refund.id}: {step.what}")
            case _:
                return step
        return None

    async def _send(self, refund: Refund, step: Send) -> Wait | None:
        sent = await self.book.send(refund)
        if sent is None:
            return None
        answer = await self._gateway.cancel(
            payment_id=step.payment_id, reason=refund.reason, key=f"refund-{refund.id}"
        )
        if isinstance(answer, Unknown):
            return Wait(look_s(sent, self._clock.now()))
        if isinstance(answer, Refused):
            after = refused(refund, answer, self._clock.now(), NOT_CANCELLABLE)
            if isinstance(after, Queue):
                await self._queue(sent, after)
                return None
            return Wait(look_s(sent, self._clock.now()))
        if await self.book.finish(sent):
            REFUNDS.labels("given-back").inc()
        return None

    async def _queue(self, refund: Refund, step: Queue) -> None:
        log.warning("refund goes to payouts", refund_id=refund.id, why=step.why)
        if await self.book.queue(refund, step.why):
            REFUNDS.labels("refused").inc()


def _refund_of(sheet: Sheet, tickets: Sequence[int] | None) -> Refund:
    """The refund by which these came back."""
    last = max(one.refund_id or 0 for one in sheet.tickets if tickets is None or one.id in tickets)
    return next(refund for refund in sheet.refunds if refund.id == last)
