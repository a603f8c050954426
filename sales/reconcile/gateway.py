"""The gateway's day against ours, each night: every payment of the day is asked about.

Slowly, so that the day's sale feels nothing of a night's check. An answer that does not fit is
asked for once more after a pause; a gateway that does not answer is waited for, not guessed about.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import TryAgain
from kernel.sql import load_queries
from sales.gateway import Found, Gateway, Refused, Unknown
from sales.reconcile.found import Difference, Page
from sales.reconcile.kinds import DAY_DIFFERS, GATEWAY_DIFFERS

Q = load_queries(Path(__file__).parent / "sql")
ZONE: Final = ZoneInfo("Asia/Almaty")
# The quietest hour; yesterday's last payments have long had their end.
NIGHT: Final = time(3, 30)
PAGE: Final = 40
# A part of what we may ask of the gateway: a hundred thousand payments take less than four hours.
RATE_PER_S: Final = 8.0
PAUSE_S: Final = 3.0
ITEMS_MAX: Final = 500
# What the gateway may say of a payment, by what we say. The real one leaves a confirmed payment
# AUTHORIZED; whatever else it says of money is a difference.
FITS: Final = {
    "captured": {"CONFIRMED", "AUTHORIZED"},
    "owed": {"CONFIRMED", "AUTHORIZED"},
    "refunded": {"REFUNDED", "CANCELLED"},
    "reversed": {"CANCELLED", "REFUNDED", "EXPIRED", "REJECTED"},
    "declined": {"REJECTED", "CANCELLED", "EXPIRED"},
    "cancelled": {"CANCELLED", "EXPIRED", "REJECTED"},
    "lapsed": {"NEW", "INIT", "FORM_SHOWED", "EXPIRED", "REJECTED", "CANCELLED", "REFUNDED"},
}
NOT_THERE: Final = "1404"
MONEY: Final = ("captured", "refunded")


class GatewaySilent(TryAgain):
    """ТөлеуБар не отвечает: сверка продолжится, когда ответит."""

    code = "gateway-silent"


class GatewayCheck:
    # A day's sum is right again when that day is compared again.
    kinds = (GATEWAY_DIFFERS,)

    def __init__(
        self,
        db: Db,
        clock: Clock,
        gateway: Gateway,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db, self._clock, self._gateway, self._sleep = db, clock, gateway, sleep

    async def page(self, cursor: dict[str, Any]) -> Page:
        """`cursor`: the day (yesterday, where none is named), the last payment that was asked
        about, and the sum that the gateway has told so far.
        """
        local = self._clock.now().astimezone(ZONE).date()
        day = date.fromisoformat(cursor.get("day") or str(local - timedelta(days=1)))
        begins, ends = (_midnight(day + timedelta(days=n)) for n in (0, 1))
        if "after" not in cursor:
            # What was wrong another night is looked at first, lest it pass for vanished.
            rows = await self._db.fetch(Q["list_payments_with_items"], GATEWAY_DIFFERS, ITEMS_MAX)
            found, _ = await self._compare(rows)
            return Page({"day": str(day), "after": 0, "told": 0}, len(rows), found)
        after, told = cursor["after"], cursor["told"]
        rows = await self._db.fetch(Q["list_payments_of_day"], begins, ends, after, PAGE)
        if not rows:
            return await self._sums(day, begins, ends, told)
        found, more = await self._compare(rows)
        following = {"day": str(day), "after": rows[-1]["id"], "told": told + more}
        return Page(following, len(rows), found)

    async def _compare(self, rows: Sequence[Any]) -> tuple[list[Difference], int]:
        """What differs, and the sum that the gateway tells for what we say was taken."""
        found: list[Difference] = []
        told = 0
        for row in rows:
            await self._sleep(1 / RATE_PER_S)
            state, answer = row["state"], await self._ask(row)
            if not _fits(state, row["amount"], answer):
                # A refund may be on its way just now.
                await self._sleep(PAUSE_S)
                state = await self._db.fetchval(Q["read_payment_state"], row["id"])
                answer = await self._ask(row)
            if state is not None and not _fits(state, row["amount"], answer):
                found.append(_difference(row, state, answer))
            if state in MONEY and isinstance(answer, Found) and answer.status in FITS[state]:
                told += answer.amount
        return found, told

    async def _ask(self, row: Any) -> Found | Refused:
        """Raises GatewaySilent."""
        answer = await self._gateway.check(
            payment_id=row["gateway_payment_id"], order_id=row["gateway_order_id"]
        )
        if isinstance(answer, Unknown):
            raise GatewaySilent
        return answer

    async def _sums(self, day: date, begins: datetime, ends: datetime, told: int) -> Page:
        row = await self._db.fetchrow(Q["sum_day"], begins, ends)
        assert row is not None
        found = {"taken": row["taken"], "posted": row["posted"], "told": told}
        difference = Difference(DAY_DIFFERS, f"day:{day}", found)
        if row["taken"] == row["posted"] == told:
            return Page(right=[difference])
        return Page(open=[difference])


def next_night(now: datetime) -> datetime:
    """The next moment at which the nightly reconcilers are due."""
    local = now.astimezone(ZONE)
    tonight = datetime.combine(local.date(), NIGHT, ZONE)
    return tonight if local < tonight else tonight + timedelta(days=1)


def _difference(row: Any, state: str, answer: Found | Refused) -> Difference:
    names = ("order_id", "gateway_order_id", "gateway_payment_id", "amount")
    found = {name: row[name] for name in names} | {"ours": state}
    if isinstance(answer, Found):
        found |= {"theirs": answer.status, "their_amount": answer.amount}
    else:
        found["theirs"] = answer.code
    return Difference(GATEWAY_DIFFERS, f"payment:{row['id']}", found)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), ZONE)


def _fits(state: str, amount: int, answer: Found | Refused) -> bool:
    if state not in FITS:  # no end yet: the reconciler of stuck payments looks after it
        return True
    if isinstance(answer, Refused):
        # What never reached the gateway is not known there; anything else it must remember.
        return answer.code == NOT_THERE and state in ("declined", "lapsed", "cancelled")
    return answer.status in FITS[state] and answer.amount == amount
