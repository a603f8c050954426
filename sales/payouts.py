"""The queue of payouts: refunds that the gateway does not give back, paid by staff by hand."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import BadInput, Refusal
from kernel.sql import load_queries
from kernel.values import INT64_MAX
from sales.refund import Refund, RefundUnknown
from sales.refunds_book import RefundBook

Q = load_queries(Path(__file__).parent / "sql")
PAGE_MAX = 200
REFERENCE_CHARS_MAX = 100


class ReferenceNeeded(BadInput):
    """Укажите, как выплачено: номер перевода или чека, до 100 знаков."""

    code = "reference-needed"


class PayoutDone(Refusal):
    """Эта выплата уже отмечена, или её делает банк."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "payout-done"


class GatewayUnasked(Refusal):
    """ТөлеуБар возвращает только весь платёж, а это его часть: переведите её сами."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "gateway-unasked"


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the queue; `id` is the refund's, `amount` and the `fee` that was kept in tiyn.
    `last_error`: what the gateway said, where it was asked. `reference`: how it was paid.
    """

    id: int
    order_id: int
    event_id: int
    event_title: str | None
    account_id: int
    amount: int
    fee: int
    reason: str
    state: str
    created_at: datetime
    updated_at: datetime
    last_error: str | None
    reference: str | None
    version: int
    email: str | None
    first_name: str | None
    surname: str | None


class Owed(msgspec.Struct, frozen=True):
    """What the queue holds: refunds, and their sum in tiyn."""

    count: int
    amount: int


class Payouts:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._book = RefundBook(db, clock)

    async def waiting(self, after: int = 0, limit: int = PAGE_MAX) -> list[Payout]:
        """A page of the queue, the oldest first: what comes after refund `after`."""
        rows = await self._db.fetch(Q["list_payouts"], after, min(limit, PAGE_MAX))
        return [Payout(**row) for row in rows]

    async def paid(self, below: int = INT64_MAX, limit: int = PAGE_MAX) -> list[Payout]:
        """A page of what was paid, the newest first: what comes before refund `below`."""
        rows = await self._db.fetch(Q["list_paid_out"], below, min(limit, PAGE_MAX))
        return [Payout(**row) for row in rows]

    async def get(self, refund_id: int) -> Payout:
        """One that waits or was paid. Raises RefundUnknown."""
        row = await self._db.fetchrow(Q["read_payout"], min(refund_id, INT64_MAX))
        if row is None:
            raise RefundUnknown
        return Payout(**row)

    async def owed(self) -> Owed:
        row = await self._db.fetchrow(Q["measure_payouts"])
        assert row is not None
        return Owed(**row)

    async def pay(
        self, refund_id: int, reference: str, actor: str, by: str | None = None
    ) -> Refund:
        """Staff has paid it; `reference` says how, `by` is the address of who says so. Saying the
        same twice, even at once, changes nothing. Raises RefundUnknown, PayoutDone,
        ReferenceNeeded.
        """
        reference = reference.strip()
        if not 0 < len(reference) <= REFERENCE_CHARS_MAX or "\0" in reference:
            raise ReferenceNeeded
        refund = await self._read(refund_id)
        if refund.state == "queued":
            paid = await self._book.pay_out(refund, reference, actor, by)
            if paid is not None:
                return paid
            refund = await self._read(refund_id)  # somebody was faster, with which reference?
        if (refund.state, refund.reference) == ("paid_out", reference):
            return refund
        raise PayoutDone(state=refund.state, reference=refund.reference)

    async def ask_gateway(
        self, refund_id: int, version: int, actor: str, by: str | None = None
    ) -> Refund:
        """Have the gateway asked once more whether it has given the money back, and told to if not.
        `version`: of the refund that staff was looking at; if it has moved since (a second click),
        nothing is changed. Raises RefundUnknown, PayoutDone, GatewayUnasked.
        """
        refund = await self._read(refund_id)
        if refund.state == "queued" and refund.last_error is None:
            raise GatewayUnasked
        if refund.state == "queued" and refund.version == version:
            moved = await self._book.ask_again(refund, actor, by)
            refund = moved or await self._read(refund_id)
        if refund.state == "paid_out":
            raise PayoutDone(state=refund.state, reference=refund.reference)
        return refund

    async def _read(self, refund_id: int) -> Refund:
        found = await self._book.read(min(refund_id, INT64_MAX))
        if found is None:
            raise RefundUnknown
        return found[0]
