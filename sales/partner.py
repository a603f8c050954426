"""Seats that others own: what an order at a partner is, and how its verbs refuse.

Each of our orders at a partner has one place. So whatever the partner tells about it is about
that place, nothing waits for a second one, and a place that one buyer gives back is handed to the
next without a word to the partner (ADR 24).
"""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from kernel.errors import TryAgain
from sales.states import PARTNER_ORDER

# The kinds of notices that bring an order at a partner on its way.
TEND: Final = "partner.tend"
SWEEP: Final = "partner.sweep"
OWNERSHIP: Final = "partner"
ENDED: Final = frozenset({"cancelled", "refused"})


class PartnerAway(TryAgain):
    """Владелец зала сейчас не отвечает, взять у него места нельзя. Попробуйте чуть позже."""

    code: ClassVar[str] = "partner-away"


class PartnerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`provider_order` is the partner's id of it, `order_id` ours of the order that it serves or
    served last. `call`: being made until `calling_until`, in doubt afterwards. `settled_at`: the
    partner was seen to have put the place into the order; nothing may be asked of it before.
    """

    id: int
    event_id: int
    seat: int
    place_id: UUID
    provider_order: UUID
    order_id: int
    state: str
    version: int
    call: str | None
    calling_until: datetime | None
    asked_at: datetime
    selected_at: datetime | None
    settled_at: datetime | None
    updated_at: datetime
    last_error: str | None

    @property
    def is_ours(self) -> bool:
        """Whoever holds the seat here may have it without asking the partner."""
        return self.call is None and self.state in {"held", "submitted", "confirmed"}


class Told(msgspec.Struct, frozen=True):
    """What a partner tells about an order of ours; it may lag behind what it has done."""

    status: str
    places_count: int


class NotThere(msgspec.Struct, frozen=True):
    """The partner doesn't know the order, or not yet."""


class PlaceTold(msgspec.Struct, frozen=True):
    """A place as a partner lists it; free or not, some moments ago."""

    id: UUID
    row: int
    seat: int
    is_free: bool


class Taken(msgspec.Struct, frozen=True):
    """What came of asking for seats: `lost` somebody else has, or nobody knows; `away_s` not 0: the
    partner does not answer, come back after that.
    """

    lost: list[int] = []
    away_s: float = 0.0

    @property
    def is_whole(self) -> bool:
        return not self.lost and self.away_s <= 0


def move_partner_order(state: str, verb: str) -> str | None:
    """The state after the verb; None where it does not apply."""
    return PARTNER_ORDER.get((state, verb))
