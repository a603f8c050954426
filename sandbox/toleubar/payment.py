"""A payment as the books keep it."""

from decimal import Decimal

from msgspec import Struct

from sandbox.toleubar.states import Status


class Payment(Struct, frozen=True, kw_only=True):
    """`amount` is in tiyn, as the merchant wrote it; `reason` is the cause of the last change;
    the addresses are those given at init, None where none was given.
    """

    seq: int = 0
    payment_id: str
    team_slug: str
    order_id: str
    amount: Decimal
    currency: str
    status: Status
    reason: str
    pay_type: str | None
    description: str | None
    success_url: str | None
    fail_url: str | None
    notification_url: str | None
    created_ms: int
    updated_ms: int
    expires_ms: int

    def is_same_order(self, other: "Payment") -> bool:
        """Whether a repeated init asks for what was asked before."""
        return _asked(self) == _asked(other)


class Change(Struct, frozen=True):
    at_ms: int
    status: str
    cause: str


def _asked(payment: Payment) -> tuple[object, ...]:
    return (
        payment.amount,
        payment.currency,
        payment.pay_type,
        payment.description,
        payment.success_url,
        payment.fail_url,
        payment.notification_url,
    )
