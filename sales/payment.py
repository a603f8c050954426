"""What a payment is: one attempt at the gateway, and the snapshot it is decided on."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from sales.order import Order

ORDER_PREFIX = "o_"


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` in tiyn. States: see sales.states.PAYMENT_STATES."""

    id: int
    order_id: int
    attempt: int
    gateway_order_id: str
    gateway_payment_id: str | None
    amount: int
    state: str
    version: int
    payment_url: str | None
    return_base: str
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    last_error: str | None


class Attempt(msgspec.Struct, frozen=True):
    """A payment and its order, as one statement saw them. The order's version stands for both:
    whoever changes either raises it.
    """

    payment: Payment
    order: Order
    # When the order's first attempt began.
    first_at: datetime
    # Another attempt of the order is open, or was captured.
    has_rival: bool = False

    @property
    def wish(self) -> str | None:
        """Why a pending order is to end, once the gateway lets go of the money."""
        return self.order.reason if self.order.state == "pending" else None


def read_attempt(row: Any) -> Attempt:
    """From a row of the statement of this name."""
    values = dict(row)
    around = {name: values.pop(name) for name in ("first_at", "has_rival")}
    names = [name for name in values if name.startswith(ORDER_PREFIX)]
    order = {name.removeprefix(ORDER_PREFIX): values.pop(name) for name in names}
    return Attempt(Payment(**values), Order(**order), **around)


def moved(
    attempt: Attempt, order_state: str, state: str, now: datetime, **changes: str | None
) -> Attempt:
    """What the attempt becomes in these states. `changes`: reason, where it changes; what was
    learnt of the payment, where it is not None.
    """
    order, payment = attempt.order, attempt.payment
    reason = changes.pop("reason", order.reason)
    learnt = {name: text for name, text in changes.items() if text is not None}
    return replace(
        attempt,
        order=replace(
            order, state=order_state, reason=reason, version=order.version + 1, updated_at=now
        ),
        payment=replace(
            payment, state=state, version=payment.version + 1, updated_at=now, **learnt
        ),
    )
