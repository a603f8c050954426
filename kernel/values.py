"""Kinds of ids, and money. Money is whole tiyn (1/100 tenge) inside, a decimal string outside."""

from typing import NewType

EventId = NewType("EventId", int)
AccountId = NewType("AccountId", int)
OrderId = NewType("OrderId", int)
PaymentId = NewType("PaymentId", int)
TicketId = NewType("TicketId", int)

INT64_MAX = 2**63 - 1
# Ids travel as JSON numbers and are read by JavaScript, whose integers are exact up to here.
ID_MAX = 2**53 - 1
TIYN_PER_TENGE = 100


def tenge(tiyn: int) -> str:
    """4000000 -> "40000.00", the form of the public contract."""
    sign = "-" if tiyn < 0 else ""
    whole, rest = divmod(abs(tiyn), TIYN_PER_TENGE)
    return f"{sign}{whole}.{rest:02d}"


def tenge_human(tiyn: int) -> str:
    """4000000 -> "40 000 ₸" with no-break spaces; tiyn are shown only where there are some."""
    sign = "−" if tiyn < 0 else ""
    whole, rest = divmod(abs(tiyn), TIYN_PER_TENGE)
    text = f"{whole:,}".replace(",", "\u00a0")
    return f"{sign}{text},{rest:02d}\u00a0₸" if rest else f"{sign}{text}\u00a0₸"
