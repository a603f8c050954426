"""The lives of orders, payments, tickets, refunds and orders at a partner, as tables.

Whatever is not in a table does not happen. A change is made in SQL by compare-and-set on
(id, version) with the states taken from here, and writes audit and notices in the same
transaction; who loses the race gets None back and looks again. docs/states.md is drawn from here.
"""

from typing import ClassVar

from kernel.errors import Refusal
from sales.machine import Machine, Move

ORDER = Machine(
    "order",
    states={
        "open": "an envelope; its seats are held in Redis only",
        "pending": "its seats are claimed, its payment is under way",
        "paid": "the money is ours, the tickets exist",
        "cancelled": "ended by its buyer, by the bank's no or by staff; `reason` says which",
        "expired": "nobody paid in time, or nobody came back to it",
        "refunded": "all its tickets came back; the refunds tell where the money is",
    },
    first=["open"],
    moves=[
        Move("open", "place", "pending", "buyer", "seats are claimed, a payment begins"),
        Move("open", "cancel", "cancelled", "buyer", "the hold ends"),
        Move("open", "abandon", "expired", "clock", "the hold has ended long ago"),
        Move("pending", "pay", "paid", "gateway", "captured: seats are sold, tickets issued"),
        Move("pending", "cancel", "cancelled", "buyer", "the gateway has let go: seats are free"),
        Move("pending", "decline", "cancelled", "gateway", "the bank's no: seats are free"),
        Move("pending", "expire", "expired", "clock", "the gateway has let go: seats are free"),
        Move("expired", "reclaim", "pending", "gateway", "late money takes its seats, all free"),
        Move("paid", "refund", "refunded", "buyer, organiser", "the last ticket came back"),
    ],
)
ORDER_STATES = ORDER.states

# Why a payment moves, wherever it stands.
_OFFER = "the gateway has opened its form"
_TAKE = "the money is reserved, we are about to take it"
_NO = "the bank or the gateway says no"
_CALLED_OFF = "cancelled at the gateway before any money"
_LAPSE = "given up; watched for money that comes late"
_BACK = "the reserved money has gone back"
_KEPT = "it refuses to give back what nobody wants: a refund begins"

PAYMENT = Machine(
    "payment",
    states={
        "started": "we are about to open it at the gateway",
        "unknown": "the gateway did not answer: it may exist or not",
        "offered": "its form is open to the buyer",
        "authorised": "the money is reserved; it is either taken or given back",
        "captured": "the money is ours",
        "declined": "the bank or the gateway said no; another attempt may follow",
        "disowned": "paid after its no, when nobody wanted it any more: the money goes back",
        "owed": "unwanted money that the gateway would not let go of: a refund stands for it",
        "cancelled": "called off before any money",
        "reversed": "reserved money went back",
        "lapsed": "given up; money that comes all the same is dealt with",
        "refunded": "captured money went back",
    },
    first=["started"],
    moves=[
        Move("started", "offer", "offered", "gateway", _OFFER),
        Move("started", "doubt", "unknown", "silence", "no answer to our init"),
        Move("started", "refuse", "declined", "gateway", "a clear no to our init"),
        Move("started", "lapse", "lapsed", "clock", _LAPSE),
        Move("started", "authorise", "authorised", "gateway", _TAKE),
        Move("started", "decline", "declined", "gateway", _NO),
        Move("started", "cancel", "cancelled", "gateway", _CALLED_OFF),
        Move("started", "reverse", "reversed", "gateway", _BACK),
        Move("unknown", "offer", "offered", "gateway", _OFFER),
        Move("unknown", "refuse", "declined", "gateway", "a clear no to our second init"),
        Move("unknown", "lapse", "lapsed", "clock", _LAPSE),
        Move("unknown", "authorise", "authorised", "gateway", _TAKE),
        Move("unknown", "decline", "declined", "gateway", _NO),
        Move("unknown", "cancel", "cancelled", "gateway", _CALLED_OFF),
        Move("unknown", "reverse", "reversed", "gateway", _BACK),
        Move("offered", "authorise", "authorised", "gateway", _TAKE),
        Move("offered", "decline", "declined", "gateway", _NO),
        Move("offered", "cancel", "cancelled", "gateway", _CALLED_OFF),
        Move("offered", "lapse", "lapsed", "clock", _LAPSE),
        Move("offered", "reverse", "reversed", "gateway", _BACK),
        Move("authorised", "capture", "captured", "gateway", "confirmed: the order is paid"),
        Move("authorised", "reverse", "reversed", "gateway", _BACK),
        Move("authorised", "decline", "declined", "gateway", _NO),
        # Given up while the gateway would not cancel, and paid after all.
        Move("lapsed", "authorise", "authorised", "gateway", "money that came late"),
        Move("declined", "authorise", "authorised", "gateway", "paid after its no, still wanted"),
        Move("declined", "disown", "disowned", "gateway", "paid after its no, not wanted now"),
        Move("disowned", "reverse", "reversed", "gateway", _BACK),
        Move("authorised", "owe", "owed", "gateway", _KEPT),
        Move("disowned", "owe", "owed", "gateway", _KEPT),
        Move("owed", "reverse", "reversed", "gateway", "its refund went through"),
        Move("captured", "refund", "refunded", "gateway", "all of it went back to the card"),
    ],
)
PAYMENT_STATES = PAYMENT.states
# Nothing more is to be learnt from the gateway about these.
PAYMENT_SETTLED = frozenset({"captured", "cancelled", "reversed", "refunded", "owed"})
# As above, unless somebody says that there is money after all, or the order still waits for it.
PAYMENT_NO = "declined"

_NOBODYS = "its seat is free, a refund begins"

TICKET = Machine(
    "ticket",
    states={
        "valid": "opens the door",
        "used": "somebody has entered by it",
        "returned": "worth nothing; its refund says where the money is",
    },
    first=["valid"],
    moves=[
        Move("valid", "use", "used", "door", "the code was read at the entrance"),
        Move("valid", "return", "returned", "buyer, organiser", _NOBODYS),
        Move("used", "return", "returned", "organiser", "the event was cancelled"),
    ],
)

REFUND = Machine(
    "refund",
    states={
        "asked": "the whole payment is to go back through the gateway",
        "sent": "the gateway was told so; its answer decides",
        "queued": "staff is to pay it by hand",
        "done": "the gateway gave the money back, or there was none to give",
        "paid_out": "staff paid it; `reference` says how",
    },
    first=["asked", "queued", "done"],
    moves=[
        Move("asked", "send", "sent", "worker", "written before the gateway is told"),
        Move("sent", "send", "sent", "worker", "again, under the same key"),
        Move("asked", "finish", "done", "gateway", "found refunded before we said a word"),
        Move("sent", "finish", "done", "gateway", "refunded: so is the payment"),
        Move("asked", "queue", "queued", "gateway", "it knows no such payment any more"),
        Move("sent", "queue", "queued", "gateway", "its clear no"),
        Move("queued", "pay-out", "paid_out", "staff", "paid by hand"),
        Move("queued", "ask-again", "asked", "staff", "the gateway had refused, and is asked anew"),
    ],
)

PARTNER_ORDER = Machine(
    "order at a partner",
    states={
        "asked": "its place is being selected: not known yet whether it is ours",
        "held": "the place is ours for now",
        "submitted": "its contents are frozen there, it may be confirmed",
        "confirmed": "the place is ours for good: whoever returns it, we sell it again",
        "cancelled": "the partner has the place back",
        "refused": "the partner would not give the place; the order there is empty",
    },
    first=["asked"],
    moves=[
        Move("asked", "hold", "held", "partner", "selected, or found selected after a silence"),
        Move("asked", "refuse", "refused", "partner", "somebody else has the place"),
        Move("refused", "hold", "held", "partner", "found selected after all: it is given back"),
        Move("held", "submit", "submitted", "partner", "while our order is being paid"),
        Move("held", "confirm", "confirmed", "partner", "found so, the step between unseen"),
        Move("submitted", "confirm", "confirmed", "partner", "before our money is taken"),
        Move("held", "cancel", "cancelled", "partner", "nobody here wants the place any more"),
        Move("submitted", "cancel", "cancelled", "partner", "its order ended without money"),
    ],
)

# In the order of docs/states.md.
MACHINES = (ORDER, PAYMENT, TICKET, REFUND, PARTNER_ORDER)


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
