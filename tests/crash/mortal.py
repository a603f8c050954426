"""A process that dies: its stores and its wire, wrapped so that it is killed at a chosen step.

A step is whatever changes something outside the process: a statement that writes, a commit, a
command to Redis, a call of the gateway, a word to the room. Dying before the step, it never
happens; dying after it, it has happened and its process never learns so. What follows in any task
of the process never runs, and its connections break. Only the constructors' seams are wrapped: the
product knows nothing of it.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sales.gateway_wire import Answer

T = TypeVar("T")
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|pg_notify)\b")
NAMED = re.compile(r"/\* (\w+) \*/")
# Redis is only asked: dying here is dying after the step before.
LOOKS = frozenset({"look", "holder", "read", "zrange", "get", "info", "script_load"})
CALL = re.compile(r"/(check|init|confirm|cancel)$", re.IGNORECASE)


class Killed(BaseException):
    """What a task of a dead process meets while it is buried. Not an Exception: nothing of ours
    can catch it.
    """


class Fate:
    """When a process dies: at step number `at` (from 1), before it or after it; at None never."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.after = False
        self.steps: list[str] = []
        self.died = asyncio.Event()
        self.buried = False

    def arm(self, at: int, *, after: bool) -> None:
        """The step is counted from now on."""
        self.at, self.after, self.steps = at, after, []

    @property
    def where(self) -> str:
        when = "after" if self.after else "before"
        name = self.steps[self.at - 1] if self.at and self.at <= len(self.steps) else "nothing"
        return f"step {self.at}, {when} {name}"

    async def live(self) -> None:
        """Nothing of a dead process runs on."""
        if self.buried:
            raise Killed
        if self.died.is_set():
            await asyncio.get_running_loop().create_future()

    async def step(self, name: str, act: Callable[[], Awaitable[T]]) -> T:
        await self.live()
        self.steps.append(name)
        is_last = len(self.steps) == self.at
        if is_last and not self.after:
            self.died.set()
            await self.live()
        done = await act()
        if is_last:
            self.died.set()
        await self.live()
        return done


class MortalConnection:
    """Statements of a transaction take effect at its commit: that is the step, if any wrote."""

    def __init__(self, conn: Any, fate: Fate) -> None:
        self._conn, self._fate = conn, fate
        self._wrote: list[str] | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._conn, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute", "executemany"}:
            return method

        async def run(sql: str, *args: Any, **options: Any) -> Any:
            async def act() -> Any:
                return await method(sql, *args, **options)

            if not WRITES.search(sql):
                await self._fate.live()
                return await act()
            if self._wrote is None:
                return await self._fate.step(f"sql {name_of(sql)}", act)
            self._wrote.append(name_of(sql))
            await self._fate.live()
            return await act()

        return run

    @asynccontextmanager
    async def transaction(self, **options: Any) -> Any:
        if self._wrote is not None:  # a savepoint
            async with self._conn.transaction(**options):
                yield
            return
        transaction = self._conn.transaction(**options)
        await self._fate.live()
        await transaction.start()
        self._wrote = []
        try:
            yield
        except BaseException:
            self._wrote = None
            await self._fate.live()
            await transaction.rollback()
            raise
        wrote, self._wrote = self._wrote, None
        if wrote:
            await self._fate.step(f"commit of {', '.join(wrote)}", transaction.commit)
        else:
            await transaction.commit()


class MortalDb:
    def __init__(self, pool: Any, fate: Fate) -> None:
        self._pool, self._fate = pool, fate

    @asynccontextmanager
    async def acquire(self, **options: Any) -> Any:
        async with self._pool.acquire(**options) as conn:
            yield MortalConnection(conn, self._fate)

    def __getattr__(self, name: str) -> Any:
        return getattr(MortalConnection(self._pool, self._fate), name)


class MortalRedis:
    """`scripts` names the commands by their hashes. Like a cluster's client it shows no pool, so
    that scripts travel by its pipelines, and each of those is a step.
    """

    connection_pool = None

    def __init__(self, redis: Any, fate: Fate, scripts: dict[str, str]) -> None:
        self._redis, self._fate, self._scripts = redis, fate, scripts

    def pipeline(self, **options: Any) -> "MortalPipeline":
        return MortalPipeline(self._redis.pipeline(**options), self._fate, self._scripts)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._redis, name)

        async def run(*args: Any, **options: Any) -> Any:
            if name in LOOKS:
                await self._fate.live()
                return await method(*args, **options)
            return await self._fate.step(f"redis {name}", lambda: method(*args, **options))

        return run


class MortalPipeline:
    def __init__(self, pipe: Any, fate: Fate, scripts: dict[str, str]) -> None:
        self._pipe, self._fate, self._scripts = pipe, fate, scripts
        self._names: list[str] = []

    def execute_command(self, command: str, *args: Any) -> None:
        self._names.append(self._scripts.get(str(args[0]), command) if args else command)
        self._pipe.execute_command(command, *args)

    async def execute(self, **options: Any) -> Any:
        if LOOKS.issuperset(self._names):
            await self._fate.live()
            return await self._pipe.execute(**options)
        return await self._fate.step(
            f"redis {', '.join(self._names)}", lambda: self._pipe.execute(**options)
        )


class MortalWire:
    """To the gateway."""

    def __init__(self, wire: Any, fate: Fate) -> None:
        self._wire, self._fate = wire, fate

    async def post(self, path: str, body: bytes) -> Answer:
        call = CALL.search(path)
        assert call is not None, path
        if call[1] == "check":
            await self._fate.live()
            answer: Answer = await self._wire.post(path, body)
            return answer
        return await self._fate.step(f"gateway {call[1]}", lambda: self._wire.post(path, body))

    async def close(self) -> None:
        """It is the world's."""


class MortalHall:
    """To the partner whose hall is sold in this life."""

    def __init__(self, world: Any, fate: Fate) -> None:
        self._world, self._fate = world, fate

    async def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        hall = self._world.partner
        if method == "GET":
            await self._fate.live()
            looked: Answer = await hall.send(method, path, body)
            return looked
        name = path.rpartition("/")[2]
        return await self._fate.step(f"partner {name}", lambda: hall.send(method, path, body))

    async def close(self) -> None:
        """It is the world's."""


class MortalRooms:
    """To the waiting room."""

    def __init__(self, rooms: Any, fate: Fate) -> None:
        self._rooms, self._fate = rooms, fate

    async def keep(self, *args: Any) -> bool:
        return await self._fate.step("room keep", lambda: self._rooms.keep(*args))

    async def free(self, *args: Any) -> bool:
        return await self._fate.step("room free", lambda: self._rooms.free(*args))


def name_of(sql: str) -> str:
    named = NAMED.search(sql)
    return named[1] if named else " ".join(sql.split())[:40]
