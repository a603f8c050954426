"""Request tokens of the payment gateway: plain SHA-256 over named values in ordinal order of
their names, without separators (contract §4). `Amount` is written as the body writes it.
"""

from hashlib import sha256

import msgspec


class Merchant(msgspec.Struct, frozen=True):
    team_slug: str
    password: str


def init(who: Merchant, amount: int, currency: str, order_id: str) -> str:
    return _seal(str(amount), currency, order_id, who.password, who.team_slug)


def check(who: Merchant, *, payment_id: str | None, order_id: str) -> str:
    """By payment id if there is one: then the id stands before the password, as does the order
    id otherwise.
    """
    return _seal(payment_id or order_id, who.password, who.team_slug)


def confirm(who: Merchant, payment_id: str, amount: int | None) -> str:
    """Not verified by the real service; this is what its general rule gives."""
    return _seal("" if amount is None else str(amount), who.password, payment_id, who.team_slug)


def cancel(who: Merchant, payment_id: str) -> str:
    return _seal(payment_id, who.password, who.team_slug)


def _seal(*values: str) -> str:
    return sha256("".join(values).encode()).hexdigest()
