"""What the merchant is told: the webhook of each trigger, its bytes and headers (contract §7)."""

from functools import lru_cache
from random import Random
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kernel.mac import Mac
from sandbox.toleubar.moments import iso
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.states import Status

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Forged(Struct, frozen=True):
    """`sealed`: under the merchant's own secret, as a letter of a confused gateway would be."""

    body: bytes
    sealed: bool


def write_letter(payment: Payment, status: str, at_ms: int, data: dict[str, object]) -> bytes:
    return _encode(
        {
            "paymentId": payment.payment_id,
            "status": status,
            "teamSlug": payment.team_slug,
            "timestamp": iso(at_ms),
            "data": data,
        }
    )


def write_transition(payment: Payment) -> bytes:
    """The letter about the status that the payment has now come to. Cancelled and expired are
    `failed`, confirmed is `completed`.
    """
    status = payment.status
    if status is Status.CONFIRMED:
        data: dict[str, object] = {"event_type": "payment_completed"}
        return write_letter(payment, "completed", payment.updated_ms, data)
    if status in {Status.REJECTED, Status.CANCELLED, Status.EXPIRED}:
        data = {"event_type": "payment_failed", "failure_reason": status}
        return write_letter(payment, "failed", payment.updated_ms, data)
    data = {"transition_timestamp": iso(payment.updated_ms), "status_name": status}
    return write_letter(payment, status, payment.updated_ms, data)


def write_viewing(payment: Payment, at_ms: int, ip: str, language: str, agent: str) -> bytes:
    """The only letter that carries the order id."""
    data = {
        "event_type": "form_showed",
        "amount": payment.amount,
        "currency": payment.currency,
        "order_id": payment.order_id,
        "client_ip": ip,
        "language": language,
        "user_agent": agent,
        "timestamp": iso(at_ms),
    }
    return write_letter(payment, Status.FORM_SHOWED, at_ms, data)


def write_forged(payment: Payment, forgery: str, at_ms: int, chance: Random) -> Forged:
    """A letter that says "completed" though nothing says so in the books."""
    data: dict[str, object] = {"event_type": "payment_completed", "order_id": payment.order_id}
    about, sealed = payment, True
    match forgery:
        case "webhook_forged_signature":
            sealed = False
        case "webhook_forged_payment":
            about = replace(payment, payment_id=f"{at_ms // 1000}{chance.randint(1_000, 9_998)}0")
            data["order_id"] = f"{payment.order_id[:30]}-none"
        case "webhook_forged_sum":
            data |= {"amount": payment.amount + 1, "currency": payment.currency}
        case _:
            raise AssertionError(forgery)
    return Forged(write_letter(about, "completed", at_ms, data), sealed)


def headers_of(body: bytes, delivery: UUID, secret: str | None) -> dict[str, str]:
    """`delivery` is new for each attempt, so it tells nothing about repetition."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "PaymentGateway-Webhook/1.0",
        "X-Webhook-Event": "payment_status_change",
        "X-Webhook-Delivery": str(delivery),
    }
    if secret:
        headers["X-Webhook-Signature"] = sign(body, secret)
    return headers


def sign(body: bytes, secret: str) -> str:
    return "sha256=" + _mac(secret).digest(body).hex()


@lru_cache(maxsize=2)
def _mac(secret: str) -> Mac:
    """The merchant's own, and a forger's."""
    return Mac(secret.encode())
