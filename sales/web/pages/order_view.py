"""What an order looks like to its buyer: one stage out of the states of order, hold and payment.

Pure: it is told what there is and says what to show. What it says about money is never more
than what is known.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import msgspec

from sales.geometry import Hall, Place
from sales.holds import Hold
from sales.order import Line, Order
from sales.payment import Payment
from sales.payments import Pace
from sales.payments_again import attempts_left
from sales.refund import Refund
from sales.states import PAYMENT_NO
from sales.tickets import Ticket

Stage = Literal[
    "choosing",
    "empty",
    "opening",
    "silent",
    "paying",
    "again",
    "asking",
    "ending",
    "issuing",
    "paid",
    "declined",
    "cancelled",
    "expired",
    "refunded",
]
# What these stages are once the time to pay is over: nothing can be paid any more, and the order
# ends when the gateway says what became of it. Who may have paid already is asked about.
AFTER_TIME: Mapping[Stage, Stage] = MappingProxyType({"opening": "silent", "paying": "asking"})
# The buyer's clock runs.
TIMED: frozenset[Stage] = frozenset({"choosing", "opening", "paying", "again"})
# Nothing changes by itself any more.
FINAL: frozenset[Stage] = frozenset(
    {"empty", "paid", "declined", "cancelled", "expired", "refunded"}
)
# The bank is giving money back: that is told when it is done.
UNDER_WAY = frozenset({"asked", "sent"})
# What became of the money of an order that ended unpaid: `none` was taken, what was blocked is
# `released`, `checking` with the bank, `owed` back to the buyer.
Money = Literal["none", "released", "checking", "owed"]
# Nobody has seen a payment form yet, so nobody can have paid.
NOT_OFFERED = frozenset({"started", "unknown"})
NEVER_TAKEN = frozenset({"declined", "cancelled"})
ENDED_DECLINED = frozenset({"declined", "gateway-refused"})


class SeatView(msgspec.Struct, frozen=True):
    """One place of the order. `seat` is its index in the event; `price` in tiyn."""

    seat: int
    zone_no: int
    zone_name: str
    row: int
    number: int
    price: int
    ticket: Ticket | None = None


class OrderView(msgspec.Struct, frozen=True):
    order: Order
    stage: Stage
    money: Money
    seats: list[SeatView]
    total: int
    # Until when the seats are the buyer's; None where no clock runs.
    until: datetime | None
    payment: Payment | None
    # How the gateway is doing; nobody needs to know once the order is final.
    pace: Pace = "well"
    # Of returned tickets, the oldest first.
    refunds: Sequence[Refund] = ()

    @property
    def next_attempt(self) -> int:
        """The number of the payment that the page's button begins."""
        return self.payment.attempt + 1 if self.payment else 1

    @property
    def tries_left(self) -> int:
        return attempts_left(self.order.channel, self.next_attempt - 1)

    @property
    def is_final(self) -> bool:
        return self.stage in FINAL and not any(one.state in UNDER_WAY for one in self.refunds)

    @property
    def kept(self) -> list[SeatView]:
        """The places with a ticket that was not returned."""
        return [one for one in self.seats if one.ticket and one.ticket.state != "returned"]

    @property
    def given_back(self) -> list[SeatView]:
        return [one for one in self.seats if one.ticket and one.ticket.state == "returned"]

    def returnable(self, now: datetime) -> list[SeatView]:
        """What its buyer may still return; the database's clock has the last word."""
        tickets = [(one, one.ticket) for one in self.kept if one.ticket]
        return [
            one for one, ticket in tickets if ticket.state == "valid" and ticket.refund_until > now
        ]

    @property
    def mark(self) -> str:
        """Changes whenever the page would look different."""
        tickets = sum(1 for seat in self.seats if seat.ticket)
        back = "".join(one.state[0] for one in self.refunds)
        parts = (self.next_attempt, len(self.seats), tickets, self.money, self.pace, back)
        return "-".join(map(str, (self.stage, *parts)))


def view(
    order: Order,
    hall: Hall,
    *,
    hold: Hold | None = None,
    hold_until: datetime | None = None,
    lines: Sequence[Line] = (),
    payment: Payment | None = None,
    tickets: Sequence[Ticket] = (),
    pace: Pace = "well",
    now: datetime | None = None,
    refunds: Sequence[Refund] = (),
) -> OrderView:
    """`hold` is the living hold of an open order; `lines` what was placed; `now` tells whether
    the time to pay is over, while the gateway may still be silent.
    """
    stage = stage_of(order, hold, payment, tickets)
    if now is not None and order.expires_at is not None and now >= order.expires_at:
        stage = AFTER_TIME.get(stage, stage)
    if order.state == "open":
        seats = [_of_place(seat, hall.place(seat)) for seat in sorted(hold.seats if hold else [])]
    else:
        by_seat = {ticket.seat: ticket for ticket in tickets}
        seats = [_of_line(line, hall, by_seat.get(line.seat)) for line in lines]
    until = hold_until if stage == "choosing" else order.expires_at
    return OrderView(
        order,
        stage,
        money_of(payment),
        seats,
        order.total or sum(seat.price for seat in seats),
        until if stage in TIMED else None,
        payment,
        "well" if stage in FINAL else pace,
        refunds,
    )


def stage_of(
    order: Order, hold: Hold | None, payment: Payment | None, tickets: Sequence[Ticket]
) -> Stage:
    match order.state:
        case "open":
            return "choosing" if hold and hold.seats else "empty"
        case "pending":
            return _stage_of_pending(order, payment)
        case "paid":
            return "paid" if tickets else "issuing"
        case "expired" | "refunded":
            return "refunded" if order.state == "refunded" else "expired"
        case _:
            return "declined" if order.reason in ENDED_DECLINED else "cancelled"


def money_of(payment: Payment | None) -> Money:
    """What may be said about the money of an order that ended unpaid."""
    if payment is None or payment.state in NEVER_TAKEN:
        return "none"
    if payment.state in ("reversed", "refunded"):
        return "released"
    return "owed" if payment.state == "captured" else "checking"


def _stage_of_pending(order: Order, payment: Payment | None) -> Stage:
    if order.reason is not None:
        return "ending"
    if payment is None:
        return "asking"
    if payment.state == PAYMENT_NO:
        return "again"
    if payment.state in NOT_OFFERED and payment.gateway_payment_id is None:
        return "opening"
    if payment.state == "authorised":
        return "issuing"
    return "paying" if payment.state == "offered" else "asking"


def _of_place(seat: int, place: Place) -> SeatView:
    return SeatView(seat, place.zone_no, place.zone_name, place.row, place.number, place.price)


def _of_line(line: Line, hall: Hall, ticket: Ticket | None) -> SeatView:
    zone = hall.zone(line.zone_no)
    name = zone.name if zone else ""
    return SeatView(line.seat, line.zone_no, name, line.row_no, line.seat_no, line.price, ticket)
