"""The lives of an order and of a payment, as tables: (state, verb) → new state.

Whatever is not in a table does not happen. A change is made in SQL by compare-and-set on
(id, version) with the states taken from here, and writes audit and notices in the same
transaction; who loses the race gets None back and looks again.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from kernel.errors import Refusal

Moves = Mapping[tuple[str, str], str]

ORDER: Moves = MappingProxyType(
    {
        ("open", "place"): "pending",
        ("open", "cancel"): "cancelled",
        ("open", "abandon"): "expired",
        ("pending", "pay"): "paid",
        ("pending", "cancel"): "cancelled",
        ("pending", "decline"): "cancelled",
        ("pending", "expire"): "expired",
        # Money that came late takes its seats again, if all of them are still free.
        ("expired", "reclaim"): "pending",
    }
)
ORDER_STATES = ("open", "pending", "paid", "cancelled", "expired")

PAYMENT: Moves = MappingProxyType(
    {
        ("started", "offer"): "offered",
        ("started", "doubt"): "unknown",
        ("started", "refuse"): "declined",
        ("started", "lapse"): "lapsed",
        ("started", "authorise"): "authorised",
        ("unknown", "offer"): "offered",
        ("unknown", "refuse"): "declined",
        ("unknown", "lapse"): "lapsed",
        ("unknown", "authorise"): "authorised",
        ("unknown", "decline"): "declined",
        ("unknown", "cancel"): "cancelled",
        ("started", "decline"): "declined",
        ("started", "cancel"): "cancelled",
        ("offered", "authorise"): "authorised",
        ("offered", "decline"): "declined",
        ("offered", "cancel"): "cancelled",
        ("offered", "lapse"): "lapsed",
        ("authorised", "capture"): "captured",
        ("authorised", "reverse"): "reversed",
        ("authorised", "decline"): "declined",
        # Given up while the gateway would not cancel, and paid after all.
        ("lapsed", "authorise"): "authorised",
        # The reversal was asked before we had seen the money.
        ("started", "reverse"): "reversed",
        ("unknown", "reverse"): "reversed",
        ("offered", "reverse"): "reversed",
    }
)
PAYMENT_STATES = (
    "started",
    "offered",
    "unknown",
    "authorised",
    "captured",
    "declined",
    "cancelled",
    "reversed",
    "lapsed",
    "refunded",
)
# Nothing more is to be learnt from the gateway about these.
PAYMENT_SETTLED = frozenset({"captured", "declined", "cancelled", "reversed", "refunded"})


class OrderState(Refusal):
    """Заказ уже в другом состоянии, так с ним поступить нельзя."""

    status: ClassVar[int] = 419
    code: ClassVar[str] = "order-state"


def move_order(state: str, verb: str) -> str:
    """The state after the verb. Raises OrderState where the verb does not apply."""
    if (state, verb) not in ORDER:
        raise OrderState(state=state)
    return ORDER[state, verb]


def move_payment(state: str, verb: str) -> str | None:
    """The state after the verb; None where it does not apply (somebody else was faster)."""
    return PAYMENT.get((state, verb))
