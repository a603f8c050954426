"""The queue of payouts: refunds that the gateway does not give back, paid by staff by hand."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import BadInput, Refusal
from kernel.sql import load_queries
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


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the queue; `id` is the refund's, `amount` in tiyn. `last_error`: what the gateway
    said, where it was asked.
    """

    id: int
    order_id: int
    event_id: int
    account_id: int
    amount: int
    reason: str
    created_at: datetime
    last_error: str | None
    email: str | None
    first_name: str | None
    surname: str | None


class Payouts:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._book = RefundBook(db, clock)

    async def waiting(self, after: int = 0, limit: int = PAGE_MAX) -> list[Payout]:
        """A page of the queue, the oldest first: what comes after refund `after`."""
        rows = await self._db.fetch(Q["list_payouts"], after, min(limit, PAGE_MAX))
        return [Payout(**row) for row in rows]

    async def pay(self, refund_id: int, reference: str, actor: str) -> Refund:
        """Staff has paid it; `reference` says how. Saying the same twice changes nothing. Raises
        RefundUnknown, PayoutDone, ReferenceNeeded.
        """
        reference = reference.strip()
        if not 0 < len(reference) <= REFERENCE_CHARS_MAX or "\0" in reference:
            raise ReferenceNeeded
        found = await self._book.read(refund_id)
        if found is None:
            raise RefundUnknown
        refund, _ = found
        if (refund.state, refund.reference) == ("paid_out", reference):
            return refund
        paid = await self._book.pay_out(refund, reference, actor)
        if paid is None:
            raise PayoutDone(state=refund.state, reference=refund.reference)
        return paid
