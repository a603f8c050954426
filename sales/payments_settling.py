"""Settling a payment: ask the gateway, decide one step, do it, look again.

No transaction is open while the gateway is spoken to. Before money is taken, and before it is
given back, PostgreSQL knows which of the two it is going to be: whoever meant the other one
loses the race and looks again.
"""

import math

import structlog
from prometheus_client import Counter

from kernel.clock import Clock
from kernel.errors import Refusal
from sales.gateway import Found, Gateway, Offered, Refused, Unknown
from sales.order import PaymentRefused
from sales.outbox import Again, PermanentError
from sales.partner_desk import Bought, Later, Lost
from sales.payment import Attempt, Payment
from sales.payments_addresses import Addresses
from sales.payments_book import PaymentBook, PaymentIdTakenError
from sales.payments_seats import POLL_SEATS_S, SEATS_LOST, SeatBuyer, SeatTaker
from sales.payments_steps import (
    SOON_S,
    Capture,
    Decline,
    Disown,
    End,
    Init,
    Offer,
    Puzzle,
    Reclaim,
    Rest,
    Wait,
    Withdraw,
    compare,
    decide,
)
from sales.states import PAYMENT_NO, PAYMENT_SETTLED

# A settle goes from unheard-of to captured in four steps; more than this is a lively race.
STEPS_MAX = 8
# The gateway's confirm said no for now (§1.6); it may say yes while the payment is young.
CONFIRM_AGAIN_S = 3.0
# Its init has not been answered, as far as we know.
UNOPENED = frozenset({"started", "unknown"})
# Somebody else's change is written within this.
RACE_S = 0.3
# Cancel refused because the card is being looked at or the state has just changed.
NOT_CANCELLABLE = "3409"
# That is over within seconds. Said for so long it is a no, and a refund, with its care, takes over.
INSISTS_S = 600.0
NOT_CONFIRMABLE = "2409"

OUTCOMES = Counter("payments", "Payment attempts by what became of them", ["outcome"])
log = structlog.get_logger()


class Settling:
    def __init__(
        self,
        book: PaymentBook,
        clock: Clock,
        *,
        gateway: Gateway,
        holds: SeatTaker,
        seats: SeatBuyer | None,
        addresses: Addresses,
    ) -> None:
        self._book, self._clock, self._seats = book, clock, seats
        self._gateway, self._holds, self._addresses = gateway, holds, addresses

    async def start(self, attempt: Attempt) -> Payment | None:
        """See Payments.start."""
        if attempt.payment.state not in UNOPENED:
            return attempt.payment
        left_s = (attempt.payment.expires_at - self._clock.now()).total_seconds()
        outcome = await self._gateway.init(
            order_id=attempt.payment.gateway_order_id,
            amount=attempt.payment.amount,
            description=f"Biletter, заказ {attempt.order.id}",
            expiry_min=max(1, math.ceil(left_s / 60)),
            urls=self._addresses.of(attempt),
        )
        if isinstance(outcome, Offered):
            try:
                return await self._offer(attempt, outcome)
            except PaymentIdTakenError as taken:
                outcome = Unknown(str(taken))
        if isinstance(outcome, Unknown):
            doubted = await self._book.move(attempt, "doubt", last_error=outcome.reason)
            return doubted.payment if doubted else None
        OUTCOMES.labels("refused").inc()
        error = f"{outcome.code} {outcome.message}"
        await self._book.end(attempt, "refuse", "gateway-refused", last_error=error)
        raise PaymentRefused(gateway_code=outcome.code)

    async def settle(self, payment_id: int) -> Again | None:
        for _ in range(STEPS_MAX):
            attempt = await self._book.read(payment_id)
            # A reset has removed it, or there is nothing left to ask.
            if attempt is None or attempt.payment.state in PAYMENT_SETTLED:
                return None
            told = await self._gateway.check(
                payment_id=attempt.payment.gateway_payment_id,
                order_id=attempt.payment.gateway_order_id,
            )
            compare(attempt, told)
            wait = await self._act(attempt, told)
            if isinstance(wait, Wait):
                left_alone_s = told.wait_s if isinstance(told, Unknown) else 0.0
                return Again(max(wait.delay_s, left_alone_s))
            if isinstance(wait, Rest):
                return None
        return Again(RACE_S)

    async def _act(self, attempt: Attempt, told: Found | Refused | Unknown) -> Wait | Rest | None:
        """One step. None: look again at once."""
        step = decide(attempt, told, self._clock.now())
        match step:
            case Wait() | Rest():
                return step
            case Init() | Offer():
                return await self._open_again(attempt, step)
            case Capture():
                return await self._capture(attempt, step)
            case Reclaim():
                return await self._reclaim(attempt, step)
            case Withdraw():
                return await self._withdraw(attempt, step)
            case End() | Decline() | Disown():
                await self._write(attempt, step)
            case Puzzle():
                raise PermanentError(f"payment {attempt.payment.id}: {step.what}")
        return None

    async def _write(self, attempt: Attempt, step: End | Decline | Disown) -> None:
        """The gateway has spoken, and there is nothing to say to it."""
        if isinstance(step, End):
            verb, done = step.verb, await self._book.end(attempt, step.verb, step.reason)
        elif isinstance(step, Decline):
            verb, done = "decline", await self._book.again.leave_open(attempt, step.until)
        else:
            verb = "disown"
            revived = await self._book.revive(attempt, verb, gateway_payment_id=step.payment_id)
            done = revived is not None
        if done and verb:
            OUTCOMES.labels(verb).inc()

    async def _open_again(self, attempt: Attempt, step: Init | Offer) -> Wait | Rest | None:
        if isinstance(step, Offer):
            url = self._gateway.form_url(step.payment_id)
            await self._offer(attempt, Offered(step.payment_id, url))
            return None
        fresh = await self._book.read(attempt.payment.id)
        try:
            if fresh is not None:
                await self.start(fresh)
        except PaymentRefused:
            return Rest()
        return Wait(SOON_S)

    async def _offer(self, attempt: Attempt, offered: Offered) -> Payment | None:
        """Written before anybody is sent to the form. A race only means: look again."""
        for _ in range(STEPS_MAX):
            told = await self._book.move(
                attempt,
                "offer",
                gateway_payment_id=offered.payment_id,
                payment_url=offered.payment_url,
            )
            if told is not None:
                OUTCOMES.labels("offered").inc()
                return told.payment
            fresh = await self._book.read(attempt.payment.id)
            if fresh is None or fresh.payment.state not in UNOPENED:
                return None
            attempt = fresh
        return None

    async def _capture(self, attempt: Attempt, step: Capture) -> Wait | Rest | None:
        if attempt.payment.state != "authorised":
            # From here on the order cannot be cancelled: either it is paid, or the money goes back.
            is_declined = attempt.payment.state == PAYMENT_NO
            write = self._book.revive if is_declined else self._book.move
            held = await write(attempt, "authorise", gateway_payment_id=step.payment_id)
            if held is None or held.wish:
                return None
            attempt = held
        if self._seats is not None and await self._seats.owns(attempt.order.event_id):
            seats = await self._book.seats_of(attempt.order.id)
            answer = await self._seats.buy(attempt.order.event_id, attempt.order.id, seats)
            if not isinstance(answer, Bought):
                return await self._not_bought(attempt, answer)
        if not step.confirmed:
            outcome = await self._gateway.confirm(
                payment_id=step.payment_id,
                amount=attempt.payment.amount,
                key=f"{attempt.payment.gateway_order_id}-confirm",
            )
            if isinstance(outcome, Unknown):
                return Wait(max(SOON_S, outcome.wait_s))
            if isinstance(outcome, Refused):
                log.warning("confirm refused", payment_id=attempt.payment.id, code=outcome.code)
                return Wait(SOON_S if outcome.code == NOT_CONFIRMABLE else CONFIRM_AGAIN_S)
        if not await self._book.capture(attempt):
            return None
        OUTCOMES.labels("captured").inc()
        return Rest()

    async def _not_bought(self, attempt: Attempt, answer: Later | Lost) -> Wait | None:
        """The owner of the seats has not sold them to us: the money is not taken before."""
        if isinstance(answer, Later):
            return Wait(max(POLL_SEATS_S, answer.delay_s))
        log.warning("seats lost", order_id=attempt.order.id, seats=answer.seats)
        OUTCOMES.labels("seats-lost").inc()
        await self._book.wish(attempt, SEATS_LOST, "partner")
        return None

    async def _reclaim(self, attempt: Attempt, step: Reclaim) -> Wait | None:
        """Late money. Redis is asked first, so that nobody who is choosing loses seats to it."""
        seats = await self._book.seats_of(attempt.order.id)
        order = attempt.order
        try:
            # What it held may not have been freed yet; then it is still its own.
            await self._holds.thaw(order.event_id, order.id)
            await self._holds.hold(
                order.event_id, order.id, order.account_id, seats, channel=order.channel
            )
        except Refusal as refusal:
            if refusal.status >= 500:  # noqa: PLR2004  # the store is away: not an answer
                raise
            log.info("late money goes back", order_id=order.id, why=refusal.code)
        else:
            if await self._book.reclaim(attempt):
                OUTCOMES.labels("reclaimed").inc()
                return None
        back = Withdraw(step.payment_id, "money-late", paid=True, confirmed=step.confirmed)
        return await self._withdraw(attempt, back)

    async def _withdraw(self, attempt: Attempt, step: Withdraw) -> Wait | None:
        # First nobody may capture it any more, then it is cancelled at the gateway.
        is_of_order = attempt.payment.state != "disowned"
        if is_of_order and attempt.order.state == "pending" and attempt.wish is None:
            await self._book.wish(attempt, step.reason, "worker")
            return None
        if attempt.payment.state == "lapsed":
            await self._book.move(attempt, "authorise")
            return None
        outcome = await self._gateway.cancel(
            payment_id=step.payment_id,
            reason=step.reason,
            key=f"{attempt.payment.gateway_order_id}-cancel",
        )
        if isinstance(outcome, Unknown):
            return Wait(max(SOON_S, outcome.wait_s))
        if isinstance(outcome, Refused):
            return await self._not_withdrawn(attempt, step, outcome)
        verb = "reverse" if step.paid else "cancel"
        if await self._book.end(
            attempt,
            verb,
            step.reason,
            gateway_payment_id=step.payment_id,
            taken=step.confirmed,
        ):
            OUTCOMES.labels(verb).inc()
        return None

    async def _not_withdrawn(
        self, attempt: Attempt, step: Withdraw, refused: Refused
    ) -> Wait | None:
        error = f"cancel: {refused.code} {refused.message}"
        is_moving = refused.code == NOT_CANCELLABLE  # a card is in work, or has just been
        if not step.paid and (step.give_up or (step.untouched and not is_moving)):
            # Seats go free, and the payment is watched for money that comes all the same.
            await self._book.end(attempt, "lapse", step.reason, last_error=error)
            return None
        waited_s = (self._clock.now() - attempt.payment.updated_at).total_seconds()
        if not step.paid:
            return Wait(SOON_S)
        if is_moving and waited_s < INSISTS_S:
            return Wait(max(SOON_S, waited_s / 4))
        payment, is_pending = attempt.payment, attempt.order.state == "pending"
        if payment.state == "disowned" or (payment.state == "authorised" and not is_pending):
            if await self._book.owe(attempt, error):
                OUTCOMES.labels("owed").inc()
            return None
        # Money that we shall never take: the seats need not wait for the gateway.
        verb = None if payment.state == "authorised" else "authorise"
        await self._book.end(attempt, verb, step.reason, last_error=error)
        return None
