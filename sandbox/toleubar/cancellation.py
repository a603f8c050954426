"""cancel: NEW is called off, AUTHORIZED is reversed, CONFIRMED is refunded (contract §2.4)."""

from decimal import Decimal
from http import HTTPStatus

from sandbox.toleubar.capture import AMOUNT_MAX, AMOUNT_MIN, PAYMENT_ID, REPLY_KEPT_MS
from sandbox.toleubar.desk import Ask, Desk
from sandbox.toleubar.envelope import Body, encode, success
from sandbox.toleubar.fields import Fields
from sandbox.toleubar.moments import iso
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import GatewayRefusal
from sandbox.toleubar.states import CANCELLATIONS, Status
from sandbox.toleubar.tokens import cancel_tokens


class CancelRefused(GatewayRefusal):
    """The amount is not the payment's."""

    status, code = HTTPStatus.BAD_REQUEST, "3100"


class AuthenticationFailed(GatewayRefusal):
    """Authentication failed."""

    status, code = HTTPStatus.UNAUTHORIZED, "3001"


class PaymentUnknown(GatewayRefusal):
    """Payment not found."""

    status, code = HTTPStatus.NOT_FOUND, "3404"


class NotCancellable(GatewayRefusal):
    """The payment cannot be cancelled in its status."""

    status, code = HTTPStatus.CONFLICT, "3409"


class PartialAmount(GatewayRefusal):
    """Partial cancellation is not supported."""

    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "3422"


def cancel(desk: Desk, fields: Fields, ask: Ask) -> bytes:
    team_slug, token = fields.required("teamSlug", 50), fields.required("token", 256)
    payment_id = fields.required("paymentId", 50, PAYMENT_ID)
    amount = fields.number("amount", AMOUNT_MIN, AMOUNT_MAX)
    fields.text("reason", 255)
    correlation_id = fields.text("correlationId", 100)
    key = fields.member("data", "externalRequestId")
    fields.close()
    written = None if amount is None else format(amount, "f")
    tokens = cancel_tokens(desk.who, payment_id=payment_id, amount=written, query=ask.query)
    desk.verify(team_slug, token, tokens)
    if not desk.manners.cancels:
        raise AuthenticationFailed
    payment = desk.find(payment_id)
    if payment is None:
        raise PaymentUnknown
    now_ms, kept_under = desk.clock.ms(), f"{payment_id} {key}"
    if key is not None:
        said = desk.books.reply("cancel", kept_under, now_ms - REPLY_KEPT_MS)
        if said is not None:
            return said
    with desk.books.together():
        reply = encode(_cancel(desk, payment, amount, now_ms, correlation_id))
        if key is not None:
            desk.books.keep_reply("cancel", kept_under, payment_id, now_ms, reply)
    return reply


def _cancel(
    desk: Desk, payment: Payment, amount: Decimal | None, now_ms: int, correlation_id: str | None
) -> Body:
    if payment.status not in CANCELLATIONS:
        raise NotCancellable(status=payment.status)
    if amount is not None and amount < payment.amount:
        raise PartialAmount
    if amount is not None and amount > payment.amount:
        raise CancelRefused
    status, kind = CANCELLATIONS[payment.status]
    # A refund has no letter of its own in the contract.
    cancelled = desk.move(payment, status, "cancel", tell=status is Status.CANCELLED)
    if cancelled.status is not status:
        raise NotCancellable(status=cancelled.status)
    return _answer(desk, cancelled, kind, now_ms, correlation_id)


def _answer(
    desk: Desk, payment: Payment, kind: str, now_ms: int, correlation_id: str | None
) -> Body:
    bank = {"rrn": f"{desk.chance.randrange(10**12):012d}", "responseCode": "00"}
    refund = {
        "refundId": f"rf{payment.payment_id}",
        "amount": payment.amount,
        "currency": payment.currency,
        "expectedProcessingTime": "3-5 business days",
    }
    return success(
        now_ms,
        correlation_id,
        paymentId=payment.payment_id,
        orderId=payment.order_id,
        status=payment.status,
        cancellationType=kind,
        originalAmount=payment.amount,
        cancelledAmount=payment.amount,
        remainingAmount=0,
        currency=payment.currency,
        cancelledAt=iso(now_ms),
        bankDetails=bank,
        refund=refund if kind == "FULL_REFUND" else None,
        details=None,
    )
