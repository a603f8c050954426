"""Webhooks make us ask the gateway: a notice that says so, for as many as come together one
statement.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from kernel.clock import Clock
from kernel.convoy import Convoy
from kernel.db import Db
from kernel.sql import load_queries
from sales.outbox import Draft
from sales.states import PAYMENT_NO, PAYMENT_SETTLED

Q = load_queries(Path(__file__).parent / "sql")
# Nobody waits for the answer to a webhook: those of so many seconds travel together.
GATHER_S: Final = 0.02
TOGETHER_MAX: Final = 100
# Between an authorisation and its capture lies one call of the gateway, which never takes longer.
CAPTURE_S: Final = 10.0


class Hint(msgspec.Struct, frozen=True):
    """What a webhook says: the gateway's payment id, our order id there, its status; and whether
    it would be news of an attempt that was declined.
    """

    payment_id: str
    order_id: str
    status: str
    is_money: bool


class Hints:
    def __init__(self, db: Db, clock: Clock, gather_s: float = GATHER_S) -> None:
        self._db, self._clock = db, clock
        self._convoy: Convoy[Hint, bool] = Convoy(
            self._write, size_max=TOGETHER_MAX, gather_s=gather_s
        )

    async def heard(self, hint: Hint) -> bool:
        """Ask the gateway now. Whoever has just authorised it is about to capture it, and gets a
        moment. False: there is nothing to look at, or a look is due anyway.
        """
        return await self._convoy.ask(hint)

    async def _write(self, hints: list[Hint]) -> Sequence[bool]:
        now, draft = self._clock.now(), Draft("payment.settle", 0)
        rows = await self._db.fetch(
            Q["hint_payments"],
            [hint.payment_id for hint in hints],
            [hint.order_id for hint in hints],
            [{"hint": hint.status} for hint in hints],
            [hint.is_money for hint in hints],
            draft.kind,
            draft.lane,
            now,
            now + timedelta(seconds=CAPTURE_S),
            list(PAYMENT_SETTLED),
            PAYMENT_NO,
        )
        staged = {row["place"] for row in rows}
        return [place in staged for place in range(1, len(hints) + 1)]
