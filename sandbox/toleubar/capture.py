"""confirm: what was held is taken (contract §2.3)."""

from decimal import Decimal
from http import HTTPStatus

from sandbox.toleubar.desk import Ask, Desk
from sandbox.toleubar.envelope import Body, encode, success
from sandbox.toleubar.fields import Fields
from sandbox.toleubar.moments import iso, midnight_ms
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import GatewayRefusal
from sandbox.toleubar.states import Status
from sandbox.toleubar.tokens import confirm_tokens

# 500 000 tenge: a larger payment is confirmed by leaving the amount out.
AMOUNT_MIN, AMOUNT_MAX = 1, 50_000_000
PAYMENT_ID = r"[A-Za-z0-9_-]+"
REPLY_KEPT_MS = 30 * 60_000
# Limits of the faithful profile.
AGE_MAX_MS = 15 * 60_000
OPEN_MAX = 100
A_DAY_MAX = 1_000


class ConfirmRefused(GatewayRefusal):
    """The payment cannot be confirmed."""

    status, code = HTTPStatus.BAD_REQUEST, "2100"


class PaymentUnknown(GatewayRefusal):
    """Payment not found."""

    status, code = HTTPStatus.NOT_FOUND, "2404"


class NotAuthorized(GatewayRefusal):
    """The payment is not AUTHORIZED, or confirmed already."""

    status, code = HTTPStatus.CONFLICT, "2409"


def confirm(desk: Desk, fields: Fields, ask: Ask) -> bytes:
    team_slug, token = fields.required("teamSlug", 50), fields.required("token", 256)
    payment_id = fields.required("paymentId", 50, PAYMENT_ID)
    amount = fields.number("amount", AMOUNT_MIN, AMOUNT_MAX)
    fields.text("description", 255)
    correlation_id = fields.text("correlationId", 100)
    key = fields.member("data", "idempotencyKey")
    fields.close()
    if desk.manners.verifies_confirm_token:
        written = None if amount is None else format(amount, "f")
        tokens = confirm_tokens(desk.who, payment_id=payment_id, amount=written, query=ask.query)
        desk.verify(team_slug, token, tokens)
    now_ms = desk.clock.ms()
    payment = desk.find(payment_id)
    if payment is None:
        raise PaymentUnknown
    said = _said_before(desk, payment, key, now_ms)
    if said is not None:
        return said
    _weigh(desk, payment, amount)
    with desk.books.together():
        captured = _capture(desk, payment)
        reply = encode(_answer(desk, captured, now_ms, correlation_id))
        if key is not None:
            desk.books.keep_reply("confirm", f"{payment_id} {key}", payment_id, now_ms, reply)
    return reply


def _said_before(desk: Desk, payment: Payment, key: str | None, now_ms: int) -> bytes | None:
    if key is None:
        return None
    return desk.books.reply("confirm", f"{payment.payment_id} {key}", now_ms - REPLY_KEPT_MS)


def _weigh(desk: Desk, payment: Payment, amount: Decimal | None) -> None:
    if payment.status is not Status.AUTHORIZED:
        raise NotAuthorized(status=payment.status)
    if amount is not None and amount != payment.amount:
        raise ConfirmRefused("The amount must equal the authorised amount.")
    if not desk.manners.limits_confirm:
        return
    if payment.currency not in desk.merchant.profile.supported_currencies:
        raise ConfirmRefused("The merchant does not support this currency.")
    if desk.clock.ms() - payment.created_ms > AGE_MAX_MS:
        raise ConfirmRefused("The payment is too old.")
    if desk.books.open_count() >= OPEN_MAX:
        raise ConfirmRefused("The merchant has too many open payments.")
    count, _ = desk.books.since(midnight_ms(desk.today()))
    if count > (desk.merchant.profile.daily_transaction_limit or A_DAY_MAX):
        raise ConfirmRefused("The merchant has too many payments today.")


def _capture(desk: Desk, payment: Payment) -> Payment:
    """The faithful gateway says that it did, and does nothing but write a line."""
    if not desk.manners.captures:
        desk.books.note(payment, desk.clock.ms(), "confirm")
        return payment
    captured = desk.move(payment, Status.CONFIRMED, "confirm")
    if captured.status is not Status.CONFIRMED:
        raise NotAuthorized(status=captured.status)
    return captured


def _answer(desk: Desk, payment: Payment, now_ms: int, correlation_id: str | None) -> Body:
    return success(
        now_ms,
        correlation_id,
        paymentId=payment.payment_id,
        orderId=payment.order_id,
        status=payment.status,
        authorizedAmount=payment.amount,
        confirmedAmount=payment.amount,
        remainingAmount=0,
        currency=payment.currency,
        confirmedAt=iso(now_ms),
        bankDetails={
            "rrn": f"{desk.chance.randrange(10**12):012d}",
            "authCode": f"{desk.chance.randrange(10**6):06d}",
            "responseCode": "00",
        },
        fees=None,
        settlement=None,
        details=None,
    )
