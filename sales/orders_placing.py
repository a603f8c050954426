"""Placing an order: its hold becomes a promise, in three phases.

1. Redis: the hold is frozen, so that it cannot change or lapse under the buyer's feet.
2. PostgreSQL, one transaction: order, lines, claims, payment attempt, notices. The claims decide.
3. The gateway, no transaction open: the payment is offered, refused, or not known yet.

A process killed after 1 loses nothing but a little time (the frozen hold is asked about); killed
after 2 the notice `payment.settle` goes on with 3.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from asyncpg import UniqueViolationError
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from sales.allotment import OWNERSHIP
from sales.allotments_admitting import objection
from sales.catalogue import Catalogue, Event
from sales.gateway import AMOUNT_MAX, AMOUNT_MIN
from sales.geometry import Hall
from sales.holds import Holds
from sales.holds_refusals import PersonLimit, SeatTaken, named, refusal_of
from sales.order import AmountTooLarge, AmountTooSmall, Order, SaleRestarted
from sales.outbox import MONEY
from sales.payment import Attempt, read_attempt
from sales.payments_again import FIRST_LOOK_S, gateway_order_id
from sales.states import move_order

Q = load_queries(Path(__file__).parent / "sql")
# Below the gateway's 15 minutes for confirming (§1.6), above a slow payer's ten.
PAYMENT_S = 12 * 60
# The hold outlives the payment, for the last answer of the gateway to come.
GRACE_S = 3 * 60
log = structlog.get_logger()


class _SeatsClaimedError(Exception):
    """Another order has claimed a seat of this one."""


class Placing:
    def __init__(self, db: Db, holds: Holds, clock: Clock, catalogue: Catalogue) -> None:
        self._db, self._holds, self._clock = db, holds, clock
        self._catalogue = catalogue

    async def promise(self, order: Order, return_base: str) -> Attempt | None:
        """Phases 1 and 2. The attempt to pay it; None: somebody else changed the order first.
        Raises HoldOver, SeatTaken, PersonLimit, SaleRestarted, AmountTooSmall, AmountTooLarge.
        """
        expires_at = self._clock.now() + timedelta(seconds=PAYMENT_S)
        until_ms = int(expires_at.timestamp() * 1000) + GRACE_S * 1000
        hold = await self._holds.freeze(order.event_id, order.id, order.account_id, until_ms)
        hall = await self._holds.store.halls.hall(order.event_id)
        seats = sorted(hold.seats)
        try:
            _check_amount(sum(hall.place(seat).price for seat in seats))
            attempt = await self._commit(order, hall, seats, expires_at, return_base)
        except _SeatsClaimedError:
            raise await self._taken(order, hall, seats) from None
        except Refusal:
            await self._holds.thaw(order.event_id, order.id)
            raise
        if attempt is None:
            return None
        try:
            await self._holds.claim(order.event_id, order.id, order.account_id, seats, until_ms)
        except (RedisError, Refusal) as error:
            # The claims are committed: Redis learns of them when it is filled or asked again.
            log.warning("claims not told to Redis", order_id=order.id, error=repr(error))
        return attempt

    async def _commit(
        self, order: Order, hall: Hall, seats: list[int], expires_at: datetime, base: str
    ) -> Attempt | None:
        event = await self._catalogue.event(order.event_id)
        limit = event.person_limit
        now, places = self._clock.now(), [hall.place(seat) for seat in seats]
        given = (
            order.id,
            order.version,
            order.state,
            move_order(order.state, "place"),
            now,
            expires_at,
            sum(place.price for place in places),
            seats,
            [place.zone_no for place in places],
            [place.row for place in places],
            [place.number for place in places],
            [place.price for place in places],
            gateway_order_id(order.id, 1),
            base,
            now + timedelta(seconds=FIRST_LOOK_S),
            MONEY,
            limit,
            order.event_id,
            _is_allotted(event),
        )
        row = dict(await self._write(order, event, hall, seats, given))
        epoch, owned = row.pop("epoch"), row.pop("owned")
        if row.pop("is_allotted") != _is_allotted(event):
            # The hall has another owner since the catalogue last looked.
            self._catalogue.forget(order.event_id)
            return await self._commit(order, hall, seats, expires_at, base)
        if row["id"] is not None:
            return read_attempt(row)
        if epoch != order.epoch:
            raise SaleRestarted
        if limit is not None and owned + len(seats) > limit:
            raise PersonLimit(limit=limit, has=owned)
        return None

    async def _write(
        self, order: Order, event: Event, hall: Hall, seats: list[int], given: tuple[Any, ...]
    ) -> Any:
        is_limited = event.person_limit is not None
        try:
            if not is_limited and not _is_allotted(event):
                return await self._db.fetchrow(Q["place_order"], *given)
            # Redis has counted already; where it was lost, or two ask at once, this decides.
            async with self._db.acquire() as conn, conn.transaction():
                if is_limited:
                    await conn.execute(Q["lock_person"], order.event_id, order.account_id)
                if _is_allotted(event):
                    why = await objection(conn, order.event_id, seats, order.channel)
                    if why is not None:
                        raise refusal_of(why, hall)
                return await conn.fetchrow(Q["place_order"], *given)
        except UniqueViolationError as violation:
            if not (violation.table_name or "").startswith("seat_claim"):
                raise
            raise _SeatsClaimedError from violation

    async def _taken(self, order: Order, hall: Hall, seats: Sequence[int]) -> SeatTaken:
        claimants = await self._db.fetch(Q["list_claimants"], order.event_id, seats)
        lost = [claim["seat"] for claim in claimants]
        log.warning("a hold met claims", order_id=order.id, seats=lost)
        await self._tell_the_truth(order.event_id, claimants)
        await self._holds.thaw(order.event_id, order.id)
        return SeatTaken(seats=[named(hall, seat) for seat in lost])

    async def _tell_the_truth(self, event_id: int, claimants: Sequence[Any]) -> None:
        """Redis let two hold one seat: PostgreSQL's owner gets it there too."""
        until_ms = self._clock.ms() + (PAYMENT_S + GRACE_S) * 1000
        for claim in claimants:
            if claim["sold"]:
                await self._holds.sell(event_id, claim["order_id"], [claim["seat"]])
            else:
                await self._holds.claim(
                    event_id, claim["order_id"], claim["account_id"], [claim["seat"]], until_ms
                )


def _is_allotted(event: Event) -> bool:
    return event.ownership == OWNERSHIP


def _check_amount(total: int) -> None:
    """In tiyn: a sum that the gateway takes."""
    if total < AMOUNT_MIN:
        raise AmountTooSmall(total=total)
    if total > AMOUNT_MAX:
        raise AmountTooLarge(total=total)
