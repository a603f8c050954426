"""Which tickets may come back, for how much, and by which way the money goes. Pure.

The gateway gives back whole payments only (§2.4): what is less than the whole, or comes after a
part, goes to the queue of payouts, which staff pays by hand.
"""

from collections.abc import Sequence

from sales.refund import (
    NoTicketsChosen,
    RefundTooLate,
    Return,
    Sheet,
    TicketReturned,
    TicketUnknown,
    TicketUsed,
)
from sales.tickets import Ticket


def plan_return(sheet: Sheet, chosen: Sequence[int] | None, *, by_house: bool = False) -> Return:
    """`chosen`: ticket ids; None: all that can still be returned. `by_house`: the organiser gives
    the money back (event cancelled): time, fee and whether somebody is inside don't matter.

    Raises NoTicketsChosen, TicketUnknown, TicketReturned, TicketUsed, RefundTooLate.
    """
    tickets = _chosen(sheet, chosen, by_house=by_house)
    if not by_house and any(ticket.id in sheet.late for ticket in tickets):
        raise RefundTooLate(refund_until=min(one.refund_until for one in tickets).isoformat())
    price = sum(ticket.price for ticket in tickets)
    fee = 0 if by_house else sum(ticket.refund_fee for ticket in tickets)
    coming = {ticket.id for ticket in tickets}
    is_last = all(one.state == "returned" or one.id in coming for one in sheet.tickets)
    return Return(tickets, price - fee, fee, _way(sheet, price - fee), is_last)


def is_returned(sheet: Sheet, chosen: Sequence[int] | None) -> bool:
    """The same was asked before and done: a second click."""
    wanted = _named(sheet, chosen)
    return bool(wanted) and all(ticket.state == "returned" for ticket in wanted)


def _chosen(sheet: Sheet, chosen: Sequence[int] | None, *, by_house: bool) -> list[Ticket]:
    wanted = _named(sheet, chosen)
    if not wanted:
        raise NoTicketsChosen
    if not by_house and any(ticket.state == "used" for ticket in wanted):
        raise TicketUsed
    if chosen is not None and any(ticket.state == "returned" for ticket in wanted):
        raise TicketReturned
    left = [ticket for ticket in wanted if ticket.state != "returned"]
    if not left:
        raise TicketReturned
    return left


def _named(sheet: Sheet, chosen: Sequence[int] | None) -> list[Ticket]:
    if chosen is None:
        return sheet.tickets
    by_id = {ticket.id: ticket for ticket in sheet.tickets}
    if not set(chosen) <= set(by_id):
        raise TicketUnknown
    return [by_id[ticket_id] for ticket_id in dict.fromkeys(chosen)]


def _way(sheet: Sheet, amount: int) -> str:
    """The state in which the refund begins."""
    if amount == 0:
        return "done"
    is_whole = amount == sheet.paid.amount and not sheet.refunds
    return "asked" if is_whole and sheet.paid.gateway_payment_id else "queued"
