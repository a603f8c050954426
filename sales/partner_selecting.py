"""One seat from a partner, for a buyer who waits: handed over, or selected there.

A clear answer is given on. A silence is looked into while the buyer waits, and select said once
more if nothing shows; what is not known even then is told as not known, and the worker finds out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog

from kernel.clock import Clock
from sales.gateway import Unknown
from sales.partner import PartnerOrder, Taken, Told
from sales.partner_api import Done, No
from sales.partner_book import CALL_S, PartnerBook
from sales.partner_careful import Partner
from sales.partner_driving import PartnerDriving, keep
from sales.partner_patience import Patience, Selects

# Looks and tries for one seat: about two seconds of them.
LOOK_S: Final = 0.08
LOOKS_MAX: Final = 24
# So many looks show nothing: select is said once more.
ONCE_MORE_EVERY: Final = 6
# Orders that are made in vain stay empty, and harm nobody.
CREATES_MAX: Final = 3
# A place that was given back is offered again by then, unless its partner is far behind.
GIVEN_BACK_S: Final = 20.0
# A buyer whose seat is in doubt may come again after this.
DOUBT_S: Final = 3.0
Sleep = Callable[[float], Awaitable[None]]
log = structlog.get_logger()


class PartnerSelecting:
    def __init__(
        self,
        book: PartnerBook,
        driving: PartnerDriving,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._book, self._driving, self._clock, self._sleep = book, driving, clock, sleep
        self._patience = Patience()

    async def seat(
        self, partner: Partner, event_id: int, seat: int, place: UUID, order_id: int
    ) -> Taken:
        """Everything or nothing of one seat."""
        is_anothers = False
        for _ in range(LOOKS_MAX):
            living = (await self._book.living(event_id, [seat])).get(seat)
            if living is None:
                taken = await self._fresh(partner, event_id, seat, place, order_id)
                if taken is not None:
                    return taken
            elif living.is_ours:
                if await self._book.hand(event_id, [seat], order_id):
                    return Taken()
                # Unless it moved in this moment, PostgreSQL gives it to another.
                if is_anothers:
                    break
                is_anothers = True
                continue
            elif living.calling_until is not None and living.calling_until <= self._clock.now():
                # Whoever called is dead: its doubt is looked into here and now.
                await self._driving.drive(living.id, keep)
            await self._sleep(LOOK_S)
        return Taken([seat]) if is_anothers else Taken(away_s=DOUBT_S)

    async def _fresh(
        self, partner: Partner, event_id: int, seat: int, place: UUID, order_id: int
    ) -> Taken | None:
        """None: somebody else is asking for this seat, look again."""
        provider_order = await self._patience.first(partner.create, CREATES_MAX)
        if isinstance(provider_order, Unknown):
            return Taken(away_s=provider_order.wait_s or DOUBT_S)
        asked = await self._book.open(event_id, seat, place, provider_order, order_id)
        if asked is None:
            return None
        selects = Selects(self._patience, partner, asked)
        answer = await self._select(selects, asked)
        if isinstance(answer, Done):
            await self._book.learn(asked, "hold")
            return Taken()
        if isinstance(answer, No):
            await self._book.learn(asked, "refuse")
            return Taken([seat])
        if answer.wait_s > 0:  # nothing was sent
            await self._book.learn(asked, "refuse")
            return Taken(away_s=answer.wait_s)
        log.warning("partner silent", call="select", partner=partner.name, why=answer.reason)
        return await self._doubtful(partner, asked, selects, answer)

    async def _select(self, selects: Selects, asked: PartnerOrder) -> Done | No | Unknown:
        """A place that we gave back a moment ago is not offered again yet: it soon will be."""
        looks = 0
        while True:
            answer = await selects.say()
            looks += 1
            if not isinstance(answer, No) or looks == LOOKS_MAX:
                return answer
            if not await self._book.given_back(asked.event_id, [asked.seat], GIVEN_BACK_S):
                return answer
            await self._sleep(LOOK_S)

    async def _doubtful(
        self, partner: Partner, asked: PartnerOrder, selects: Selects, why: Unknown
    ) -> Taken:
        """Nobody knows whether the seat is ours; whoever looks next may look at once."""
        for look in range(1, LOOKS_MAX):
            await self._sleep(LOOK_S)
            if selects.is_answered_yes():
                await self._book.learn(asked, "hold")
                return Taken()
            told = await self._patience.within(partner.order(asked.provider_order))
            if isinstance(told, Told) and told.places_count > 0:
                await self._book.learn(asked, "hold", is_settled=True)
                return Taken()
            if isinstance(told, Unknown) and told.wait_s > 0:
                break
            if look % ONCE_MORE_EVERY == 0:
                current = await self._book.doubt(asked, why.reason, CALL_S)
                if current is None:
                    break
                asked = current
                await selects.say()
        await self._book.doubt(asked, why.reason, 0.0)
        return Taken(away_s=DOUBT_S)
