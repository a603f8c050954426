"""The written side of refunds: every change as one transaction with its tickets, seats, postings,
notices and audit. Nothing here speaks to the gateway.

Tickets come back by a compare-and-set on the order's version, a refund moves by one on its own.
None: somebody was faster, look again.
"""

from pathlib import Path

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.sql import load_queries
from sales import audit, ledger
from sales.order import Order
from sales.outbox import Draft, stage
from sales.refund import OrderUnpaid, Paid, Refund, Return, Sheet
from sales.refunds_owed import SETTLE
from sales.states import ORDER, PAYMENT, REFUND, TICKET
from sales.tickets import Ticket

Q = load_queries(Path(__file__).parent / "sql")
RETURNED = "tickets.returned"
ERROR_CHARS_MAX = 300
# What a payment is whose money the gateway has given back, by what it was.
GONE_BACK = (
    ["captured", "owed"],
    [PAYMENT["captured", "refund"], PAYMENT["owed", "reverse"]],
)


class _NotReturnedError(Exception):
    """Rolls a return back: a ticket or the order has changed since it was decided."""


class RefundBook:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def sheet(self, order: Order) -> Sheet:
        """`order` was read first: what is written later compares with its version. Raises
        OrderUnpaid.
        """
        if order.state not in ("paid", "refunded"):
            raise OrderUnpaid
        async with self._db.acquire() as conn:
            paid = await conn.fetchrow(Q["read_captured"], order.id)
            tickets = await conn.fetch(Q["list_tickets_of_order"], order.id)
            late = await conn.fetch(Q["list_late_tickets"], order.id)
            refunds = await conn.fetch(Q["list_refunds"], order.id)
        assert paid is not None, f"order {order.id} is paid by no payment"
        return Sheet(
            order,
            Paid(**paid),
            [Ticket(**row) for row in tickets],
            frozenset(row["id"] for row in late),
            [Refund(**row) for row in refunds if row["payment_id"] == paid["id"]],
        )

    async def of_order(self, order_id: int) -> list[Refund]:
        """The oldest first."""
        return [Refund(**row) for row in await self._db.fetch(Q["list_refunds"], order_id)]

    async def read(self, refund_id: int) -> tuple[Refund, Paid] | None:
        async with self._db.acquire() as conn:
            row = await conn.fetchrow(Q["read_refund"], refund_id)
            paid = await conn.fetchrow(Q["read_refunded_payment"], refund_id)
        return (Refund(**row), Paid(**paid)) if row and paid else None

    async def give_back(
        self, sheet: Sheet, plan: Return, *, reason: str, actor: str, by_house: bool
    ) -> Refund | None:
        """The tickets come back, their seats are nobody's, the money is owed."""
        try:
            async with self._db.acquire() as conn, conn.transaction():
                return await self._give_back(conn, sheet, plan, reason, actor, by_house=by_house)
        except _NotReturnedError:
            return None

    async def send(self, refund: Refund) -> Refund | None:
        """Written before the gateway is told."""
        async with self._db.acquire() as conn:
            return await self._move(conn, refund, "send")

    async def finish(self, refund: Refund) -> Refund | None:
        """The gateway gave the whole payment back."""
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(conn, refund, "finish")
            if moved is None:
                return None
            await conn.fetchval(
                Q["refund_payment"], refund.payment_id, *GONE_BACK, self._clock.now()
            )
            await self._settled(conn, refund, ledger.GATEWAY)
            return moved

    async def queue(self, refund: Refund, why: str) -> Refund | None:
        """The gateway will not: staff pays."""
        async with self._db.acquire() as conn:
            return await self._move(conn, refund, "queue", error=why[:ERROR_CHARS_MAX])

    async def ask_again(self, refund: Refund, actor: str, by: str | None = None) -> Refund | None:
        """Staff has the gateway asked once more."""
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(conn, refund, "ask-again", actor=actor, by=by)
            if moved is not None:
                await stage(conn, self._clock.now(), [Draft(SETTLE, refund.id)])
            return moved

    async def pay_out(
        self, refund: Refund, reference: str, actor: str, by: str | None = None
    ) -> Refund | None:
        """Staff has paid it."""
        async with self._db.acquire() as conn, conn.transaction():
            moved = await self._move(
                conn, refund, "pay-out", actor=actor, reference=reference, by=by
            )
            if moved is not None:
                await self._settled(conn, refund, ledger.PAYOUTS)
            return moved

    async def _give_back(
        self, conn: Conn, sheet: Sheet, plan: Return, reason: str, actor: str, *, by_house: bool
    ) -> Refund:
        order, paid, now = sheet.order, sheet.paid, self._clock.now()
        state = ORDER[order.state, "refund"] if plan.is_last else order.state
        moved = await conn.fetchval(
            Q["move_order"], order.id, order.version, order.state, state, now
        )
        if moved is None:
            raise _NotReturnedError
        row = await conn.fetchrow(
            Q["open_refund"],
            order.id,
            paid.id,
            order.event_id,
            order.account_id,
            reason,
            plan.amount,
            plan.fee,
            plan.state,
            now,
            None,
        )
        assert row is not None
        refund = Refund(**row)
        seats = await self._take_tickets(conn, refund, plan, by_house=by_house)
        if plan.price:
            owed = ledger.returned(
                refund.id, order.event_id, order.id, paid.id, amount=plan.amount, fee=plan.fee
            )
            await ledger.post(conn, now, owed)
        told = {"event_id": order.event_id, "seats": seats}
        drafts = [Draft(RETURNED, order.id, told)]
        if plan.state == "asked":
            drafts.append(Draft(SETTLE, refund.id))
        await stage(conn, now, drafts)
        detail = {"refund": refund.id, "seats": seats, "amount": plan.amount, "fee": plan.fee}
        await audit.write(
            conn, now, actor, "tickets.return", f"order:{order.id}", reason=reason, **detail
        )
        return refund

    async def _take_tickets(
        self, conn: Conn, refund: Refund, plan: Return, *, by_house: bool
    ) -> list[int]:
        """Returns their seats, which are free now. Raises _NotReturnedError."""
        ids = [ticket.id for ticket in plan.tickets]
        before = [state for state, verb in TICKET if verb == "return"] if by_house else ["valid"]
        after = TICKET["valid", "return"]
        taken = await conn.fetch(
            Q["return_tickets"], refund.order_id, ids, refund.id, before, after, by_house
        )
        if len(taken) != len(ids):
            raise _NotReturnedError
        seats = sorted(row["seat"] for row in taken)
        freed = await conn.fetch(Q["drop_claims"], refund.event_id, refund.order_id, seats)
        assert sorted(row["seat"] for row in freed) == seats, f"refund {refund.id}: claims"
        return seats

    async def _move(
        self,
        conn: Conn,
        refund: Refund,
        verb: str,
        *,
        actor: str = "worker",
        error: str | None = None,
        reference: str | None = None,
        by: str | None = None,
    ) -> Refund | None:
        state = REFUND.get((refund.state, verb))
        if state is None:
            return None
        row = await conn.fetchrow(
            Q["move_refund"],
            refund.id,
            refund.version,
            refund.state,
            state,
            self._clock.now(),
            error,
            reference,
            actor,
            f"refund.{verb}",
            by,
        )
        return Refund(**row) if row else None

    async def _settled(self, conn: Conn, refund: Refund, by: str) -> None:
        posting = ledger.settled(
            refund.id,
            refund.event_id,
            refund.order_id,
            refund.payment_id,
            amount=refund.amount,
            by=by,
        )
        is_new = await ledger.post(conn, self._clock.now(), posting)
        assert is_new, f"refund {refund.id} was settled before"
