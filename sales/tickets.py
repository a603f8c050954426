"""Tickets: the right to enter, one for each place of a paid order, with a signed QR code."""

from datetime import datetime
from typing import Protocol

import msgspec

from kernel.errors import BadInput


class TicketForged(BadInput):
    """Это не наш билет."""

    code = "ticket-forged"


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`serial` is unguessable; `refund_until` is the return policy as it stood at purchase."""

    id: int
    order_id: int
    account_id: int
    event_id: int
    seat: int
    zone_no: int
    row_no: int
    seat_no: int
    price: int
    serial: str
    state: str
    refund_until: datetime
    issued_at: datetime


class TicketClaims(msgspec.Struct, frozen=True):
    """What a QR code says, verified offline."""

    serial: str
    event_id: int
    seat: int


class Tickets(Protocol):
    """What pages and API call; being built, the class of this name will have these verbs."""

    async def of_order(self, order_id: int) -> list[Ticket]:
        """In seat order; empty until paid."""
        ...

    async def of_account(self, account_id: int, limit: int = 200) -> list[Ticket]:
        """Newest first."""
        ...

    def qr_text(self, ticket: Ticket) -> str:
        """The signed text of the QR code."""
        ...

    def qr_svg(self, ticket: Ticket) -> str:
        """The QR code as an inline `<svg>` element, sized by CSS."""
        ...

    def verify(self, qr_text: str) -> TicketClaims:
        """Offline. Raises TicketForged."""
        ...
