"""Reset: back to the state before the first sale, in one transaction and under a second.

Accounts, events, halls, the archive, the audit and the ledger (its balances closed) stay, and so do
visits: who is inside goes on shopping, and a used pass stays used. Payments under way are let go at
the gateway. Raising the epoch voids every hold in Redis, which is refilled event by event when it
is next asked; an order placed at the same moment is either emptied with the rest or refused,
because placing checks the epoch under its lock.
"""

import asyncio
import time
from itertools import cycle
from pathlib import Path
from random import Random

import asyncpg
import structlog

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.errors import Forbidden, TryAgain
from kernel.sql import load_queries
from sales import audit, ledger
from sales.epochs import Epochs
from sales.outbox import Draft, stage
from sales.partner import SWEEP
from sales.payments_void import VOID, payload_of

Q = load_queries(Path(__file__).parent / "sql")
# Sales lock their tables in whatever order they need them, so we may meet one in a ring: the sale
# goes on and we try again. All wait meanwhile; hence short tries in plenty, and now and then one
# that lasts longer than any sale. All shorter than PostgreSQL's own look for deadlocks (1 s).
LOCK_TIMEOUTS_MS = (60, 120, 400)
# Locking is bounded as a whole too. The contract's client gives up after 5 s, tries end before.
STATEMENT_TIMEOUT_MS = 1_500
TRY_AGAIN_WITHIN_S = 3.0
PAUSE_S = 0.05
# More than a gateway keeps open for one merchant; what is beyond runs out at the gateway by itself.
OPEN_PAYMENTS_MAX = 20_000
# Somebody else has what we need, for now.
BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.QueryCanceledError,
)

log = structlog.get_logger()


class ResetOff(Forbidden):
    """Сброс выключен в этой установке."""

    code = "reset-off"


class ResetBusy(TryAgain):
    """Сейчас идёт много продаж, попробуйте ещё раз."""

    code = "reset-busy"


class Reset:
    def __init__(
        self, db: Db, clock: Clock, epochs: Epochs, *, allowed: bool, chance: Random
    ) -> None:
        """`epochs` is this process's: it sees the new one at once, others within a second."""
        self._db = db
        self._clock = clock
        self._epochs = epochs
        self._allowed = allowed
        self._chance = chance

    async def reset(self, actor: str) -> int:
        """Drop all sales; the new epoch. Raises ResetOff, ResetBusy."""
        if not self._allowed:
            raise ResetOff
        give_up_at = time.monotonic() + TRY_AGAIN_WITHIN_S
        for lock_timeout_ms in cycle(LOCK_TIMEOUTS_MS):
            if time.monotonic() >= give_up_at:
                break
            try:
                epoch = await self._try(actor, lock_timeout_ms)
            except BUSY as busy:
                log.info("reset waits for a sale", why=repr(busy))
                await asyncio.sleep(PAUSE_S * self._chance.uniform(1, 2))
                continue
            self._epochs.forget()
            log.warning("reset", epoch=epoch, actor=actor)
            return epoch
        raise ResetBusy

    async def _try(self, actor: str, lock_timeout_ms: int) -> int:
        async with self._db.acquire() as conn, conn.transaction():
            await conn.execute(f"SET LOCAL lock_timeout = {lock_timeout_ms}")
            await conn.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
            await conn.execute(Q["stop_placing"])
            epoch: int = await conn.fetchval(Q["raise_epoch"])
            await conn.execute(Q["lock_sales"])
            drafts = await self._drafts(conn)
            await conn.execute(Q["empty_sales"])
            now = self._clock.now()
            await ledger.close(conn, now, epoch)
            await stage(conn, now, drafts)
            await audit.write(conn, now, actor, "sales.reset", "epoch", epoch=epoch)
        return epoch

    async def _drafts(self, conn: Conn) -> list[Draft]:
        """What others must still hear after everything else is forgotten."""
        payments = await conn.fetch(Q["list_open_payments"], OPEN_PAYMENTS_MAX)
        visits = await conn.fetch(Q["list_admission_notices"])
        voids = [
            Draft(VOID, row["id"], payload_of(row["gateway_order_id"], row["gateway_payment_id"]))
            for row in payments
        ]
        # Whatever partners keep for us serves new orders, or goes back (sales.partner_tending).
        sweep = [Draft(SWEEP, 0)] if await conn.fetchval(Q["any_partner_order"]) else []
        told = [Draft(row["kind"], row["subject_id"], row["payload"]) for row in visits]
        return voids + told + sweep
