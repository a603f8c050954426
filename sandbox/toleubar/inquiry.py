"""check: how a payment stands, by payment id or order id (contract §2.2)."""

from http import HTTPStatus

from sandbox.toleubar.desk import Ask, Desk
from sandbox.toleubar.envelope import Body, success
from sandbox.toleubar.fields import Fields
from sandbox.toleubar.moments import iso
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import GatewayRefusal
from sandbox.toleubar.states import FINAL, MEANING
from sandbox.toleubar.tokens import check_tokens


class NothingAsked(GatewayRefusal):
    """Either paymentId or orderId is required."""

    status, code = HTTPStatus.BAD_REQUEST, "1100"


class PaymentUnknown(GatewayRefusal):
    """Payment not found."""

    status, code = HTTPStatus.NOT_FOUND, "1404"


def check(desk: Desk, fields: Fields, ask: Ask) -> Body:
    team_slug, token = fields.required("teamSlug", 50), fields.required("token", 256)
    payment_id, order_id = fields.text("paymentId", 50), fields.text("orderId", 36)
    correlation_id = fields.text("correlationId", 100)
    fields.close()
    if payment_id is None and order_id is None:
        raise NothingAsked
    tokens = check_tokens(desk.who, payment_id=payment_id, order_id=order_id, query=ask.query)
    desk.verify(team_slug, token, tokens)
    payment = _look_up(desk, payment_id, order_id)
    return success(
        desk.clock.ms(),
        correlation_id,
        payments=[_describe(payment)],
        totalCount=1,
        orderId=payment.order_id,
        details=None,
    )


def _look_up(desk: Desk, payment_id: str | None, order_id: str | None) -> Payment:
    """Raises PaymentUnknown. Within the staleness that is switched on, an old answer is good."""
    faults, now_ms = desk.switchboard.faults, desk.clock.ms()
    key = f"payment {payment_id}" if payment_id is not None else f"order {order_id}"
    stale = faults.check_stale_open_s or faults.check_stale_final_s
    remembered = desk.memory.recall(key, now_ms) if stale else None
    if remembered is not None and desk.switchboard.strikes("check_stale"):
        return remembered
    payment = None
    if payment_id is not None:
        payment = desk.find(payment_id)
    elif order_id is not None:
        payment = desk.find_order(order_id)
    if payment is None:
        raise PaymentUnknown
    if stale:
        final = payment.status in FINAL
        seconds = faults.check_stale_final_s if final else faults.check_stale_open_s
        desk.memory.keep(key, payment, now_ms + int(seconds * 1000))
    return payment


def _describe(payment: Payment) -> Body:
    return {
        "paymentId": payment.payment_id,
        "orderId": payment.order_id,
        "status": payment.status,
        "statusDescription": MEANING[payment.status],
        "amount": payment.amount,
        "currency": payment.currency,
        "createdAt": iso(payment.created_ms),
        "updatedAt": iso(payment.updated_ms),
        "expiresAt": iso(payment.expires_ms),
        "description": payment.description,
        "payType": payment.pay_type or "O",
    }
