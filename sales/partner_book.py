"""The written side of orders at partners. Nothing here speaks to a partner.

A change is a compare-and-set on the row's version, a call is written before it is made. None:
somebody was faster, look again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.outbox import PARTNERS
from sales.partner import PartnerOrder, move_partner_order

Q = load_queries(Path(__file__).parent / "sql")
# A call has had its answer by then, or its process is dead (sales.gateway_wire, waiting for a
# place in line included).
CALL_S: Final = 6.0
# A request that was given up here may still be carried out there for so long.
LATE_S: Final = 1.0
# A buyer who changes his mind takes the seat again within this, without a word to the partner.
LINGER_S: Final = 2.0
ERROR_CHARS_MAX: Final = 300


class Wish(msgspec.Struct, frozen=True):
    """The order of ours that it serves: `state` None after a reset, or a change of owners."""

    state: str | None
    expires_at: datetime | None
    is_claimed: bool


class PartnerBook:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def read(self, partner_order_id: int) -> PartnerOrder | None:
        return _one(await self._db.fetchrow(Q["read_partner_order"], partner_order_id))

    async def living(self, event_id: int, seats: Sequence[int]) -> dict[int, PartnerOrder]:
        """By seat."""
        rows = await self._db.fetch(Q["list_partner_orders"], event_id, seats)
        return {row["seat"]: PartnerOrder(**row) for row in rows}

    async def places(self, event_id: int, seats: Sequence[int]) -> dict[int, UUID]:
        """The partner's ids of these seats; those it has not are left out."""
        rows = await self._db.fetch(Q["list_partner_places"], event_id, seats)
        return {row["seat"]: row["place_id"] for row in rows}

    async def given_back(self, event_id: int, seats: Sequence[int], within_s: float) -> set[int]:
        """Those that were given back so lately that the partner may not offer them yet."""
        since = self._clock.now() - timedelta(seconds=within_s)
        rows = await self._db.fetch(Q["list_given_back"], event_id, seats, since)
        return {row["seat"] for row in rows}

    async def open(
        self, event_id: int, seat: int, place: UUID, provider_order: UUID, order_id: int
    ) -> PartnerOrder | None:
        """Before the place is selected. None: the seat has a living one."""
        now = self._clock.now()
        until = now + timedelta(seconds=CALL_S)
        given = (event_id, seat, place, provider_order, order_id, now, until, PARTNERS)
        return _one(await self._db.fetchrow(Q["open_partner_order"], *given))

    async def hand(self, event_id: int, seats: Sequence[int], order_id: int) -> set[int]:
        """Those seats are the order's at the partner too, from now on."""
        now = self._clock.now()
        rows = await self._db.fetch(Q["hand_partner_orders"], event_id, seats, order_id, now)
        return {row["seat"] for row in rows}

    async def call(self, before: PartnerOrder, call: str) -> PartnerOrder | None:
        """Written before the call is made."""
        now = self._clock.now()
        until = now + timedelta(seconds=CALL_S)
        given = (before.id, before.version, call, until, now)
        return _one(await self._db.fetchrow(Q["call_partner_order"], *given))

    async def doubt(self, before: PartnerOrder, why: str, late_s: float) -> PartnerOrder | None:
        """Its call had no answer: it is looked into after a while."""
        now = self._clock.now()
        since = now + timedelta(seconds=late_s)
        given = (before.id, before.version, since, now, why[:ERROR_CHARS_MAX])
        return _one(await self._db.fetchrow(Q["doubt_partner_order"], *given))

    async def learn(
        self, before: PartnerOrder, verb: str | None, *, is_settled: bool = False
    ) -> PartnerOrder | None:
        """What became of its call, or was seen. `verb` None: its state stays."""
        state = move_partner_order(before.state, verb) if verb else before.state
        if state is None:
            return None
        given = (before.id, before.version, before.state, state, self._clock.now())
        is_selected = state not in {"asked", "refused"}
        row = await self._db.fetchrow(Q["learn_partner_order"], *given, is_selected, is_settled)
        return _one(row)

    async def hint(self, order_id: int, delay_s: float = 0.0) -> None:
        """Something has changed about what this order of ours wants of partners."""
        now = self._clock.now()
        due_at = now + timedelta(seconds=delay_s)
        await self._db.execute(Q["hint_partner_orders"], order_id, now, PARTNERS, due_at)

    async def wish(self, partner_order_id: int) -> Wish | None:
        row = await self._db.fetchrow(Q["read_partner_wish"], partner_order_id)
        return Wish(**row) if row else None

    async def sweep(self, limit: int) -> list[Any]:
        """Have those looked at that nobody is going to look at: a batch of them, as rows."""
        given = (self._clock.now(), PARTNERS, limit)
        return await self._db.fetch(Q["sweep_partner_orders"], *given)


def _one(row: Any) -> PartnerOrder | None:
    return PartnerOrder(**row) if row else None
