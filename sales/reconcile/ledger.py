"""The ledger against orders, payments and tickets, each night."""

from typing import Any

from sales.ledger import Ledger
from sales.reconcile.found import Difference, Page
from sales.reconcile.kinds import LEDGER_DIFFERS


class LedgerCheck:
    kinds = (LEDGER_DIFFERS,)

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(self, _: dict[str, Any]) -> Page:
        """All in one: the ledger checks itself as of one moment."""
        found = [
            Difference(
                LEDGER_DIFFERS,
                f"{one.kind}:{one.subject}",
                {"expected": one.expected, "found": one.found},
            )
            for one in await self._ledger.check()
        ]
        return Page(None, 1, found)
