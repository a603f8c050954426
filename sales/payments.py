"""Payments: one attempt at the gateway each, in phases that continue from any point.

The gateway is asked (`settle`), never believed: webhooks and return addresses only make us ask
now. A capture is written together with its tickets; money without an order that can have its
seats goes back. No transaction is open while the gateway is spoken to.
"""

import asyncio
import hashlib
import hmac
import math
from typing import ClassVar, Protocol

import msgspec
import structlog
from prometheus_client import Counter

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import BadInput, Refusal
from sales.gateway import Found, Gateway, Offered, Refused, ReturnUrls, Unknown
from sales.order import Order, PaymentRefused
from sales.outbox import Again, PermanentError
from sales.payment import Attempt, Payment
from sales.payments_book import PaymentBook
from sales.payments_steps import (
    SOON_S,
    Capture,
    End,
    Init,
    Offer,
    Reclaim,
    Rest,
    Wait,
    Withdraw,
    decide,
)
from sales.states import PAYMENT_SETTLED

__all__ = ["BadNotification", "BadSignature", "Payment", "Payments"]

# A settle goes from unheard-of to captured in four steps; more than this is a lively race.
STEPS_MAX = 8
# A browser that came back waits this long for an answer of the gateway.
HURRY_S = 5.0
# The gateway's confirm said no for now (§1.6); it may say yes while the payment is young.
CONFIRM_AGAIN_S = 3.0
# Somebody else's change is written within this.
RACE_S = 0.3
# Cancel refused because the card is being looked at or the state has just changed.
NOT_CANCELLABLE = "3409"
NOT_CONFIRMABLE = "2409"
# Webhooks that announce what needs no look.
SILENT_HINTS = frozenset({"NEW", "FORM_SHOWED"})
NOTIFICATION_BYTES_MAX = 64_000
HINT_CHARS_MAX = 40

OUTCOMES = Counter("payments", "Payment attempts by what became of them", ["outcome"])
log = structlog.get_logger()


class BadSignature(BadInput):
    """Подпись уведомления неверна."""

    code: ClassVar[str] = "bad-signature"


class BadNotification(BadInput):
    """Уведомление составлено неверно."""

    code: ClassVar[str] = "bad-notification"


class ReversalRefusedError(Exception):
    """The gateway keeps money reserved that we do not want: staff must look."""


class Notification(msgspec.Struct):
    """§7. Nothing in it is required, and `data` holds anything."""

    paymentId: str = ""  # noqa: N815  # the gateway's spelling
    status: str = ""
    teamSlug: str = ""  # noqa: N815
    data: dict[str, object] | None = None


class SeatTaker(Protocol):
    """As much of sales.holds.Holds as reclaiming asks for."""

    async def thaw(self, event_id: int, order_id: int) -> object: ...

    async def hold(
        self, event_id: int, order_id: int, account_id: int, seats: list[int]
    ) -> object: ...


class Addresses(msgspec.Struct, frozen=True):
    """Where the gateway sends browsers and webhooks. `{base}` is where the buyer came from."""

    # Absolute; the gateway calls it from its own host.
    notification: str
    web: str = "{base}/orders/{order_id}/return?outcome={outcome}"
    # The contract's own return addresses (§4.9 of the sales contract).
    api: str = "{base}/api/payments/{outcome}?orderId={order_id}"

    def of(self, attempt: Attempt) -> ReturnUrls:
        pattern = self.api if attempt.order.channel == "api" else self.web
        base, order_id = attempt.payment.return_base, attempt.order.id
        success, fail = (
            pattern.format(base=base, order_id=order_id, outcome=outcome)
            for outcome in ("success", "fail")
        )
        return ReturnUrls(success, fail, self.notification)


class Payments:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        *,
        gateway: Gateway,
        holds: SeatTaker,
        addresses: Addresses,
        webhook_secret: str | None = None,
    ) -> None:
        """`webhook_secret` None: signatures are not looked at (the real gateway sends none)."""
        self.book = PaymentBook(db, clock)
        self._gateway, self._holds, self._clock = gateway, holds, clock
        self._addresses = addresses
        self._secret = webhook_secret.encode() if webhook_secret else None
        # Settling a payment twice at once in one process would only ask the gateway twice.
        self._settling: dict[int, asyncio.Task[Again | None]] = {}

    async def of_order(self, order_id: int) -> Payment | None:
        """The newest attempt; None before the order was placed."""
        return await self.book.of_order(order_id)

    async def hurry(self, order_id: int) -> None:
        """A browser came back from the gateway: ask it now, for at most a few seconds. Tells
        nothing; read the order afterwards. Never raises for the gateway.
        """
        payment = await self.book.of_order(order_id)
        if payment is None or payment.state in PAYMENT_SETTLED:
            return
        task = self._task(payment.id)
        await asyncio.wait({task}, timeout=HURRY_S)
        if task.done() and not task.cancelled() and task.exception():
            log.warning("settle failed", payment_id=payment.id, error=repr(task.exception()))

    async def notification(self, body: bytes, signature: str | None) -> None:
        """A webhook, as its raw body and X-Webhook-Signature header. Answers within milliseconds:
        what it says is asked by a worker. Unsigned ones count as hints, unknown payments are
        ignored. Raises BadSignature, BadNotification.
        """
        if self._secret and signature is not None:
            expected = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected.encode(), signature.strip().encode()):
                log.warning("webhook with a wrong signature")
                raise BadSignature
        if len(body) > NOTIFICATION_BYTES_MAX:
            raise BadNotification
        try:
            told = msgspec.json.decode(body, type=Notification)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise BadNotification from error
        ours = str((told.data or {}).get("order_id") or "")
        found = await self.book.find(*(_storable(text) for text in (told.paymentId, ours)))
        if found is None or found[1] in PAYMENT_SETTLED or told.status in SILENT_HINTS:
            log.info("webhook needs nothing", status=told.status[:HINT_CHARS_MAX])
            return
        await self.book.hint(found[0], _storable(told.status)[:HINT_CHARS_MAX])

    async def wish_end(self, payment_id: int, reason: str, order: Order) -> bool:
        """The order is to end as soon as the gateway has let go of the money. False: it has
        changed since it was read, or its money is being taken.
        """
        attempt = await self.book.read(payment_id)
        if attempt is None or attempt.order.version != order.version:
            return False
        if attempt.payment.state == "authorised":
            return False
        wished = await self.book.wish(attempt, reason, f"account:{order.account_id}")
        if wished:
            await self.book.hint(payment_id, "wish")
        return wished

    async def start(self, payment_id: int) -> None:
        """The init phase: open the payment at the gateway, unless that is done. Raises
        PaymentRefused after a clear no, which has ended the order. Silence is no error.
        """
        attempt = await self.book.read(payment_id)
        if attempt is None or attempt.payment.state not in ("started", "unknown"):
            return
        left_s = (attempt.payment.expires_at - self._clock.now()).total_seconds()
        outcome = await self._gateway.init(
            order_id=attempt.payment.gateway_order_id,
            amount=attempt.payment.amount,
            description=f"Biletter, заказ {attempt.order.id}",
            expiry_min=max(1, math.ceil(left_s / 60)),
            urls=self._addresses.of(attempt),
        )
        if isinstance(outcome, Offered):
            await self._offer(payment_id, outcome)
        elif isinstance(outcome, Unknown):
            await self.book.move(attempt, "doubt", last_error=outcome.reason)
        else:
            OUTCOMES.labels("refused").inc()
            error = f"{outcome.code} {outcome.message}"
            await self.book.end(attempt, "refuse", "gateway-refused", last_error=error)
            raise PaymentRefused(gateway_code=outcome.code)

    async def settle(self, payment_id: int) -> Again | None:
        """Ask the gateway and do what follows, as far as it goes now. None: it is final.
        Raises PermanentError where the gateway's answer cannot be ours.
        """
        return await asyncio.shield(self._task(payment_id))

    def _task(self, payment_id: int) -> asyncio.Task[Again | None]:
        task = self._settling.get(payment_id)
        if task is None:
            task = asyncio.create_task(self._settle(payment_id))
            self._settling[payment_id] = task
            task.add_done_callback(lambda _: self._settling.pop(payment_id, None))
        return task

    async def _settle(self, payment_id: int) -> Again | None:
        for _ in range(STEPS_MAX):
            attempt = await self.book.read(payment_id)
            # A reset has removed it, or there is nothing left to ask.
            if attempt is None or attempt.payment.state in PAYMENT_SETTLED:
                return None
            told = await self._gateway.check(
                payment_id=attempt.payment.gateway_payment_id,
                order_id=attempt.payment.gateway_order_id,
            )
            _compare(attempt, told)
            wait = await self._act(attempt, told)
            if isinstance(wait, Wait):
                return Again(wait.delay_s)
            if isinstance(wait, Rest):
                return None
        return Again(RACE_S)

    async def _act(self, attempt: Attempt, told: Found | Refused | Unknown) -> Wait | Rest | None:
        """One step. None: look again at once."""
        step = decide(attempt, told, self._clock.now())
        match step:
            case Wait() | Rest():
                return step
            case Init():
                return await self._init_again(attempt)
            case Offer():
                url = self._gateway.form_url(step.payment_id)
                await self._offer(attempt.payment.id, Offered(step.payment_id, url))
            case Capture():
                return await self._capture(attempt, step)
            case Reclaim():
                return await self._reclaim(attempt, step)
            case Withdraw():
                return await self._withdraw(attempt, step)
            case End():
                if await self.book.end(attempt, step.verb, step.reason):
                    OUTCOMES.labels(step.verb).inc()
        return None

    async def _init_again(self, attempt: Attempt) -> Wait | Rest:
        try:
            await self.start(attempt.payment.id)
        except PaymentRefused:
            return Rest()
        return Wait(SOON_S)

    async def _offer(self, payment_id: int, offered: Offered) -> None:
        """Written before anybody is sent to the form. A race only means: look again."""
        for _ in range(STEPS_MAX):
            attempt = await self.book.read(payment_id)
            if attempt is None or attempt.payment.state not in ("started", "unknown"):
                return
            if await self.book.move(
                attempt,
                "offer",
                gateway_payment_id=offered.payment_id,
                payment_url=offered.payment_url,
            ):
                OUTCOMES.labels("offered").inc()
                return

    async def _capture(self, attempt: Attempt, step: Capture) -> Wait | Rest | None:
        if attempt.payment.state != "authorised":
            # From here on the order cannot be cancelled: either it is paid, or the money goes back.
            await self.book.move(attempt, "authorise", gateway_payment_id=step.payment_id)
            fresh = await self.book.read(attempt.payment.id)
            if fresh is None or fresh.payment.state != "authorised" or fresh.wish:
                return None
            attempt = fresh
        if not step.confirmed:
            outcome = await self._gateway.confirm(
                payment_id=step.payment_id,
                amount=attempt.payment.amount,
                key=f"{attempt.payment.gateway_order_id}-confirm",
            )
            if isinstance(outcome, Unknown):
                return Wait(SOON_S)
            if isinstance(outcome, Refused):
                log.warning("confirm refused", payment_id=attempt.payment.id, code=outcome.code)
                return Wait(SOON_S if outcome.code == NOT_CONFIRMABLE else CONFIRM_AGAIN_S)
        if not await self.book.capture(attempt):
            return None
        OUTCOMES.labels("captured").inc()
        return Rest()

    async def _reclaim(self, attempt: Attempt, step: Reclaim) -> Wait | None:
        """Late money. Redis is asked first, so that nobody who is choosing loses seats to it."""
        seats = await self.book.seats_of(attempt.order.id)
        order = attempt.order
        try:
            # What it held may not have been freed yet; then it is still its own.
            await self._holds.thaw(order.event_id, order.id)
            await self._holds.hold(order.event_id, order.id, order.account_id, seats)
        except Refusal as refusal:
            if refusal.status >= 500:  # noqa: PLR2004  # the store is away: not an answer
                raise
            log.info("late money goes back", order_id=order.id, why=refusal.code)
        else:
            if await self.book.reclaim(attempt):
                OUTCOMES.labels("reclaimed").inc()
                return None
        back = Withdraw(step.payment_id, "money-late", paid=True)
        return await self._withdraw(attempt, back)

    async def _withdraw(self, attempt: Attempt, step: Withdraw) -> Wait | None:
        # First nobody may capture it any more, then it is cancelled at the gateway.
        if attempt.order.state == "pending" and attempt.wish is None:
            await self.book.wish(attempt, step.reason, "worker")
            return None
        if attempt.payment.state == "lapsed":
            await self.book.move(attempt, "authorise")
            return None
        outcome = await self._gateway.cancel(
            payment_id=step.payment_id,
            reason=step.reason,
            key=f"{attempt.payment.gateway_order_id}-cancel",
        )
        if isinstance(outcome, Unknown):
            return Wait(SOON_S)
        if isinstance(outcome, Refused):
            return await self._not_withdrawn(attempt, step, outcome)
        verb = "reverse" if step.paid else "cancel"
        if await self.book.end(attempt, verb, step.reason, gateway_payment_id=step.payment_id):
            OUTCOMES.labels(verb).inc()
        return None

    async def _not_withdrawn(
        self, attempt: Attempt, step: Withdraw, refused: Refused
    ) -> Wait | None:
        error = f"cancel: {refused.code} {refused.message}"
        is_moving = refused.code == NOT_CANCELLABLE  # a card is in work, or has just been
        if not step.paid and (step.give_up or (step.untouched and not is_moving)):
            # Seats go free, and the payment is watched for money that comes all the same.
            await self.book.end(attempt, "lapse", step.reason, last_error=error)
            return None
        if not step.paid or is_moving:
            return Wait(SOON_S)
        # Reserved money that we shall never take: the seats need not wait for the gateway.
        verb = None if attempt.payment.state == "authorised" else "authorise"
        await self.book.end(attempt, verb, step.reason, last_error=error)
        raise ReversalRefusedError(f"payment {attempt.payment.id}: {error}")


def _compare(attempt: Attempt, told: Found | Refused | Unknown) -> None:
    """An answer about another payment, or another sum, moves nothing here."""
    payment = attempt.payment
    if isinstance(told, Found) and (told.order_id, told.amount) != (
        payment.gateway_order_id,
        payment.amount,
    ):
        raise PermanentError(
            f"payment {payment.id}: the gateway tells of {told.order_id} over {told.amount}"
        )


def _storable(text: str) -> str:
    """PostgreSQL has no zero character in texts."""
    return text.replace("\0", "")
