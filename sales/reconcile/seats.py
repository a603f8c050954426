"""Redis's seats against PostgreSQL's claims, hall and tickets, event by event.

1. Events with recent holds or an open item come each time, the others by turns. What has not
   changed since it was last found right costs two short questions.
2. A seat that looks wrong is looked at again after a pause, and left alone while a worker is still
   going to tell Redis about its order.
3. What then is still wrong is put right: Redis follows PostgreSQL. What does not become right, a
   content of the wrong size, and tickets that disagree with claims, are for staff.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from kernel.clock import Clock
from kernel.db import Db
from kernel.sql import load_queries
from sales.catalogue import EventUnknown
from sales.keys import EPOCH, HOLDING, VERSION, key
from sales.reconcile.found import Difference, Page
from sales.reconcile.kinds import (
    HOLD_OVERDUE,
    SEATS_DIFFER,
    SEATS_REPAIRED,
    SEATS_SIZE,
    TICKETS_DIFFER,
)
from sales.reconcile.seats_mend import mend
from sales.reconcile.seats_read import SeatsRead, Suspect
from sales.seatstore import SeatStore

Q = load_queries(Path(__file__).parent / "sql")
# Events of one page; those with recent holds at the most, and how many others take their turn.
PAGE: Final = 25
LOUD_MAX: Final = 20_000
TURN_MAX: Final = 200
# Between a doubt and the second look: longer than a purchase takes from one store to the other.
PAUSE_S: Final = 3.0
# Seats looked at again and put right in one visit; with more, the rest waits for the next.
SUSPECTS_MAX: Final = 2_000
# Seats and orders named in an item.
NAMED_MAX: Final = 20
# The ticker ends holds each second.
OVERDUE_MS: Final = 120_000


class SeatCheck:
    kinds = (SEATS_DIFFER, SEATS_SIZE, TICKETS_DIFFER, HOLD_OVERDUE)

    def __init__(
        self,
        db: Db,
        clock: Clock,
        store: SeatStore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db, self._clock, self._store, self._sleep = db, clock, store, sleep
        self._read = SeatsRead(db, store)
        # What each event looked like when it was last found right.
        self._right: dict[int, tuple[Any, ...]] = {}
        self._turn = 0

    async def page(self, cursor: dict[str, Any]) -> Page:
        """`cursor`: the events still to come; none given: a new run."""
        todo: list[int] = cursor["todo"] if "todo" in cursor else await self._plan()
        now_part, later = todo[:PAGE], todo[PAGE:]
        found: list[Difference] = []
        repaired: list[Difference] = []
        for event_id, seen in (await self._fingerprints(now_part)).items():
            if self._right.get(event_id) == seen:
                continue
            wrong, fixed = await self.check(event_id)
            found += wrong
            repaired += fixed
            if wrong or fixed:
                self._right.pop(event_id, None)
            else:
                self._right[event_id] = seen
        return Page({"todo": later} if later else None, len(now_part), found, repaired)

    async def check(self, event_id: int) -> tuple[list[Difference], list[Difference]]:
        """What is wrong with an event, and what was wrong and has been put right."""
        try:
            hall = await self._store.halls.hall(event_id)
        except EventUnknown:
            return [], []
        subject = f"event:{event_id}"
        wrong = await self._tickets(event_id, subject)
        suspects = await self._read.suspects(event_id, hall.capacity)
        if suspects is None:
            return [*wrong, Difference(SEATS_SIZE, subject, {"capacity": hall.capacity})], []
        overdue = await self._overdue(event_id)
        doubtful = await self._look_again(event_id, suspects)
        if overdue and (still := sorted(set(overdue) & set(await self._overdue(event_id)))):
            wrong.append(Difference(HOLD_OVERDUE, subject, {"orders": still[:NAMED_MAX]}))
        if not doubtful:
            return wrong, []
        await mend(self._store, event_id, doubtful, self._clock.ms())
        left = await self._read.look(event_id, [one.seat for one in doubtful])
        if left:
            wrong.append(Difference(SEATS_DIFFER, subject, _told(left)))
        stayed = {one.seat for one in left}
        fixed = [one for one in doubtful if one.seat not in stayed]
        return wrong, [Difference(SEATS_REPAIRED, subject, _told(fixed))] if fixed else []

    async def _plan(self) -> list[int]:
        """Who is to be visited in this run."""
        loud: Any = await self._store.redis.zrange(HOLDING, 0, LOUD_MAX - 1)
        open_items = await self._db.fetch(Q["list_events_with_items"], list(self.kinds))
        rows = await self._db.fetch(Q["list_events_after"], self._turn, TURN_MAX, self._clock.now())
        self._turn = rows[-1]["id"] if len(rows) == TURN_MAX else 0
        chosen = {*map(int, loud), *(row["id"] for row in rows)}
        return sorted(chosen | {row["id"] for row in open_items})

    async def _fingerprints(self, events: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """For events that Redis has of this epoch: what changes when anything compared does."""
        token = await self._store.epochs.token()
        pipe = self._store.redis.pipeline(transaction=False)
        for event_id in events:
            pipe.mget(key(EPOCH, event_id), key(VERSION, event_id))
        told = await pipe.execute() if events else []
        rows = await self._db.fetch(Q["fingerprint_claims"], list(events))
        claims = {row["event_id"]: tuple(row) for row in rows}
        return {
            event_id: (version, claims.get(event_id))
            for event_id, (epoch, version) in zip(events, told, strict=True)
            # Of another epoch, or never filled: it is filled from PostgreSQL when it is next asked.
            if epoch is not None and epoch.decode() == token
        }

    async def _look_again(self, event_id: int, suspects: list[Suspect]) -> list[Suspect]:
        """Those that are wrong still, and not just on their way."""
        if not suspects:
            return []
        await self._sleep(PAUSE_S)
        if not await self._fingerprints([event_id]):  # a reset meanwhile: all that is void
            return []
        again = await self._read.look(event_id, [one.seat for one in suspects[:SUSPECTS_MAX]])
        moving = await self._read.in_flight(again)
        before = {one.seat: one for one in suspects}
        return [
            one for one in again if before[one.seat] == one and not moving.intersection(one.orders)
        ]

    async def _overdue(self, event_id: int) -> list[int]:
        return await self._read.overdue(event_id, self._clock.ms() - OVERDUE_MS)

    async def _tickets(self, event_id: int, subject: str) -> list[Difference]:
        rows = await self._db.fetch(Q["compare_tickets"], event_id, NAMED_MAX)
        if not rows:
            return []
        orders = {order for row in rows for order in (row["claimed_by"], row["ticket_of"]) if order}
        seats = [row["seat"] for row in rows]
        return [Difference(TICKETS_DIFFER, subject, {"seats": seats, "orders": sorted(orders)})]


def _told(suspects: Sequence[Suspect]) -> dict[str, Any]:
    """An item's content: seats and orders, the first of them."""
    orders = sorted({order for one in suspects for order in one.orders})
    return {
        "count": len(suspects),
        "seats": [one.seat for one in suspects[:NAMED_MAX]],
        "orders": orders[:NAMED_MAX],
    }
