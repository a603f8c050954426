"""Payment states and the moves between them: one table, read by everybody."""

from enum import StrEnum


class Status(StrEnum):
    NEW = "NEW"
    FORM_SHOWED = "FORM_SHOWED"
    AUTHORIZED = "AUTHORIZED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    EXPIRED = "EXPIRED"


MOVES: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.FORM_SHOWED, Status.CANCELLED, Status.EXPIRED}),
    # Expiry here is for a card whose answer was lost with the process.
    Status.FORM_SHOWED: frozenset({Status.AUTHORIZED, Status.REJECTED, Status.EXPIRED}),
    Status.AUTHORIZED: frozenset({Status.CONFIRMED, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.REFUNDED}),
    Status.REJECTED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.REFUNDED: frozenset(),
    Status.EXPIRED: frozenset(),
}

# Counted against the merchant's limit of open payments (faithful profile).
OPEN = (Status.NEW, Status.FORM_SHOWED, Status.AUTHORIZED)
FINAL = tuple(status for status, moves in MOVES.items() if not moves)
# What the payer has achieved: decides between the success and the fail address.
PAID = (Status.AUTHORIZED, Status.CONFIRMED)

MEANING: dict[Status, str] = {
    Status.NEW: "Payment created",
    Status.FORM_SHOWED: "Payment form in use",
    Status.AUTHORIZED: "Funds held, waiting for confirmation",
    Status.CONFIRMED: "Payment completed",
    Status.REJECTED: "Card refused",
    Status.CANCELLED: "Payment cancelled",
    Status.REFUNDED: "Funds returned",
    Status.EXPIRED: "Time to pay is over",
}

# Cancelling: where it leads from each state and what the merchant is told it was.
CANCELLATIONS: dict[Status, tuple[Status, str]] = {
    Status.NEW: (Status.CANCELLED, "FULL_CANCELLATION"),
    Status.AUTHORIZED: (Status.CANCELLED, "FULL_REVERSAL"),
    Status.CONFIRMED: (Status.REFUNDED, "FULL_REFUND"),
}
