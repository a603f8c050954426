"""Redis commands that travel together, by connections of the driver's pool that are kept while they
are busy: to get one, to pack in Python and to set a timer for each step costs several times what
most commands cost Redis.
"""

import asyncio
import math
import re
import select
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from hiredis import pack_command
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError, ResponseError

Word = str | bytes | int
Commands = Sequence[tuple[Word, ...]]
# Its stub knows commands of one word only.
pack: Callable[[tuple[Word, ...]], bytes] = pack_command  # type: ignore[assignment]
# As long as a pool's connection waits for one answer.
TIMEOUT_S = 3.0
# One that was idle for longer goes back to the pool, which looks whether it is still any good.
KEPT_S = 0.5
# Enough of a run's 40 hex digits to tell one from another.
RUN_CHARS = 12
RUN = re.compile(rb"run_id:([0-9a-f]+)")


class Wire:
    def __init__(self, pool: ConnectionPool, timeout_s: float = TIMEOUT_S) -> None:
        """The pool connects, signs in, finds the master and closes; none of that is known here."""
        self._pool: Any = pool
        self._within_s = timeout_s
        self._kept: list[tuple[float, Any]] = []
        self._timeout_s: float | None = None
        # By the stream of a connection, which lives as long as the server does at most.
        self._runs: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    async def send(self, commands: Commands | Callable[[str], Commands]) -> list[Any]:
        """The answers in their order; one that Redis refused is its ResponseError. Raises
        RedisError, OSError or TimeoutError when it is unknown which of them ran: nothing is sent
        twice here. A connection that Redis closed before is noticed before anything is sent.

        Commands that name the server's run (`run_id`, another one after each start) are made here,
        of the run that this very connection leads to: it ends with the run, so they cannot reach
        another one.
        """
        connection = await self._take()
        try:
            async with asyncio.timeout(self._within_s):
                if callable(commands):
                    commands = commands(await self._run_of(connection))
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

    async def _run_of(self, connection: Any) -> str:
        stream = connection._writer  # noqa: SLF001  # the driver has no name for one connecting
        run = self._runs.get(stream)
        if run is None:
            await connection.send_packed_command(pack(("INFO", "server")), check_health=False)
            told = await _answer(connection)
            if isinstance(told, ResponseError):
                raise told
            found = RUN.search(told if isinstance(told, bytes) else str(told).encode())
            assert found is not None, "INFO server names no run_id"
            run = self._runs[stream] = found[1][:RUN_CHARS].decode()
        return run

    async def _take(self) -> Any:
        now_s = asyncio.get_running_loop().time()
        while self._kept:
            used_s, connection = self._kept.pop()
            if await _is_open(connection):
                if now_s - used_s < KEPT_S:
                    return connection
            else:
                await connection.disconnect(nowait=True)
            await self._give_back(connection)
        connection = await self._pool.get_connection()
        if not await _is_open(connection):
            await connection.disconnect(nowait=True)
            try:
                await connection.connect()
            except BaseException:
                await self._pool.release(connection)
                raise
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
    """Not closed by Redis, and nothing left to read. The driver knows only what the loop has told
    it so far; a Redis that restarted since the loop's last turn is known to the kernel alone.
    """
    try:
        if await connection.can_read():
            return False
    except (RedisError, OSError):
        return False
    poller = select.poll()
    # The driver's own; asking the socket itself is what it has no verb for.
    socket = connection._writer.get_extra_info("socket")  # noqa: SLF001
    poller.register(socket.fileno(), select.POLLIN)
    return not poller.poll(0)


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response(timeout=math.inf, disconnect_on_error=False)
    except ResponseError as error:
        return error
