"""The written side of payments: every change of an order and its attempt, as one transaction
with its seats, tickets, notices and audit. Nothing here speaks to the gateway.

A change is a compare-and-set on the order's version. False: somebody was faster, look again.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.sql import load_queries
from sales import ledger
from sales.outbox import Draft, stage, stage_once
from sales.payment import Attempt, Payment, read_attempt
from sales.payments_again import Again
from sales.states import move_order, move_payment

Q = load_queries(Path(__file__).parent / "sql")
# 80 random bits: nobody guesses a ticket, and the code stays small.
SERIAL_BYTES = 10
ERROR_CHARS_MAX = 300
# Why an order ends, and by which verb where it is not the bank's no.
ORDER_VERBS = {"buyer": "cancel", "event-cancelled": "cancel", "unpaid": "expire"}


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

    async def find(self, gateway_payment_id: str, gateway_order_id: str) -> tuple[int, str] | None:
        """Id and state of the attempt that a webhook speaks of."""
        row = await self._db.fetchrow(Q["find_payment"], gateway_payment_id, gateway_order_id)
        return (row["id"], row["state"]) if row else None

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
    ) -> bool:
        """The payment alone moves, and what was learnt is kept."""
        async with self._db.acquire() as conn:
            return await self._move(
                conn,
                attempt,
                verb=verb,
                gateway_payment_id=gateway_payment_id,
                payment_url=payment_url,
                last_error=last_error,
            )

    async def revive(self, attempt: Attempt, verb: str, gateway_payment_id: str) -> bool:
        """Money after the no: the declined attempt moves on, and is looked after again."""
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(
                conn, attempt, verb=verb, gateway_payment_id=gateway_payment_id
            )
            if moved:
                draft = Draft("payment.settle", attempt.payment.id)
                await stage(conn, self._clock.now(), [draft])
            return moved

    async def wish(self, attempt: Attempt, reason: str, actor: str) -> bool:
        """The order is to end for `reason`: from now on nobody captures it."""
        async with self._db.acquire() as conn:
            return await self._move(
                conn, attempt, reason=reason, actor=actor, action="order.wish-end"
            )

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
            return await self.move(attempt, verb, last_error=last_error) if verb else True
        order_verb = ORDER_VERBS.get(reason, "decline")
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(
                conn,
                attempt,
                verb=verb,
                order_verb=order_verb,
                reason=reason,
                action=f"order.{order_verb}",
                gateway_payment_id=gateway_payment_id,
                last_error=last_error,
            )
            if moved:
                await self._let_go(conn, attempt, reason)
            return moved

    async def capture(self, attempt: Attempt) -> bool:
        """The money is ours: the order is paid, its seats are sold, tickets and ledger say so."""
        order, payment = attempt.order, attempt.payment
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(
                conn,
                attempt,
                verb="capture",
                order_verb="pay",
                action="order.pay",
                paid_at=self._clock.now(),
            )
            if not moved:
                return False
            seats = await self._issue(conn, order.id)
            now = self._clock.now()
            money = ledger.captured(order.event_id, order.id, payment.id, payment.amount)
            is_new = await ledger.post(conn, now, money)
            assert is_new, f"payment {payment.id} was captured before"
            payload = {**_facts(attempt), "seats": seats}
            # There is nothing left to ask or to wait for.
            done = [("payment.settle", attempt.payment.id), ("order.expire", order.id)]
            draft = Draft("order.paid", order.id, payload)
            await stage(conn, now, [draft], instead_of=done)
            return True

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
        moved = await self._move(
            conn,
            attempt,
            verb="authorise",
            order_verb="reclaim",
            reason=None,
            action="order.reclaim",
        )
        lines = await conn.fetch(Q["list_lines"], order_id)
        got = await conn.fetchval(Q["reclaim_seats"], order_id, self._clock.now())
        if not moved or got != len(lines):
            raise _SeatsGoneError

    async def _issue(self, conn: Conn, order_id: int) -> Sequence[int]:
        lines = await conn.fetch(Q["list_lines"], order_id)
        serials = [secrets.token_hex(SERIAL_BYTES) for _ in lines]
        row = await conn.fetchrow(Q["issue_tickets"], order_id, self._clock.now(), serials)
        assert row is not None
        expected = [line["seat"] for line in lines]
        assert row["sold"] == row["issued"] == expected, f"order {order_id}: claims and tickets"
        return expected

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
        paid_at: Any = None,
        **changes: str | None,
    ) -> bool:
        """`changes`: reason (kept where not named), gateway_payment_id, payment_url, last_error."""
        order, payment = attempt.order, attempt.payment
        state = move_payment(payment.state, verb) if verb else payment.state
        if state is None:
            return False
        error = changes.get("last_error")
        row = await conn.fetchrow(
            Q["move_attempt"],
            order.id,
            order.version,
            order.state,
            move_order(order.state, order_verb) if order_verb else order.state,
            changes.get("reason", order.reason),
            paid_at,
            payment.id,
            payment.state,
            state,
            changes.get("gateway_payment_id"),
            changes.get("payment_url"),
            error[:ERROR_CHARS_MAX] if error else None,
            self._clock.now(),
            actor,
            action or f"payment.{verb}",
        )
        # The order's version stands for its payment too: where one moved, so did the other.
        assert row is None or row["followed"] == 1, f"payment {payment.id} moved by itself"
        return row is not None


def _facts(attempt: Attempt) -> dict[str, Any]:
    order = attempt.order
    return {
        "event_id": order.event_id,
        "account_id": order.account_id,
        "admission_jti": order.admission_jti,
    }
