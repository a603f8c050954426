"""Bringing an order at a partner on its way: look, decide one step, do it, look again.

No transaction is open while the partner is spoken to, and each call is written down before it is
made: so there is one at a time, whoever is killed. What the order is needed for is asked anew
after it was read: its version tells whether that still stands when the call is written.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from kernel.clock import Clock
from sales.gateway import Unknown
from sales.partner import NotThere, PartnerOrder, Told
from sales.partner_api import Change, Done
from sales.partner_book import LATE_S, PartnerBook
from sales.partner_careful import Partner
from sales.partner_steps import VERBS, Call, Goal, Learn, Look, Rest, Wait, decide
from sales.partners import Partners

# From selected to confirmed are six; more is a lively race.
STEPS_MAX: Final = 12
RACE_S: Final = 0.3
# A hall that was taken from its partner while orders were about: staff are connecting it anew.
NOBODY_S: Final = 60.0
CHANGES: Final[dict[str, Change]] = {"submit": "submit", "confirm": "confirm", "cancel": "cancel"}
GoalOf = Callable[[PartnerOrder], Awaitable[Goal]]
log = structlog.get_logger()


class PartnerDriving:
    def __init__(self, book: PartnerBook, partners: Partners, clock: Clock) -> None:
        self._book, self._partners, self._clock = book, partners, clock

    async def drive(self, order_id: int, goal_of: GoalOf) -> tuple[PartnerOrder | None, float]:
        """As far as it goes now: how it stands, and after how many seconds to go on; 0: it is as it
        should be. None: there is no such row.
        """
        told: Told | NotThere | Unknown | None = None
        for _ in range(STEPS_MAX):
            order = await self._book.read(order_id)
            if order is None:
                return None, 0.0
            partner = await self._partners.of_event(order.event_id)
            if partner is None:
                return order, NOBODY_S
            step = decide(order, await goal_of(order), told, self._clock.now())
            if isinstance(step, Rest):
                return order, 0.0
            if isinstance(step, Look):
                told = await partner.order(order.provider_order)
                continue
            wait_s = await self._act(partner, order, step)
            if wait_s > 0:
                return order, wait_s
            told = None
        return await self._book.read(order_id), RACE_S

    async def _act(self, partner: Partner, order: PartnerOrder, step: Wait | Learn | Call) -> float:
        """Not 0: go on after so long."""
        match step:
            case Wait(delay_s):
                return delay_s
            case Learn(verb, is_settled):
                await self._book.learn(order, verb, is_settled=is_settled)
                return 0.0
            case Call(call):
                return await self._call(partner, order, CHANGES[call])

    async def _call(self, partner: Partner, order: PartnerOrder, call: Change) -> float:
        """Not 0: it was not made, come again after so long."""
        called = await self._book.call(order, call)
        if called is None:
            return 0.0
        answer = await partner.change(call, order.provider_order)
        if isinstance(answer, Done):
            await self._book.learn(called, call)
        elif isinstance(answer, Unknown) and answer.wait_s > 0:
            await self._book.learn(called, None)
            return answer.wait_s
        elif isinstance(answer, Unknown):
            log.warning("partner silent", call=call, partner=partner.name, why=answer.reason)
            await self._book.doubt(called, answer.reason, LATE_S)
        else:
            # Done before without our knowing, or ended by others: a look tells which.
            await self._book.doubt(called, f"{call}: 409", 0.0)
        return 0.0


async def keep(order: PartnerOrder) -> Goal:
    """It stays as it is; only its doubts are looked into."""
    del order
    return "keep"


async def confirm(order: PartnerOrder) -> Goal:
    """It is paid for."""
    del order
    return "confirm"


assert set(CHANGES) == set(VERBS.values())
