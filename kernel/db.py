"""PostgreSQL: one small pool a process, bounded statements, JSON by msgspec."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from kernel.errors import TryAgain
from kernel.pool import ACQUIRE_TIMEOUT_S, QUERIES_MAX, BoundedPool

if TYPE_CHECKING:
    Db = asyncpg.Pool[asyncpg.Record]
    _Base = asyncpg.Connection[asyncpg.Record]
    Conn = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Db = asyncpg.Pool
    Conn = _Base = asyncpg.Connection

# One slow statement must not take the others down: longer work sets its own limit.
STATEMENT_TIMEOUT_MS = 5_000
# A transaction that its process forgot must not hold locks.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000
# A statement that its server has not ended by then (it stands still) is given up on our side.
ABANDON_AFTER_S = 1.0
# A connection is closed after so long without a statement.
IDLE_CONNECTION_S = 300.0

# What asyncpg raises when the server is away or going: the caller may try again.
GONE = (
    OSError,
    ssl.SSLError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # The server said goodbye to an idle connection, and it was used before the driver had seen
    # the end of it.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
)


class DatabaseAway(TryAgain):
    """База данных временно недоступна, попробуйте ещё раз."""

    code = "database-away"


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda raw: msgspec.json.decode(raw[1:]),
        format="binary",
    )


# Types with lower numbers are PostgreSQL's own, the same in every database.
OWN_TYPES_FROM = 16_384
_known_types: dict[tuple[int, ...], Any] = {}


class _Connection(_Base):
    """A connection that is handed back without a round trip, and asks less on its first ones.

    The library's own reset asks the server each time to undo session state. Nobody here makes any
    (transactions set with SET LOCAL, listeners have connections of their own), and on a busy
    process that question was half of all round trips.

    What an array of integers is, the library asks on every connection anew, with a query that
    costs the server as much as a whole purchase. The first answer serves the whole process.
    """

    def get_reset_query(self) -> str:
        return ""

    async def _introspect_types(self, typeoids: Any, timeout: float) -> Any:  # noqa: ASYNC109  # theirs
        key = tuple(sorted(typeoids))
        if key in _known_types:
            return _known_types[key]
        answer = await super()._introspect_types(typeoids, timeout)  # type: ignore[misc]  # no stub
        if all(oid < OWN_TYPES_FROM for oid in key):
            _known_types[key] = answer
        return answer


async def open_pool(
    url: str,
    *,
    size_max: int = 8,
    statement_timeout_ms: int | None = None,
    plans_once: bool = False,
) -> Db:
    """Open a pool of at most `size_max` connections; the first is made at once, so a wrong
    address is heard here and not at the first request. `plans_once`: each statement is planned
    once a connection, whatever it is given; for processes that say few statements very often, and
    none that wants another plan for other values.
    """
    statement_s = (statement_timeout_ms or STATEMENT_TIMEOUT_MS) / 1000
    pool = BoundedPool(
        url,
        min_size=1,
        max_size=size_max,
        max_queries=QUERIES_MAX,
        max_inactive_connection_lifetime=IDLE_CONNECTION_S,
        loop=None,
        record_class=asyncpg.Record,
        init=_prepare,
        connection_class=_Connection,
        timeout=ACQUIRE_TIMEOUT_S,
        command_timeout=statement_s + ABANDON_AFTER_S,
        server_settings={
            "application_name": "biletter",
            "timezone": "UTC",
            "statement_timeout": str(statement_timeout_ms or STATEMENT_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            "plan_cache_mode": "force_generic_plan" if plans_once else "auto",
        },
    )
    await pool
    return pool
