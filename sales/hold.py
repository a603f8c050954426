"""What is held: the words that the verbs of holds answer with."""

from typing import Literal

import msgspec


class Hold(msgspec.Struct, frozen=True):
    """What an order holds. Frozen: it is being paid and cannot change; `expires_at_ms` is then
    the moment at which PostgreSQL is asked what became of it.
    """

    order_id: int
    event_id: int
    account_id: int
    seats: list[int]
    expires_at_ms: int
    frozen: bool


# How the best seats stand: in one row; so, but leaving a single seat beside them; in two
# neighbouring rows; wherever there were some.
Fit = Literal["together", "orphan", "rows", "apart"]


class Best(msgspec.Struct, frozen=True):
    """What a choice of ours gave an order: all it holds now, and what was added. `fit` None:
    nothing, for it had been asked before.
    """

    hold: Hold
    added: list[int]
    fit: Fit | None


class Holder(msgspec.Struct, frozen=True):
    """Who holds a seat, or owns it when it is sold."""

    order_id: int
    account_id: int
    sold: bool


def unpack(event_id: int, order_id: int, pack: bytes) -> Hold:
    """From the packed form that Redis keeps (see sales.keys.HOLDS)."""
    account, expires, _, mode, names = pack.decode().split(":")
    seats = [int(name) for name in names.split(",")]
    return Hold(order_id, event_id, int(account), seats, int(expires), mode == "f")
