"""Holds of seats that a partner owns: ours first, then the partner's word, all or nothing.

Redis lets exactly one of us ask for a seat, so the partner hears of a seat from one buyer at a
time. What the partner refuses goes back at once and is not offered again until it is listed as
free there. Events whose seats are our own pay nothing for this.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis

from kernel.clock import Clock
from kernel.db import Db
from sales.catalogue import Catalogue
from sales.hold import Best, Hold
from sales.holds import Holds
from sales.holds_refusals import SeatTaken, named
from sales.partner import PartnerAway
from sales.partner_desk import PartnerDesk

# The best seats are chosen anew so often when the partner has sold some of them meanwhile.
BEST_TRIES_MAX: Final = 3
OUTSIDE: Final = "X"


class PartnerHolds(Holds):
    def __init__(
        self, redis: Redis, db: Db, catalogue: Catalogue, clock: Clock, desk: PartnerDesk
    ) -> None:
        super().__init__(redis, db, catalogue, clock)
        self._desk = desk

    async def hold(
        self, event_id: int, order_id: int, account_id: int, seats: Sequence[int], **given: Any
    ) -> Hold:
        """As Holds.hold; raises PartnerAway too."""
        if not await self._desk.owns(event_id):
            return await super().hold(event_id, order_id, account_id, seats, **given)
        before = await self.of_order(event_id, order_id)
        hold = await super().hold(event_id, order_id, account_id, seats, **given)
        had = set(before.seats) if before is not None else set()
        await self._ask(event_id, order_id, hold.seats, [one for one in seats if one not in had])
        return hold

    async def hold_best(
        self, event_id: int, order_id: int, account_id: int, zone_no: int, count: int, **given: Any
    ) -> Best:
        """As Holds.hold_best; raises SeatTaken, PartnerAway too."""
        tries = BEST_TRIES_MAX if await self._desk.owns(event_id) else 0
        while True:
            best = await super().hold_best(event_id, order_id, account_id, zone_no, count, **given)
            if not tries:
                return best
            tries -= 1
            try:
                await self._ask(event_id, order_id, best.hold.seats, best.added)
            except SeatTaken:
                if not tries or not best.added:
                    raise
            else:
                return best

    async def release(
        self, event_id: int, order_id: int, account_id: int, seats: Sequence[int] | None = None
    ) -> list[int]:
        released = await super().release(event_id, order_id, account_id, seats)
        await self._hint(event_id, order_id, soon=True)
        return released

    async def freeze(self, event_id: int, order_id: int, account_id: int, until_ms: int) -> Hold:
        """Nobody is sent to pay while the partner is away, nor for a seat that it does not keep for
        us: a process may have died between our hold and its word. Raises SeatTaken, PartnerAway
        too.
        """
        if await self._desk.owns(event_id):
            away_s = await self._desk.away_s(event_id)
            if away_s > 0:
                raise PartnerAway(retry_after_s=math.ceil(away_s))
            hold = await self.of_order(event_id, order_id)
            if hold is not None and hold.account_id == account_id:
                await self._ask(event_id, order_id, hold.seats, [])
        return await super().freeze(event_id, order_id, account_id, until_ms)

    async def claim(
        self, event_id: int, order_id: int, account_id: int, seats: Sequence[int], until_ms: int
    ) -> None:
        await super().claim(event_id, order_id, account_id, seats, until_ms)
        await self._hint(event_id, order_id)

    async def free(
        self, event_id: int, order_id: int, seats: Sequence[int] | None = None
    ) -> list[int]:
        freed = await super().free(event_id, order_id, seats)
        await self._hint(event_id, order_id, soon=True)
        return freed

    async def _ask(
        self, event_id: int, order_id: int, seats: Sequence[int], added: Sequence[int]
    ) -> None:
        """Raises SeatTaken, PartnerAway; what was `added` just now, and what is lost, is
        the order's no more then.
        """
        taken = await self._desk.take(event_id, order_id, seats)
        if taken.is_whole:
            return
        await self.free(event_id, order_id, sorted({*added, *taken.lost}))
        if taken.lost:
            await self.store.mark_outside(event_id, OUTSIDE, taken.lost)
            hall = await self.store.halls.hall(event_id)
            raise SeatTaken(seats=[named(hall, seat) for seat in taken.lost])
        raise PartnerAway(retry_after_s=math.ceil(taken.away_s))

    async def _hint(self, event_id: int, order_id: int, *, soon: bool = False) -> None:
        if await self._desk.owns(event_id):
            await self._desk.hint(order_id, soon=soon)
