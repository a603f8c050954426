"""Allotments against claims and against what Redis offers, every five minutes.

1. Nothing may be claimed outside what was given to us: PostgreSQL says so by itself.
2. What Redis offers follows from who has what (lua/parts/allotments.lua). Where it does not, the
   event's keys are made anew from PostgreSQL.
"""

from pathlib import Path
from typing import Any, Final

from kernel.db import Db
from kernel.sql import load_queries
from sales.allotment import settled
from sales.allotments import EVENTS_MAX
from sales.reconcile.found import Difference, Page
from sales.reconcile.kinds import ALLOTMENT_EXCEEDED, SEATS_REPAIRED
from sales.seatstore import SeatStore

Q = load_queries(Path(__file__).parent.parent / "sql")
FOUND_MAX: Final = 200
# Events of one page.
PAGE: Final = 25


class AllotmentCheck:
    kinds = (ALLOTMENT_EXCEEDED,)

    def __init__(self, db: Db, store: SeatStore) -> None:
        self._db, self._store = db, store

    async def page(self, cursor: dict[str, Any]) -> Page:
        """`cursor`: the events still to come; none given: a new run."""
        found: list[Difference] = []
        if "todo" not in cursor:
            found = await self._exceeded()
        todo: list[int] = cursor["todo"] if "todo" in cursor else await self._plan()
        now_part, later = todo[:PAGE], todo[PAGE:]
        repaired = [one for event_id in now_part for one in await self._offered(event_id)]
        return Page({"todo": later} if later else None, len(now_part), found, repaired)

    async def _plan(self) -> list[int]:
        return [row["event_id"] for row in await self._db.fetch(Q["list_ranks"], EVENTS_MAX)]

    async def _exceeded(self) -> list[Difference]:
        zones: dict[int, list[int]] = {}
        for row in await self._db.fetch(Q["list_outside"], FOUND_MAX, None):
            zones.setdefault(row["event_id"], []).append(row["zone_no"])
        return [
            Difference(ALLOTMENT_EXCEEDED, f"event:{event_id}", {"zones": named})
            for event_id, named in zones.items()
        ]

    async def _offered(self, event_id: int) -> list[Difference]:
        """One command reads both, so there is no moment in which they rightly disagree."""
        _, _, letters, *told = await self._store.run("read", event_id, 0)
        right = settled(told[0], letters) if told else letters
        wrong = sum(one != other for one, other in zip(letters, right, strict=True))
        if not wrong:
            return []
        await self._store.rebuild(event_id)
        return [Difference(SEATS_REPAIRED, f"event:{event_id}", {"count": wrong})]
