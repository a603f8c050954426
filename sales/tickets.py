"""Tickets: the right to enter, one for each place of a paid order, with a signed QR code.

They are issued in the transaction of the capture (payments_book). A code can be verified at the
door without any network; the ticket's state (valid, returned, used) is for who has the database.
"""

from datetime import datetime
from pathlib import Path

import msgspec
import segno

from kernel.db import Db
from kernel.errors import BadInput
from kernel.keyring import Keyring, TokenRefusedError
from kernel.sql import load_queries
from kernel.values import ID_MAX

Q = load_queries(Path(__file__).parent / "sql")
PURPOSE, TYP = "ticket", "ticket+jwt"
OF_ACCOUNT_MAX = 200
# A code outlives any postponement of its event; whether the ticket is still good is its state.
CODE_LIFE_S = 3 * 365 * 24 * 3600
CODE_CHARS_MAX = 1_000
QR_BORDER = 2


class TicketForged(BadInput):
    """Это не наш билет."""

    code = "ticket-forged"


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`serial` is unguessable. `refund_until` and `refund_fee` (tiyn kept of the price) are the
    return policy as it stood at purchase; `refund_id` says by which refund it came back.
    """

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
    refund_fee: int = 0
    refund_id: int | None = None
    issued_at: datetime


class TicketClaims(msgspec.Struct, frozen=True):
    """What a QR code says, verified offline."""

    serial: str
    event_id: int
    seat: int


class _Code(msgspec.Struct, frozen=True):
    aud: str
    jti: str
    s: int


class Tickets:
    def __init__(self, db: Db, keyring: Keyring) -> None:
        self._db, self._keyring = db, keyring

    async def of_order(self, order_id: int) -> list[Ticket]:
        """In seat order; empty until paid."""
        rows = await self._db.fetch(Q["list_tickets_of_order"], order_id)
        return [Ticket(**row) for row in rows]

    async def of_account(self, account_id: int, limit: int = OF_ACCOUNT_MAX) -> list[Ticket]:
        """Newest first."""
        count = min(limit, OF_ACCOUNT_MAX)
        rows = await self._db.fetch(Q["list_tickets_of_account"], account_id, count)
        return [Ticket(**row) for row in rows]

    def qr_text(self, ticket: Ticket) -> str:
        """The signed text of the QR code: the same for the same ticket while its key signs."""
        issued_s = int(ticket.issued_at.timestamp())
        claims = {
            "aud": str(ticket.event_id),
            "jti": ticket.serial,
            "s": ticket.seat,
            "nbf": issued_s,
            "exp": issued_s + CODE_LIFE_S,
        }
        return self._keyring.sign(PURPOSE, claims, typ=TYP)

    def qr_svg(self, ticket: Ticket) -> str:
        """The QR code as an inline `<svg>` element, sized by CSS (it has a viewBox only)."""
        code = segno.make(self.qr_text(ticket), error="l", micro=False, boost_error=False)
        svg: str = code.svg_inline(omitsize=True, border=QR_BORDER, svgclass="qr", lineclass=None)
        return svg

    def verify(self, qr_text: str) -> TicketClaims:
        """Offline. Raises TicketForged."""
        try:
            if len(qr_text) > CODE_CHARS_MAX:
                raise TicketForged
            claims = self._keyring.verify(PURPOSE, qr_text, typ=TYP, audience=None, now_s=None)
            code = msgspec.convert(claims, _Code)
        except (TokenRefusedError, msgspec.ValidationError) as error:
            raise TicketForged from error
        if not code.aud.isdecimal() or not 1 <= int(code.aud) <= ID_MAX:
            raise TicketForged
        return TicketClaims(code.jti, int(code.aud), code.s)
