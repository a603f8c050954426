"""The ledger: double-entry beside the orders, in tiyn, written in the transaction of each fact.

A posting tells one fact and sums to zero; debit is positive. Accounts: `gateway` is what the
gateway holds for us, `sales:<event>` what tickets were sold for, `fees:<event>` what was kept
when they came back, `refunds` what is owed to buyers, `payouts` what staff has paid them by
hand. PostgreSQL refuses to change or drop a line, and a posting that does not sum to zero.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from kernel.db import Conn, Db
from kernel.sql import load_queries

Q = load_queries(Path(__file__).parent / "sql")
GATEWAY, REFUNDS, PAYOUTS = "gateway", "refunds", "payouts"
# A check reads everything; nobody waits for it.
CHECK_TIMEOUT_S = 120
# Of each kind; where there are more, something is wrong that has one cause.
DIFFERENCES_MAX = 100


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """`fact` names what happened, once for ever. `entries`: account → amount in tiyn."""

    fact: str
    event_id: int
    order_id: int | None = None
    payment_id: int | None = None
    refund_id: int | None = None
    entries: Mapping[str, int]


class Difference(msgspec.Struct, frozen=True):
    """Where the ledger and what it tells of disagree. Amounts in tiyn."""

    kind: str
    subject: str
    expected: int
    found: int


def sales_of(event_id: int) -> str:
    return f"sales:{event_id}"


def captured(event_id: int, order_id: int, payment_id: int, amount: int) -> Posting:
    """The gateway has taken a buyer's money for us."""
    return Posting(
        fact=f"capture:{payment_id}",
        event_id=event_id,
        order_id=order_id,
        payment_id=payment_id,
        entries={GATEWAY: amount, sales_of(event_id): -amount},
    )


def returned(
    refund_id: int, event_id: int, order_id: int, payment_id: int, *, amount: int, fee: int
) -> Posting:
    """Tickets came back: `amount` is owed to the buyer, `fee` is kept."""
    return Posting(
        fact=f"refund:{refund_id}",
        event_id=event_id,
        order_id=order_id,
        payment_id=payment_id,
        refund_id=refund_id,
        entries={
            sales_of(event_id): amount + fee,
            REFUNDS: -amount,
            f"fees:{event_id}": -fee,
        },
    )


def settled(
    refund_id: int, event_id: int, order_id: int, payment_id: int, *, amount: int, by: str
) -> Posting:
    """What was owed has reached the buyer; `by`: GATEWAY or PAYOUTS."""
    return Posting(
        fact=f"settle:{refund_id}",
        event_id=event_id,
        order_id=order_id,
        payment_id=payment_id,
        refund_id=refund_id,
        entries={REFUNDS: amount, by: -amount},
    )


def owed(refund_id: int, event_id: int, order_id: int, payment_id: int, amount: int) -> Posting:
    """The gateway keeps money that no ticket can be had for: it is owed back by a refund."""
    return Posting(
        fact=f"refund:{refund_id}",
        event_id=event_id,
        order_id=order_id,
        payment_id=payment_id,
        refund_id=refund_id,
        entries={GATEWAY: amount, REFUNDS: -amount},
    )


def came_late(event_id: int, order_id: int, payment_id: int, amount: int) -> Posting:
    """The gateway took money that no ticket can be had for: it is owed back at once."""
    return Posting(
        fact=f"late:{payment_id}",
        event_id=event_id,
        order_id=order_id,
        payment_id=payment_id,
        entries={GATEWAY: amount, REFUNDS: -amount},
    )


def went_back(event_id: int, order_id: int, payment_id: int, amount: int) -> Posting:
    """The gateway gave late money back."""
    return Posting(
        fact=f"late-back:{payment_id}",
        event_id=event_id,
        order_id=order_id,
        payment_id=payment_id,
        entries={REFUNDS: amount, GATEWAY: -amount},
    )


async def post(conn: Conn, at: datetime, posting: Posting) -> bool:
    """Within the transaction of the fact. False: it is written already, and stays as it was."""
    entries = {account: amount for account, amount in posting.entries.items() if amount}
    assert entries, f"{posting.fact}: nothing to post"
    assert sum(entries.values()) == 0, f"{posting.fact}: does not sum to zero"
    posted = await conn.fetchval(
        Q["post_fact"],
        posting.fact,
        posting.event_id,
        posting.order_id,
        posting.payment_id,
        posting.refund_id,
        at,
        list(entries),
        list(entries.values()),
    )
    return posted is not None


async def stands(conn: Conn, fact: str) -> bool:
    """Whether the fact was posted, in any time."""
    is_posted: bool = await conn.fetchval(Q["is_posted"], fact)
    return is_posted


async def close(conn: Conn, at: datetime, epoch: int) -> None:
    """A reset has dropped the orders: every balance goes to zero, and all that was stays told."""
    await conn.execute(Q["close_balances"], epoch, at)


class Ledger:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def balances(self) -> dict[str, int]:
        """What each account stands at in tiyn, those at zero left out; sums to zero."""
        async with self._moment() as conn:
            rows = await conn.fetch(Q["read_balances"], timeout=CHECK_TIMEOUT_S)
        return {row["account"]: row["amount"] for row in rows}

    async def check(self) -> list[Difference]:
        """Whether it sums to zero and says what orders, payments and tickets say. Empty: all is
        well.
        """
        async with self._moment() as conn:
            since = await conn.fetchval(Q["read_last_reset"])
            return [
                *await _compare(conn, "posting", "find_crooked_postings"),
                *await _compare(conn, "capture", "find_strange_captures", since),
                *await _compare(conn, "sales", "find_strange_sales"),
                *await _compare(conn, "refund", "find_strange_refunds", since),
            ]

    @asynccontextmanager
    async def _moment(self) -> AsyncIterator[Conn]:
        """Everything as of one moment, with time to read it all."""
        async with (
            self._db.acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            await conn.execute(f"SET LOCAL statement_timeout = '{CHECK_TIMEOUT_S}s'")
            yield conn


async def _compare(conn: Conn, kind: str, query: str, *args: int) -> list[Difference]:
    rows = await conn.fetch(Q[query], *args, DIFFERENCES_MAX, timeout=CHECK_TIMEOUT_S)
    return [Difference(kind, **row) for row in rows]
