"""The seats of an event in Redis, and how they are rebuilt from PostgreSQL.

Every seat command passes here. One that meets keys of another epoch answers `stale` and changes
nothing; the event is then refilled from the claims and the command asked again. Without Redis
or PostgreSQL nothing is held: the seat commands fail closed.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import TryAgain
from kernel.lua import Arg, LuaScripts, Reply, word
from kernel.sql import load_queries
from sales.allotment import packed
from sales.epochs import Epochs
from sales.halls import Halls
from sales.keys import ALLOTTED, EPOCH, HOLDING, key, keys_of

HERE = Path(__file__).parent
Q = load_queries(HERE / "sql")
# The second try meets a refilled event. A third covers a reset or a restart just in between.
TRIES_MAX = 3
# A claim whose order does not say until when it may be paid is asked about after this long.
CLAIM_S = 900
# How long an event is looked after by the ticker after a hold: longer than any hold can last.
HOLDING_MS = 5 * 3600 * 1000
# A star concert sold out is 100 000 claims: read at once they take longer than other statements.
CLAIMS_TIMEOUT_S = 30
# Seats marked in one command: Redis stands still meanwhile.
MARKED_MAX = 2_000


class SeatsUnsettled(TryAgain):
    """Схема зала обновляется, попробуйте ещё раз."""

    code = "seats-unsettled"


class SeatStore:
    def __init__(self, redis: Redis, db: Db, halls: Halls, clock: Clock) -> None:
        self.redis = redis
        self.epochs = Epochs(redis, db, clock)
        self.halls = halls
        self._db = db
        self._clock = clock
        self._scripts = LuaScripts(redis, HERE / "lua")
        self._fills: dict[int, asyncio.Task[None]] = {}
        self._looked_after_until_ms: dict[int, int] = {}

    async def run(self, command: str, event_id: int, *args: Arg) -> Reply:
        """Run a seat command under the current epoch; `args` follow the token. Raises
        SeatsUnsettled, EventUnknown, and RedisError when it is not known whether it ran.
        """
        is_allotted = command in ALLOTTED and await self.halls.is_allotted(event_id)
        keys = keys_of(command, event_id, is_allotted=is_allotted)
        for _ in range(TRIES_MAX):
            fence = await self.epochs.fence()
            reply = await self._scripts.run(command, keys, args, fence=fence)
            if word(reply) != "stale":
                return reply
            await self._refill_once(event_id)
        raise SeatsUnsettled

    async def lapse(self, event_id: int, now_ms: int, holds_max: int) -> Reply:
        """What is over is over in any epoch: the one command that carries no token."""
        return await self._scripts.run("lapse", keys_of("lapse", event_id), [now_ms, holds_max])

    async def claim(
        self,
        event_id: int,
        order_id: int,
        account_id: int | None,
        seats: Sequence[int],
        *,
        mark: str,
        until_ms: int = 0,
    ) -> bool:
        """Make Redis follow PostgreSQL: the seats are the order's, claimed (mark "H") or sold
        ("S"). False: some are not its own here, so the account has to be told.
        """
        assert seats, "an order without seats has nothing to claim"
        owner: Arg = "" if account_id is None else account_id
        reply = await self.run("claim", event_id, order_id, owner, mark, until_ms, *seats)
        assert word(reply) in {"claimed", "whose"}, reply
        return word(reply) == "claimed"

    async def mark_outside(self, event_id: int, mark: str, seats: Sequence[int]) -> int:
        """Free seats that their owner has given to others (mark "X"), or has back ("F"); how many
        have changed.
        """
        count = 0
        for start in range(0, len(seats), MARKED_MAX):
            reply = await self.run("outside", event_id, mark, *seats[start : start + MARKED_MAX])
            count += int(reply[1])
        return count

    async def allot(self, event_id: int) -> None:
        """Redis follows what PostgreSQL says was given to us of the event's zones."""
        given = packed(await self._db.fetch(Q["list_given"], event_id))
        if given:
            await self.run("allot", event_id, given)

    async def look_after(self, event_id: int, until_ms: int) -> None:
        """See that the ticker visits this event at least until this moment (epoch ms). Said
        before the hold is made, so that a killed process leaves no hold without an end.
        """
        if self._looked_after_until_ms.get(event_id, 0) >= until_ms:
            return
        later_ms = await self._say_holding(event_id)
        assert until_ms <= later_ms, "a hold longer than the ticker looks after it"
        self._looked_after_until_ms[event_id] = later_ms

    async def refill(self, event_id: int) -> None:
        """Rebuild the event's keys from PostgreSQL, unless they are of its epoch already."""
        hall = await self.halls.hall(event_id)
        now = self._clock.now()
        async with (
            self._db.acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            token = await self.epochs.read(conn)
            otherwise = now + timedelta(seconds=CLAIM_S)
            await conn.execute(f"SET LOCAL statement_timeout = '{CLAIMS_TIMEOUT_S}s'")
            given = await conn.fetch(Q["list_given"], event_id)
            claims = await conn.fetch(
                Q["list_claims_of_event"], event_id, otherwise, timeout=CLAIMS_TIMEOUT_S
            )
        content = bytearray(b"F") * hall.capacity
        packs = []
        for claim in claims:
            mark = "S" if claim["sold"] else "H"
            for seat in claim["seats"]:
                content[seat] = ord(mark)
            until_ms = int(claim["until"].timestamp() * 1000)
            names = ",".join(map(str, claim["seats"]))
            packs.append(f"{claim['order_id']}:{claim['account_id']}:{until_ms}:{mark}:{names}")
        # After a loss of Redis nobody else says that this event may have holds.
        await self._say_holding(event_id)
        args: list[Arg] = [token, self._clock.ms(), bytes(content), packed(given), *packs]
        await self._scripts.run("fill", keys_of("fill", event_id), args)
        self.epochs.forget()

    async def rebuild(self, event_id: int) -> None:
        """Refill although the keys are of this epoch: for keys that are wrong in themselves."""
        await self.redis.set(key(EPOCH, event_id), f"{await self.epochs.fence()}rebuild")
        await self.refill(event_id)

    async def _say_holding(self, event_id: int) -> int:
        later_ms = self._clock.ms() + HOLDING_MS
        await self._scripts.run("watch", [HOLDING], [event_id, later_ms])
        return later_ms

    async def _refill_once(self, event_id: int) -> None:
        """Of many commands that found the event stale in this process, one refills it."""
        task = self._fills.get(event_id)
        if task is None:
            task = asyncio.create_task(self.refill(event_id))
            self._fills[event_id] = task
            task.add_done_callback(lambda done: self._filled(event_id, done))
        await asyncio.shield(task)

    def _filled(self, event_id: int, task: asyncio.Task[None]) -> None:
        del self._fills[event_id]
        if not task.cancelled():
            task.exception()  # told to whoever waited; not a forgotten failure
