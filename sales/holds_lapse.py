"""How holds end by themselves. The ticker comes once a second.

1. Visit the events that may have holds and that can have a due one by now.
2. Redis ends those that were only choosing.
3. A frozen one whose time is over is PostgreSQL's to judge: sold or claimed there, Redis follows;
   unknown there (a checkout that died before its commit), it ends.
"""

import asyncio
from pathlib import Path
from typing import Any

import structlog

from kernel.db import Db
from kernel.sql import load_queries
from sales.keys import HOLDING
from sales.seatstore import CLAIM_S, SeatStore

# Holds ended in one command: about two milliseconds of Redis.
LAPSE_MAX = 100
# Commands for one event in one visit, with others in between; what is left waits a second. Enough
# for a star concert's holds that were all made in the minute of its opening.
ROUNDS_MAX = 100
# Events visited at once: one pipeline of commands.
TOGETHER_MAX = 200
EVENTS_MAX = 20_000
# The shortest hold the schema allows: a hold made after a visit cannot be due before.
HOLD_MS_MIN = 10_000

Q = load_queries(Path(__file__).parent / "sql")
log = structlog.get_logger()


class Lapses:
    def __init__(self, store: SeatStore, db: Db) -> None:
        self._store = store
        self._db = db
        self._quiet_until_ms: dict[int, int] = {}

    async def lapse(self, now_ms: int) -> int:
        """One visit of every event that needs one; how many holds ended."""
        members: list[Any] = await self._store.redis.zrange(HOLDING, 0, EVENTS_MAX - 1)
        loud = [
            event for event in map(int, members) if self._quiet_until_ms.get(event, 0) <= now_ms
        ]
        ended = 0
        for start in range(0, len(loud), TOGETHER_MAX):
            part = loud[start : start + TOGETHER_MAX]
            ended += sum(await asyncio.gather(*(self._visit(event, now_ms) for event in part)))
        # Where the last possible hold is over there is nothing left to visit.
        await self._store.redis.zremrangebyscore(HOLDING, "-inf", now_ms)
        self._quiet_until_ms = {
            event: until for event, until in self._quiet_until_ms.items() if until > now_ms
        }
        return ended

    async def _visit(self, event_id: int, now_ms: int) -> int:
        ended = 0
        unsure: set[int] = set()
        next_due_ms = now_ms
        for _ in range(ROUNDS_MAX):
            _, count, next_due, *frozen = await self._store.lapse(event_id, now_ms, LAPSE_MAX)
            ended += count
            unsure.update(int(order_id) for order_id in frozen)
            next_due_ms = int(float(next_due)) if next_due else now_ms + HOLD_MS_MIN
            if count < LAPSE_MAX:
                break
        for order_id in sorted(unsure):
            ended += await self._judge(event_id, order_id, now_ms)
        self._quiet_until_ms[event_id] = min(next_due_ms, now_ms + HOLD_MS_MIN)
        return ended

    async def _judge(self, event_id: int, order_id: int, now_ms: int) -> int:
        rows = await self._db.fetch(Q["list_claims_of_order"], event_id, order_id)
        if not rows:
            await self._store.run("free", event_id, order_id)
            log.warning("a frozen hold without claims ended", event_id=event_id, order_id=order_id)
            return 1
        account_id, until_ms = rows[0]["account_id"], now_ms + CLAIM_S * 1000
        await self._store.look_after(event_id, until_ms)
        for mark, is_sold in (("H", False), ("S", True)):
            seats = [row["seat"] for row in rows if row["sold"] is is_sold]
            if seats:
                await self._store.claim(
                    event_id, order_id, account_id, seats, mark=mark, until_ms=until_ms
                )
        _, pack = await self._store.run("look", event_id, order_id)
        held = {int(seat) for seat in pack.rpartition(b":")[2].split(b",")} if pack else set()
        if undecided := held - {row["seat"] for row in rows}:
            await self._store.run("free", event_id, order_id, *undecided)
        return 0
