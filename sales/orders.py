"""Orders: from the empty envelope that names a hold to the paid order, or its end.

`open` is an envelope whose seats are held in Redis only. `place` makes it a promise: one
PostgreSQL transaction writes lines, claims, the payment attempt and the notices; only then is
the gateway spoken to. Every verb can be repeated, and continues where a killed one stopped.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Refusal, TryAgain
from kernel.sql import load_queries
from kernel.values import ID_MAX
from sales.catalogue import Catalogue
from sales.holds import Holds
from sales.holds_refusals import SaleClosed
from sales.order import (
    Channel,
    Checkout,
    Line,
    NotYourOrder,
    Order,
    OrderPaid,
    OrderUnknown,
    PaymentUnderWay,
)
from sales.orders_ending import Ending
from sales.orders_placing import Placing
from sales.payment import Payment
from sales.payments import Payments
from sales.states import OrderState, move_order

__all__ = ["Checkout", "Line", "Order", "Orders"]

Q = load_queries(Path(__file__).parent / "sql")
# Newest first; nobody reads further, and the contract's machine clients make about a thousand.
OF_ACCOUNT_MAX = 1_500
# A second click waits this long for the first one's payment address.
OFFER_WAIT_S = 3.0
OFFER_LOOK_S = 0.1
# A person looks at a blank page no longer than this.
PAGE_WAIT_S = 3.5
# What a payment is in while it goes its ordinary way.
PAYMENT_OPEN = frozenset({"started", "unknown", "offered"})
# Whoever loses this many races in a row may try again himself.
RACES_MAX = 5
# An envelope nobody came back to.
ABANDONED_AFTER = timedelta(days=1)
ABANDONED_MAX = 500
log = structlog.get_logger()


class Orders:
    def __init__(
        self, db: Db, clock: Clock, *, catalogue: Catalogue, holds: Holds, payments: Payments
    ) -> None:
        self._db, self._clock = db, clock
        self._catalogue, self._holds, self._payments = catalogue, holds, payments
        self._placing = Placing(db, holds, clock, catalogue)
        self._ending = Ending(db, clock, holds, payments)
        # What pages do not wait for any more; a second click joins the first.
        self._going_on: dict[tuple[int, int], asyncio.Task[Checkout]] = {}

    async def open(
        self, account_id: int, event_id: int, channel: Channel, admission_jti: str | None = None
    ) -> Order:
        """A new empty envelope. Raises EventUnknown, SaleClosed."""
        await self._check_sale(event_id)
        now = self._clock.now()
        row = await self._db.fetchrow(
            Q["open_order"], account_id, event_id, channel, admission_jti, now
        )
        assert row is not None
        return Order(**row)

    async def open_or_reuse(
        self, account_id: int, event_id: int, channel: Channel, admission_jti: str | None = None
    ) -> Order:
        """The caller's newest open order of the event, or a new one."""
        row = await self._db.fetchrow(
            Q["reuse_order"], account_id, event_id, channel, admission_jti
        )
        if row is None:
            return await self.open(account_id, event_id, channel, admission_jti)
        await self._check_sale(event_id)
        return Order(**row)

    async def get(self, order_id: int) -> Order:
        """Raises OrderUnknown."""
        row = None
        if 1 <= order_id <= ID_MAX:
            row = await self._db.fetchrow(Q["read_order"], order_id)
        if row is None:
            raise OrderUnknown
        return Order(**row)

    async def own(self, order_id: int, account_id: int) -> Order:
        """The order, if it is the caller's. Raises OrderUnknown, NotYourOrder."""
        order = await self.get(order_id)
        if order.account_id != account_id:
            raise NotYourOrder
        return order

    async def own_open(self, order_id: int, account_id: int) -> Order:
        """As `own`, and seats may still be added: raises OrderState otherwise."""
        order = await self.own(order_id, account_id)
        move_order(order.state, "place")
        return order

    async def lines(self, order_id: int) -> list[Line]:
        """What was placed, in seat order; empty while open (then see Holds.of_order)."""
        return [Line(**row) for row in await self._db.fetch(Q["list_lines"], order_id)]

    async def of_account(self, account_id: int, limit: int = OF_ACCOUNT_MAX) -> Sequence[Order]:
        """Newest first."""
        rows = await self._db.fetch(Q["list_orders"], account_id, min(limit, OF_ACCOUNT_MAX))
        return [Order(**row) for row in rows]

    async def place(
        self,
        order_id: int,
        account_id: int,
        return_base: str,
        attempt: int | None = None,
        *,
        known: Order | None = None,
    ) -> Checkout:
        """Claim the held seats and open a payment; after a declined card, another one for the same
        claims. `return_base`: where the browser came from, as `http://localhost:8080`. Repeating
        it while a payment is open gives the same answer. `attempt`: which payment of the order
        is meant, from 1, so that a form sent again begins no other one; None: whichever is next.
        `known`: the order, where the caller has just read it. Raises OrderUnknown, NotYourOrder,
        HoldOver, OrderPaid, OrderState, SeatTaken, PersonLimit, SaleRestarted, PaymentRefused,
        PaymentsAway, AmountTooSmall, AmountTooLarge.
        """
        order = known or await self.own(order_id, account_id)
        if order.state == "open":
            self._payments.need_gateway()
            payment = await self._promise(order, return_base)
            if payment is not None and payment.state in PAYMENT_OPEN:
                return await self._checkout(order, payment)
            order = await self._as_it_stands(order)
        if order.state == "paid":
            raise OrderPaid
        if order.state != "pending" or order.reason is not None:
            raise OrderState(state=order.state)
        await self._payments.try_again(order, return_base, attempt)
        return await self._checkout(order, await self._payment(order))

    async def place_soon(
        self, order_id: int, account_id: int, return_base: str, attempt: int | None = None
    ) -> Checkout | None:
        """`place` for a person who waits. None: the gateway takes longer than PAGE_WAIT_S; it
        goes on without the page, and where this process dies, by the payment's notice.
        """
        key = (order_id, account_id)
        task = self._going_on.get(key)
        if task is None:
            task = asyncio.create_task(self.place(order_id, account_id, return_base, attempt))
            self._going_on[key] = task
            task.add_done_callback(lambda done: self._gone(key, done))
        await asyncio.wait({task}, timeout=PAGE_WAIT_S)
        return task.result() if task.done() else None

    async def cancel(self, order_id: int, account_id: int) -> Order:
        """End the order and free its seats. While the gateway's answer is unknown it stays
        `pending` with reason 'buyer', and ends by itself later. Ended already: no change.
        Raises OrderUnknown, NotYourOrder, OrderPaid, PaymentUnderWay.
        """
        for _ in range(RACES_MAX):
            order = await self.own(order_id, account_id)
            if order.state == "paid":
                raise OrderPaid
            if order.state == "pending":
                if await self._wish_end(order):
                    return await self.own(order_id, account_id)
            elif order.state != "open" or await self._ending.end_open(
                order, "buyer", f"account:{account_id}"
            ):
                return await self.own(order_id, account_id)
        raise TryAgain

    async def call_off(self, order_id: int, reason: str) -> bool:
        """The organiser ends it. False: its money is being taken, look again later. Ended or paid
        already: no change.
        """
        for _ in range(RACES_MAX):
            order = await self.get(order_id)
            if order.state not in ("open", "pending"):
                return True
            if await self._ending.call_off(order, reason, "organiser"):
                return True
        return False

    async def expire(self, order_id: int) -> None:
        """The time to pay is over: the gateway is asked, and only its answer frees the seats.
        Where it gives none now, the payment's own notice goes on asking.
        """
        payment = await self._payments.of_order(order_id)
        if payment is not None:
            await self._payments.settle(payment.id)

    async def owned(self, account_id: int, event_id: int) -> int:
        """Places that the account is paying for, or has bought."""
        count: int = await self._db.fetchval(Q["count_owned"], account_id, event_id)
        return count

    async def close_abandoned(self) -> int:
        """End envelopes that nobody came back to, a batch of them; how many."""
        now = self._clock.now()
        before = now - ABANDONED_AFTER
        state = move_order("open", "abandon")
        rows = await self._db.fetch(Q["close_abandoned"], before, ABANDONED_MAX, state, now)
        return len(rows)

    def _gone(self, key: tuple[int, int], task: asyncio.Task[Checkout]) -> None:
        del self._going_on[key]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Refusal):
            log.warning("placing failed", order_id=key[0], error=repr(error))

    async def _check_sale(self, event_id: int) -> None:
        event = await self._catalogue.event(event_id)
        if event.state != "on_sale" or event.starts_at <= self._clock.now():
            raise SaleClosed

    async def _promise(self, order: Order, return_base: str) -> Payment | None:
        """The payment that was opened; None: somebody else changed the order first."""
        attempt = await self._placing.promise(order, return_base)
        if attempt is None:
            return None
        return await self._payments.start(attempt) or await self._payment(order)

    async def _as_it_stands(self, order: Order) -> Order:
        order = await self.get(order.id)
        if order.state in ("cancelled", "expired"):
            # It ended while its hold was being frozen.
            await self._ending.let_go(order)
        return order

    async def _checkout(self, order: Order, payment: Payment) -> Checkout:
        """What became of the payment, so far. A second click waits for the first one's init."""
        for _ in range(int(OFFER_WAIT_S / OFFER_LOOK_S)):
            if payment.state != "started":
                break
            await asyncio.sleep(OFFER_LOOK_S)
            payment = await self._payment(order)
        if payment.state == "unknown":
            await self._payments.hurry(order.id)
            payment = await self._payment(order)
        return Checkout(
            order_id=order.id,
            payment_id=payment.id,
            payment_state=payment.state,
            payment_url=payment.payment_url if payment.state == "offered" else None,
            expires_at=payment.expires_at,
        )

    async def _payment(self, order: Order) -> Payment:
        payment = await self._payments.of_order(order.id)
        if payment is None:  # a reset came in between
            raise OrderUnknown
        return payment

    async def _wish_end(self, order: Order) -> bool:
        """Ask the gateway to let go. False: look again, somebody was faster."""
        actor = f"account:{order.account_id}"
        payment = await self._payment(order)
        if order.reason is None:
            if payment.state == "authorised":
                # The money is being taken this moment: paid, or not known for a little longer.
                await self._payments.hurry(order.id)
                if (await self.get(order.id)).state == "pending":
                    raise PaymentUnderWay
                return False
            if not await self._payments.wish_end(payment.id, "buyer", order, actor):
                return False
        await self._payments.hurry(order.id)
        return True
