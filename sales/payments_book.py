"""The written side of payments: every change of an order and its attempt, as one transaction
with its seats, tickets, notices and audit. Nothing here speaks to the gateway.

A change is a compare-and-set on the order's version. False: somebody was faster, look again.
"""

from pathlib import Path
from typing import Any

from asyncpg import UniqueViolationError

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.sql import load_queries
from sales import ledger, refunds_owed
from sales.allotments_admitting import objection
from sales.outbox import Draft, PermanentError, stage, stage_once
from sales.payment import Attempt, Payment, moved, read_attempt
from sales.payments_again import Again
from sales.states import move_order, move_payment

Q = load_queries(Path(__file__).parent / "sql")
ERROR_CHARS_MAX = 300
# Why an order ends, and by which verb where it is not the bank's no.
ORDER_VERBS = {"buyer": "cancel", "event-cancelled": "cancel", "unpaid": "expire"}


# The constraint by which the gateway's payment is that of one attempt alone.
IDS_ARE_UNIQUE = "payment_gateway_payment_id_key"


class PaymentIdTakenError(PermanentError):
    """The gateway speaks of a payment that belongs to another attempt."""


class _SeatsGoneError(Exception):
    """Rolls a reclaim back: a seat has another owner by now."""


class PaymentBook:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self.again = Again(db, clock)

    async def read(self, payment_id: int) -> Attempt | None:
        row = await self._db.fetchrow(Q["read_attempt"], payment_id)
        return read_attempt(row) if row else None

    async def of_order(self, order_id: int) -> Payment | None:
        row = await self._db.fetchrow(Q["read_payment_of_order"], order_id)
        return Payment(**row) if row else None

    async def is_pending(self, order_id: int) -> bool:
        state: str | None = await self._db.fetchval(Q["read_order_state"], order_id)
        return state == "pending"

    async def hint(self, payment_id: int, status: str) -> None:
        """Something happened, says somebody who is not believed: ask the gateway now."""
        draft = Draft("payment.settle", payment_id, {"hint": status})
        async with self._db.acquire() as conn:
            await stage_once(conn, self._clock.now(), draft)

    async def move(
        self,
        attempt: Attempt,
        verb: str,
        *,
        gateway_payment_id: str | None = None,
        payment_url: str | None = None,
        last_error: str | None = None,
    ) -> Attempt | None:
        """The payment alone moves, and what was learnt is kept. The attempt as it is then."""
        async with self._db.acquire() as conn:
            return await self._move(
                conn,
                attempt,
                verb=verb,
                gateway_payment_id=gateway_payment_id,
                payment_url=payment_url,
                last_error=last_error,
            )

    async def revive(
        self, attempt: Attempt, verb: str, *, gateway_payment_id: str
    ) -> Attempt | None:
        """Money after the no: the declined attempt moves on, and is looked after again."""
        async with self._db.acquire() as conn, conn.transaction():
            done = await self._move(conn, attempt, verb=verb, gateway_payment_id=gateway_payment_id)
            if done is not None:
                draft = Draft("payment.settle", attempt.payment.id)
                await stage(conn, self._clock.now(), [draft])
            return done

    async def wish(self, attempt: Attempt, reason: str, actor: str) -> bool:
        """The order is to end for `reason`: from now on nobody captures it."""
        async with self._db.acquire() as conn:
            done = await self._move(
                conn, attempt, reason=reason, actor=actor, action="order.wish-end"
            )
        return done is not None

    async def end(
        self,
        attempt: Attempt,
        verb: str | None,
        reason: str,
        *,
        gateway_payment_id: str | None = None,
        last_error: str | None = None,
        taken: bool = False,
    ) -> bool:
        """The payment moves by `verb`, the order ends for `reason`, its seats are free. `taken`:
        the gateway had captured the money; the ledger tells that it came, and that it went back.
        """
        if taken or verb == "reverse":
            await self._post_late(attempt, taken=taken, is_back=verb == "reverse")
        # What is disowned has no say about its order, which another attempt may pay.
        if attempt.order.state != "pending" or attempt.payment.state == "disowned":
            if verb is None:
                return True
            return await self.move(attempt, verb, last_error=last_error) is not None
        order_verb = ORDER_VERBS.get(reason, "decline")
        async with self._db.acquire() as conn, conn.transaction():
            done = await self._move(
                conn,
                attempt,
                verb=verb,
                order_verb=order_verb,
                reason=reason,
                action=f"order.{order_verb}",
                gateway_payment_id=gateway_payment_id,
                last_error=last_error,
            )
            if done is not None:
                await self._let_go(conn, attempt, reason)
            return done is not None

    async def owe(self, attempt: Attempt, why: str) -> bool:
        """The gateway would not let go of money that nobody wants: a refund stands for it."""
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(conn, attempt, verb="owe", last_error=why)
            if moved is not None:
                await refunds_owed.begin(conn, self._clock.now(), attempt)
            return moved is not None

    async def capture(self, attempt: Attempt) -> bool:
        """The money is ours: the order is paid, its seats are sold, tickets and ledger say so."""
        order, payment = attempt.order, attempt.payment
        state = move_payment(payment.state, "capture")
        if state is None:
            return False
        money = ledger.captured(order.event_id, order.id, payment.id, payment.amount)
        told = Draft("order.paid", order.id, _facts(attempt))
        row = await self._db.fetchrow(
            Q["capture_attempt"],
            order.id,
            order.version,
            order.state,
            move_order(order.state, "pay"),
            payment.id,
            payment.state,
            state,
            self._clock.now(),
            order.event_id,
            money.fact,
            list(money.entries),
            list(money.entries.values()),
            told.kind,
            told.payload,
            told.lane,
            # There is nothing left to ask or to wait for.
            ["payment.settle", "order.expire"],
            [payment.id, order.id],
        )
        return row is not None

    async def reclaim(self, attempt: Attempt) -> bool:
        """Late money takes its seats again: all of them, or False and nothing."""
        try:
            async with self._db.acquire() as conn, conn.transaction():
                await self._take_again(conn, attempt)
        except _SeatsGoneError:
            return False
        return True

    async def seats_of(self, order_id: int) -> list[int]:
        return [row["seat"] for row in await self._db.fetch(Q["list_lines"], order_id)]

    async def _post_late(self, attempt: Attempt, *, taken: bool, is_back: bool) -> None:
        """Facts of the gateway's, true whoever wins the race for the order's row."""
        facts = (attempt.order.event_id, attempt.order.id, attempt.payment.id)
        now, amount = self._clock.now(), attempt.payment.amount
        came = ledger.came_late(*facts, amount)
        async with self._db.acquire() as conn, conn.transaction():
            if taken:
                await ledger.post(conn, now, came)
            if is_back and await ledger.stands(conn, came.fact):
                await ledger.post(conn, now, ledger.went_back(*facts, amount))

    async def _take_again(self, conn: Conn, attempt: Attempt) -> None:
        order_id = attempt.order.id
        done = await self._move(
            conn,
            attempt,
            verb="authorise",
            order_verb="reclaim",
            reason=None,
            action="order.reclaim",
        )
        lines = await conn.fetch(Q["list_lines"], order_id)
        seats = [line["seat"] for line in lines]
        order = attempt.order
        if await objection(conn, order.event_id, seats, order.channel):
            raise _SeatsGoneError
        got = await conn.fetchval(Q["reclaim_seats"], order_id, self._clock.now())
        if done is None or got != len(lines):
            raise _SeatsGoneError

    async def _let_go(self, conn: Conn, attempt: Attempt, reason: str) -> None:
        order = attempt.order
        rows = await conn.fetch(Q["free_claims"], order.event_id, order.id)
        seats = sorted(row["seat"] for row in rows)
        payload = {**_facts(attempt), "seats": seats, "reason": reason}
        draft = Draft("order.released", order.id, payload)
        done = [("order.expire", order.id)]
        await stage(conn, self._clock.now(), [draft], instead_of=done)

    async def _move(
        self,
        conn: Conn,
        attempt: Attempt,
        *,
        verb: str | None = None,
        order_verb: str | None = None,
        action: str | None = None,
        actor: str = "gateway",
        **changes: str | None,
    ) -> Attempt | None:
        """`changes`: reason (kept where not named), gateway_payment_id, payment_url, last_error.
        The attempt as it is then; None: somebody was faster.
        """
        state = move_payment(attempt.payment.state, verb) if verb else attempt.payment.state
        if state is None:
            return None
        order_state = attempt.order.state
        order_state = move_order(order_state, order_verb) if order_verb else order_state
        error, now = changes.pop("last_error", None), self._clock.now()
        error = error[:ERROR_CHARS_MAX] if error else None
        after = moved(attempt, order_state, state, now, last_error=error, **changes)
        row = await _write(
            conn,
            attempt.order.id,
            attempt.order.version,
            attempt.order.state,
            after.order.state,
            after.order.reason,
            attempt.payment.id,
            attempt.payment.state,
            after.payment.state,
            after.payment.gateway_payment_id,
            after.payment.payment_url,
            error,
            now,
            actor,
            action or f"payment.{verb}",
        )
        if row is None:
            return None
        # The order's version stands for its payment too: where one moved, so did the other, and
        # nothing else has changed since they were read.
        assert row["followed"] == 1, f"payment {attempt.payment.id} moved by itself"
        return after


async def _write(conn: Conn, *given: Any) -> Any:
    """Raises PaymentIdTakenError."""
    try:
        return await conn.fetchrow(Q["move_attempt"], *given)
    except UniqueViolationError as violation:
        if violation.constraint_name != IDS_ARE_UNIQUE:
            raise
        raise PaymentIdTakenError(violation.detail) from violation


def _facts(attempt: Attempt) -> dict[str, Any]:
    order = attempt.order
    return {
        "event_id": order.event_id,
        "account_id": order.account_id,
        "admission_jti": order.admission_jti,
    }
