"""Redis commands that travel together, by connections of the driver's pool that are kept while they
are busy: to get one, to pack in Python and to set a timer for each step costs several times what
most commands cost Redis.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError, ResponseError

Word = str | bytes | int
# Its stub knows commands of one word only.
pack: Callable[[tuple[Word, ...]], bytes] = pack_command  # type: ignore[assignment]
# As long as a pool's connection waits for one answer.
TIMEOUT_S = 3.0
# One that was idle for longer goes back to the pool, which looks whether it is still any good.
KEPT_S = 0.5


class Wire:
    def __init__(self, pool: ConnectionPool, timeout_s: float = TIMEOUT_S) -> None:
        """The pool connects, signs in, finds the master and closes; none of that is known here."""
        self._pool: Any = pool
        self._within_s = timeout_s
        self._kept: list[tuple[float, Any]] = []
        self._timeout_s: float | None = None

    async def send(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        """The answers in their order; one that Redis refused is its ResponseError. Raises
        RedisError, OSError or TimeoutError when it is unknown which of them ran.
        """
        connection = await self._take()
        try:
            async with asyncio.timeout(self._within_s):
                packed = b"".join([pack(command) for command in commands])
                await connection.send_packed_command(packed, check_health=False)
                answers = [await _answer(connection) for _ in commands]
        except BaseException:
            # Answers that still come belong to nobody.
            await connection.disconnect(nowait=True)
            await self._give_back(connection)
            raise
        self._kept.append((asyncio.get_running_loop().time(), connection))
        return answers

    async def _take(self) -> Any:
        now_s = asyncio.get_running_loop().time()
        while self._kept:
            used_s, connection = self._kept.pop()
            if now_s - used_s < KEPT_S and await _is_open(connection):
                return connection
            await self._give_back(connection)
        connection = await self._pool.get_connection()
        # The driver would set a timer for each step; there is one for all of them.
        self._timeout_s, connection.socket_timeout = connection.socket_timeout, None
        return connection

    async def _give_back(self, connection: Any) -> None:
        connection.socket_timeout = self._timeout_s
        try:
            await self._pool.release(connection)
        except KeyError:
            # The pool was emptied in between, and doesn't know it any more.
            await connection.disconnect(nowait=True)


async def _is_open(connection: Any) -> bool:
    """Not closed by Redis, and nothing left to read; what the pool asks, too."""
    try:
        return not await connection.can_read()
    except (RedisError, OSError):
        return False


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response(timeout=math.inf, disconnect_on_error=False)
    except ResponseError as error:
        return error
