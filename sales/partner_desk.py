"""What the shop asks of the owners of seats: these seats for this order, and for good.

Its answers are facts, not refusals: holds and payments make of them what they must.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from kernel.clock import Clock
from sales.partner import PartnerOrder, Taken
from sales.partner_book import LINGER_S, PartnerBook
from sales.partner_careful import Partner
from sales.partner_driving import PartnerDriving, confirm
from sales.partner_selecting import DOUBT_S, PartnerSelecting, Sleep
from sales.partners import Partners

# A buyer waits no longer than this for a partner, whatever it does.
TAKE_S: Final = 4.5
# Seats of one order that are asked for at the same time.
AT_ONCE: Final = 8
log = structlog.get_logger()


class Bought(msgspec.Struct, frozen=True):
    """The seats are ours for good."""


class Later(msgspec.Struct, frozen=True):
    """Not known yet: go on after a while."""

    delay_s: float


class Lost(msgspec.Struct, frozen=True):
    """Some of the seats cannot be had any more."""

    seats: list[int]


class PartnerDesk:
    def __init__(
        self,
        book: PartnerBook,
        partners: Partners,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.book, self.partners = book, partners
        self.driving = PartnerDriving(book, partners, clock)
        self._selecting = PartnerSelecting(book, self.driving, clock, sleep)

    async def owns(self, event_id: int) -> bool:
        """Whether the event's seats are a partner's. Raises EventUnknown."""
        return await self.partners.is_partners(event_id)

    async def away_s(self, event_id: int) -> float:
        """How long nobody should be sent to pay for seats of this event, because their owner would
        not confirm them; 0: one may.
        """
        hall = await self.partners.hall(event_id)
        if hall is None or hall.is_sick:
            return DOUBT_S
        return self.partners.at(hall.base_url, event_id).away_s()

    async def take(self, event_id: int, order_id: int, seats: Sequence[int]) -> Taken:
        """Have the partner keep these seats for our order, which holds them here. Those that are
        ours there already, whoever had them, cost no call. Asked again: no change.
        """
        handed = await self.book.hand(event_id, seats, order_id)
        wanted = [seat for seat in seats if seat not in handed]
        if not wanted:
            return Taken()
        hall = await self.partners.hall(event_id)
        if hall is None or hall.is_sick:
            return Taken(away_s=DOUBT_S)
        partner = self.partners.at(hall.base_url, event_id)
        try:
            async with asyncio.timeout(TAKE_S):
                return await self._select(partner, event_id, order_id, wanted)
        except TimeoutError:
            # What was asked is written down: the worker finds out what became of it.
            return Taken(away_s=DOUBT_S)

    async def buy(
        self, event_id: int, order_id: int, seats: Sequence[int]
    ) -> Bought | Later | Lost:
        """The seats of an order whose money is reserved: from here on they cannot be given back
        to the partner. Goes on wherever it was left.
        """
        living = await self.book.living(event_id, seats)
        missing = [
            seat for seat in seats if seat not in living or living[seat].order_id != order_id
        ]
        if missing:
            taken = await self.take(event_id, order_id, missing)
            if taken.lost:
                return Lost(taken.lost)
            if taken.away_s > 0:
                return await self._unless_sick(event_id, missing, taken.away_s)
            living = await self.book.living(event_id, seats)
        driven = await asyncio.gather(
            *(self.driving.drive(one.id, confirm) for one in living.values())
        )
        stands = {order.seat: order for order, _ in driven if order is not None}
        if all(_is_bought(stands.get(seat)) for seat in seats):
            return Bought()
        wait_s = max((wait_s for _, wait_s in driven), default=0.0)
        unsettled = [one.seat for one in stands.values() if one.settled_at is None]
        return await self._unless_sick(event_id, unsettled, wait_s or DOUBT_S)

    async def hint(self, order_id: int, *, soon: bool = False) -> None:
        """Our order wants something else of partners now. `soon`: after the moment in which a
        buyer who gave seats back may take them again.
        """
        await self.book.hint(order_id, LINGER_S if soon else 0.0)

    async def _unless_sick(self, event_id: int, seats: list[int], wait_s: float) -> Later | Lost:
        """A sick partner does not get well while a buyer's money is reserved."""
        hall = await self.partners.hall(event_id)
        return Lost(seats) if seats and hall is not None and hall.is_sick else Later(wait_s)

    async def _select(
        self, partner: Partner, event_id: int, order_id: int, seats: list[int]
    ) -> Taken:
        places = await self.book.places(event_id, seats)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(seat: int) -> Taken:
            if seat not in places:
                return Taken([seat])
            async with at_once:
                return await self._selecting.seat(partner, event_id, seat, places[seat], order_id)

        answers = await asyncio.gather(*map(one, seats))
        lost = [seat for answer in answers for seat in answer.lost]
        return Taken(lost, max(answer.away_s for answer in answers))


def _is_bought(order: PartnerOrder | None) -> bool:
    return order is not None and order.state == "confirmed"
