"""Payments: one attempt at the gateway each, in phases that continue from any point.

The gateway is asked (`settle`), never believed: webhooks and return addresses only make us ask
now. A capture is written together with its tickets; money without an order that can have its
seats goes back.
"""

import asyncio
import hmac
import math
from typing import ClassVar, Literal

import msgspec
import structlog

from kernel.clock import Clock
from kernel.db import Db
from kernel.documents import UNREADABLE
from kernel.errors import BadInput
from kernel.mac import Mac
from sales.gateway import CALLS, Gateway
from sales.order import Order, PaymentsAway
from sales.outbox import Again
from sales.payment import Attempt, Payment
from sales.payments_addresses import Addresses
from sales.payments_book import PaymentBook
from sales.payments_hints import Hint, Hints
from sales.payments_seats import SeatBuyer, SeatTaker
from sales.payments_settling import Settling
from sales.states import PAYMENT_NO, PAYMENT_SETTLED

__all__ = ["Addresses", "BadNotification", "BadSignature", "Payment", "Payments"]

# A browser that came back waits this long for an answer of the gateway.
HURRY_S = 3.5
# Webhooks that announce what needs no look.
SILENT_HINTS = frozenset({"NEW", "FORM_SHOWED"})
# These would be news of an attempt that was declined.
MONEY_HINTS = frozenset({"AUTHORIZED", "CONFIRMED", "completed"})
NOTIFICATION_BYTES_MAX = 64_000
HINT_CHARS_MAX = 40
Pace = Literal["well", "slow", "away"]

log = structlog.get_logger()


class BadSignature(BadInput):
    """Подпись уведомления неверна."""

    code: ClassVar[str] = "bad-signature"


class BadNotification(BadInput):
    """Уведомление составлено неверно."""

    code: ClassVar[str] = "bad-notification"


class Notification(msgspec.Struct):
    """§7. Nothing in it is required, and `data` holds anything."""

    paymentId: str = ""  # noqa: N815  # the gateway's spelling
    status: str = ""
    teamSlug: str = ""  # noqa: N815
    data: dict[str, object] | None = None


class Payments:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        *,
        gateway: Gateway,
        holds: SeatTaker,
        seats: SeatBuyer | None = None,
        addresses: Addresses,
        webhook_secret: str | None = None,
    ) -> None:
        """`seats` None: no partner owns any. `webhook_secret` None: signatures are not looked at
        (the real gateway sends none).
        """
        self.book = PaymentBook(db, clock)
        self._hints = Hints(db, clock)
        self._gateway = gateway
        self._settler = Settling(
            self.book, clock, gateway=gateway, holds=holds, seats=seats, addresses=addresses
        )
        self._secret = Mac(webhook_secret.encode()) if webhook_secret else None
        # Settling a payment twice at once in one process would only ask the gateway twice.
        self._settling: dict[int, asyncio.Task[Again | None]] = {}

    def away_s(self) -> float:
        """How long no payment can be opened, because the gateway does not answer; 0: it can."""
        return self._gateway.away_s("init")

    def need_gateway(self) -> None:
        """Better told before anything has begun. Raises PaymentsAway."""
        away_s = self.away_s()
        if away_s > 0:
            raise PaymentsAway(retry_after_s=math.ceil(away_s))

    def pace(self) -> Pace:
        """What people who pay may be told about the gateway, as seen from this process."""
        if self.away_s() > 0:
            return "away"
        return "slow" if any(map(self._gateway.is_slow, CALLS)) else "well"

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
        if payment.state == PAYMENT_NO and not await self.book.is_pending(order_id):
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
        if not self._is_signed(body, signature):
            log.warning("webhook with a wrong signature")
            raise BadSignature
        if len(body) > NOTIFICATION_BYTES_MAX:
            raise BadNotification
        try:
            told = msgspec.json.decode(body, type=Notification)
        except UNREADABLE as error:
            raise BadNotification from error
        if told.status in SILENT_HINTS:  # two of five in a purchase: not worth a look at the book
            return
        ours = str((told.data or {}).get("order_id") or "")
        status = _storable(told.status)[:HINT_CHARS_MAX]
        theirs, is_money = _storable(told.paymentId), told.status in MONEY_HINTS
        if not await self._hints.heard(Hint(theirs, _storable(ours), status, is_money)):
            log.info("webhook needs nothing", status=status)

    def is_no_news(self, status: str, body: bytes, signature: str | None) -> bool:
        """A webhook, not forged, that announces what needs no look."""
        return status in SILENT_HINTS and self._is_signed(body, signature)

    async def wish_end(self, payment_id: int, reason: str, order: Order, actor: str) -> bool:
        """The order is to end as soon as the gateway has let go of the money. False: it has
        changed since it was read, or its money is being taken.
        """
        attempt = await self.book.read(payment_id)
        if attempt is None or attempt.order.version != order.version:
            return False
        if attempt.payment.state == "authorised":
            return False
        wished = await self.book.wish(attempt, reason, actor)
        if wished:
            await self.book.hint(payment_id, "wish")
        return wished

    async def try_again(self, order: Order, return_base: str, attempt: int | None) -> None:
        """Open the next attempt of an order whose card was declined; nothing where that is not so.
        `attempt`: which one the buyer means to begin, None: the next. Raises PaymentsAway,
        PaymentRefused.
        """
        payment = await self.book.of_order(order.id)
        if payment is None or payment.state != PAYMENT_NO:
            return
        if attempt not in (None, payment.attempt + 1):
            return
        self.need_gateway()
        before = await self.book.read(payment.id)
        if before is None or before.payment.state != PAYMENT_NO or before.has_rival:
            return
        payment_id = await self.book.again.begin(before, return_base)
        begun = await self.book.read(payment_id) if payment_id is not None else None
        if begun is not None:
            await self.start(begun)

    async def start(self, attempt: Attempt) -> Payment | None:
        """The init phase: open the payment at the gateway, unless that is done. The payment as it
        stands then; None: somebody else has changed it meanwhile. Raises PaymentRefused after a
        clear no, which has ended the order. Silence is no error.
        """
        return await self._settler.start(attempt)

    async def settle(self, payment_id: int) -> Again | None:
        """Ask the gateway and do what follows, as far as it goes now. None: it is final.
        Raises PermanentError where the gateway's answer cannot be ours.
        """
        return await asyncio.shield(self._task(payment_id))

    def _is_signed(self, body: bytes, signature: str | None) -> bool:
        if self._secret is None or signature is None:
            return True
        expected = "sha256=" + self._secret.digest(body).hex()
        return hmac.compare_digest(expected.encode(), signature.strip().encode())

    def _task(self, payment_id: int) -> asyncio.Task[Again | None]:
        task = self._settling.get(payment_id)
        if task is None:
            task = asyncio.create_task(self._settler.settle(payment_id))
            self._settling[payment_id] = task
            task.add_done_callback(lambda done: self._settled(payment_id, done))
        return task

    def _settled(self, payment_id: int, task: asyncio.Task[Again | None]) -> None:
        del self._settling[payment_id]
        if not task.cancelled():
            task.exception()  # told to whoever waited; not a forgotten failure


def _storable(text: str) -> str:
    """PostgreSQL has no zero character in texts."""
    return text.replace("\0", "")
