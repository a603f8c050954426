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
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from sales.gateway import AMOUNT_MAX, AMOUNT_MIN
from sales.geometry import Hall, seat_id
from sales.holds import Holds
from sales.holds_refusals import SeatTaken
from sales.order import AmountTooLarge, AmountTooSmall, Order, SaleRestarted
from sales.outbox import Draft, stage
from sales.payments_again import FIRST_LOOK_S, gateway_order_id
from sales.states import move_order

Q = load_queries(Path(__file__).parent / "sql")
# Below the gateway's 15 minutes for confirming (§1.6), above a slow payer's ten.
PAYMENT_S = 12 * 60
# The hold outlives the payment, for the last answer of the gateway to come.
GRACE_S = 3 * 60
log = structlog.get_logger()


class _NotPlacedError(Exception):
    """Rolls the promise back."""

    def __init__(self, row: Any) -> None:
        super().__init__()
        self.row = row


class Placing:
    def __init__(self, db: Db, holds: Holds, clock: Clock) -> None:
        self._db, self._holds, self._clock = db, holds, clock

    async def promise(self, order: Order, return_base: str) -> int | None:
        """Phases 1 and 2. The payment's id; None: somebody else changed the order first.
        Raises HoldOver, SeatTaken, SaleRestarted, AmountTooSmall, AmountTooLarge.
        """
        expires_at = self._clock.now() + timedelta(seconds=PAYMENT_S)
        until_ms = int(expires_at.timestamp() * 1000) + GRACE_S * 1000
        hold = await self._holds.freeze(order.event_id, order.id, order.account_id, until_ms)
        hall = await self._holds.store.halls.hall(order.event_id)
        seats = sorted(hold.seats)
        try:
            _check_amount(sum(hall.place(seat).price for seat in seats))
            payment_id = await self._commit(order, hall, seats, expires_at, return_base)
        except _NotPlacedError as failed:
            await self._not_placed(order, hall, seats, failed.row)
            return None
        except Refusal:
            await self._holds.thaw(order.event_id, order.id)
            raise
        try:
            await self._holds.claim(order.event_id, order.id, order.account_id, seats, until_ms)
        except (RedisError, Refusal) as error:
            # The claims are committed: Redis learns of them when it is filled or asked again.
            log.warning("claims not told to Redis", order_id=order.id, error=repr(error))
        return payment_id

    async def _commit(
        self, order: Order, hall: Hall, seats: list[int], expires_at: datetime, base: str
    ) -> int:
        now = self._clock.now()
        places = [hall.place(seat) for seat in seats]
        async with self._db.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(
                Q["place_order"],
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
            )
            if row is None or row["placed"] != 1 or row["claimed"] != len(seats):
                raise _NotPlacedError(row)
            payment_id: int = row["payment_id"]
            await self._stage(conn, order.id, payment_id, expires_at)
        return payment_id

    async def _stage(
        self, conn: Conn, order_id: int, payment_id: int, expires_at: datetime
    ) -> None:
        now = self._clock.now()
        first = now + timedelta(seconds=FIRST_LOOK_S)
        drafts = [
            Draft("payment.settle", payment_id, due_at=first),
            Draft("order.expire", order_id, due_at=expires_at),
        ]
        await stage(conn, now, drafts)

    async def _not_placed(self, order: Order, hall: Hall, seats: Sequence[int], row: Any) -> None:
        if row["epoch"] != order.epoch:
            raise SaleRestarted
        if row["placed"] != 1:
            return
        claimants = await self._db.fetch(Q["list_claimants"], order.event_id, seats)
        lost = [claim["seat"] for claim in claimants]
        log.warning("a hold met claims", order_id=order.id, seats=lost)
        await self._tell_the_truth(order.event_id, claimants)
        await self._holds.thaw(order.event_id, order.id)
        places = [(seat, hall.place(seat)) for seat in lost]
        raise SeatTaken(
            seats=[
                {"id": seat_id(order.event_id, seat), "row": place.row, "number": place.number}
                for seat, place in places
            ]
        )

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


def _check_amount(total: int) -> None:
    """In tiyn: a sum that the gateway takes."""
    if total < AMOUNT_MIN:
        raise AmountTooSmall(total=total)
    if total > AMOUNT_MAX:
        raise AmountTooLarge(total=total)
