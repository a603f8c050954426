"""Partners: whether they are well, each minute; and each night what they say of our orders.

A partner is sick when places that it has given us do not join their orders, not that of one buyer
nor of anybody after him: its reader has stopped, and whatever is asked of it now only makes that
worse (the settle rule, sales.partner_steps).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.gateway import Unknown
from sales.partner import NotThere, PartnerOrder, Told
from sales.partner_book import PartnerBook
from sales.partner_steps import seen_in
from sales.partners import SICK_FOR, Partners
from sales.reconcile.found import Difference, Page
from sales.reconcile.kinds import (
    PARTNER_DIFFERS,
    PARTNER_ORPHAN,
    PARTNER_SICK,
    PARTNER_SILENT,
    PARTNER_UNOWNED,
)

Q = load_queries(Path(__file__).parent.parent / "sql")
# A busy partner is some seconds behind; a minute is not busy any more.
LATE: Final = timedelta(seconds=60)
PAGE: Final = 40
# A part of what a partner can do: a sold-out star concert takes less than four hours.
RATE_PER_S: Final = 8.0
# Ended orders are looked at for two nights: a select that came late may have made one of them hold.
ENDED_WITHIN: Final = timedelta(hours=48)
# Then they only take room.
KEPT: Final = timedelta(days=30)
FORGET_MAX: Final = 50_000
SWEEP_MAX: Final = 500
UNOWNED_MAX: Final = 200
# What the partner may say of an order, by what we say.
FITS: Final = {
    "asked": {"STARTED"},
    "held": {"STARTED"},
    "submitted": {"SUBMITTED"},
    "confirmed": {"CONFIRMED"},
    "cancelled": {"CANCELLED"},
    "refused": {"STARTED", "CANCELLED"},
}


class PartnerHealth:
    kinds = (PARTNER_SICK,)

    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def page(self, _: dict[str, Any]) -> Page:
        """All in one."""
        now = self._clock.now()
        await self._db.fetch(Q["mark_well_halls"])
        await self._db.fetch(Q["mark_sick_halls"], now, now - LATE, now - SICK_FOR)
        rows = await self._db.fetch(Q["list_sick_halls"])
        found = [
            Difference(PARTNER_SICK, f"event:{row['event_id']}", {"base_url": row["base_url"]})
            for row in rows
        ]
        return Page(None, len(rows), found)


class PartnerCheck:
    # What differs about an order is right again when that order is compared again.
    kinds = (PARTNER_SILENT, PARTNER_UNOWNED)

    def __init__(
        self,
        db: Db,
        clock: Clock,
        partners: Partners,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db, self._clock, self._partners, self._sleep = db, clock, partners, sleep
        self._book = PartnerBook(db, clock)

    async def page(self, cursor: dict[str, Any]) -> Page:
        """`cursor`: the last order that was asked about, and the events whose partner is silent,
        which are not asked again this night.
        """
        after, silent = cursor.get("after", 0), set(cursor.get("silent", []))
        since = self._clock.now() - ENDED_WITHIN
        rows = await self._db.fetch(Q["list_partner_orders_after"], after, since, PAGE)
        if not rows:
            return await self._close(silent)
        found: list[Difference] = []
        right: list[Difference] = []
        mended: list[Difference] = []
        for order in (PartnerOrder(**row) for row in rows):
            if order.event_id in silent:
                continue
            told = await self._ask(order)
            if isinstance(told, Unknown):
                silent.add(order.event_id)
                continue
            difference = _difference(order, told)
            if await self._learn(order, told):
                mended.append(Difference(PARTNER_ORPHAN, difference.subject, difference.found))
            elif isinstance(told, Told) and told.status in FITS[order.state]:
                right.append(difference)
            elif order.call is None and not await self._has_moved(order):
                found.append(difference)
        following = {"after": rows[-1]["id"], "silent": sorted(silent)}
        return Page(following, len(rows), found, mended, right)

    async def _ask(self, order: PartnerOrder) -> Told | NotThere | Unknown:
        await self._sleep(1 / RATE_PER_S)
        partner = await self._partners.of_event(order.event_id)
        if partner is None:
            return Unknown("not connected")
        return await partner.order(order.provider_order)

    async def _learn(self, order: PartnerOrder, told: Told | NotThere) -> bool:
        """What moves it is written down; whoever tends it goes on from there."""
        if not isinstance(told, Told):
            return False
        if order.state == "refused" and told.status == "STARTED" and told.places_count > 0:
            return await self._book.learn(order, "hold", is_settled=True) is not None
        seen = seen_in(order, told)
        if seen is None or seen.verb is None:
            return False
        return await self._book.learn(order, seen.verb, is_settled=seen.is_settled) is not None

    async def _has_moved(self, order: PartnerOrder) -> bool:
        current = await self._book.read(order.id)
        return current is None or current.version != order.version

    async def _close(self, silent: set[int]) -> Page:
        """The last page: what nobody looks after, and what we sold without owning it."""
        await self._db.execute(Q["forget_partner_orders"], self._clock.now() - KEPT, FORGET_MAX)
        swept = await self._book.sweep(SWEEP_MAX)
        unowned = await self._db.fetch(Q["list_sold_unowned"], UNOWNED_MAX)
        found = [Difference(PARTNER_SILENT, f"event:{event_id}") for event_id in sorted(silent)]
        found += [
            Difference(
                PARTNER_UNOWNED,
                f"order:{row['order_id']}",
                {"event_id": row["event_id"], "seats": row["seats"]},
            )
            for row in unowned
        ]
        mended = [
            Difference(PARTNER_ORPHAN, f"partner:{row['id']}", dict(row) | {"ours": row["state"]})
            for row in swept
        ]
        return Page(None, len(unowned), found, mended)


def _difference(order: PartnerOrder, told: Told | NotThere) -> Difference:
    found = {
        "event_id": order.event_id,
        "seats": [order.seat],
        "order_id": order.order_id,
        "provider_order": str(order.provider_order),
        "ours": order.state,
        "partners": told.status if isinstance(told, Told) else "404",
    }
    return Difference(PARTNER_DIFFERS, f"partner:{order.id}", found)
