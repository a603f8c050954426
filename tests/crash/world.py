"""A shop of several processes, any of which may be killed at any step and made anew, and the world
outside that lives on: stores, gateway, room, clock, buyers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import asyncpg
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.db import open_pool
from sales.gateway_toleubar import ToleuBar
from tests.bank import BASE, PASSWORD, TEAM, Bank
from tests.crash.mortal import (
    Fate,
    MortalDb,
    MortalHall,
    MortalRedis,
    MortalRooms,
    MortalWire,
)
from tests.fakes import FakeRooms
from tests.flow.shop import AHEAD, Shop, make_shop
from tests.halls import build_event
from tests.partner import FakePartner, client_of, connect

T = TypeVar("T")
Work = Callable[[Shop], Awaitable[T]]
ROLES: Final = ("web", "worker", "ticker")
# Until all has come to rest: soon after, the gateway's time to confirm, the end of payments and
# holds, the looks after it, and the day after which nothing is watched any more.
JUMPS_S: Final = (2, 8, 30, 60, 90, 600, 61, 240, 61, 301, 61, 600, 3600, 3601, 86_400, 3601, 61)
BURIALS_MAX: Final = 50
LEFT = """
SELECT EXISTS (SELECT FROM notice WHERE parked_at IS NULL)
    OR EXISTS (SELECT FROM orders WHERE state IN ('open', 'pending'))
"""

_OWNER: ContextVar["Process | None"] = ContextVar("owner", default=None)


class DiedError(Exception):
    """The process was killed while it worked."""


class Process:
    def __init__(self, world: "World", role: str) -> None:
        self._world, self.role, self.fate = world, role, Fate()
        self.tasks: set[asyncio.Task[Any]] = set()
        self._pool: Any = None
        self._redis: Any = None
        self.shop: Shop

    async def start(self) -> "Process":
        world = self._world
        self._pool = await open_pool(world.db_url, size_max=4)
        self._redis = Redis.from_url(world.redis_url)
        scripts: dict[str, str] = {}
        wire = MortalWire(world.bank, self.fate)
        self.shop = make_shop(
            MortalDb(self._pool, self.fate),
            MortalRedis(self._redis, self.fate, scripts),
            world.clock,
            world.folder,
            ToleuBar(BASE, team_slug=TEAM, password=PASSWORD, wire=wire),
            MortalRooms(world.rooms, self.fate),
            partner=client_of(MortalHall(world, self.fate)),
        )
        hashes = self.shop.holds.store._scripts._hashes
        scripts |= {digest: name for name, digest in hashes.items()}
        self.shop.event_id = world.event_id
        return self

    async def run(self, work: Work[T]) -> T:
        """Raises DiedError when the process dies of it."""
        token = _OWNER.set(self)
        try:
            working = asyncio.ensure_future(work(self.shop))
            dying = asyncio.ensure_future(self.fate.died.wait())
        finally:
            _OWNER.reset(token)
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        if self.fate.died.is_set():
            await self.bury()
            raise DiedError(self.fate.where)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        return working.result()

    async def bury(self) -> None:
        """Break its connections and end its tasks; none of them gets to do anything more."""
        self.fate.buried = True
        for holder in self._pool._holders:
            holder.terminate()
        for _ in range(BURIALS_MAX):
            left = {task for task in self.tasks if not task.done()}
            if not left:
                break
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=0.2)
        left = {task for task in self.tasks if not task.done()}
        assert not left, f"{self.role} does not die: {left}"
        # With those that were being made in the last moment.
        self._pool.terminate()
        await self._redis.aclose()

    def forget(self, task: asyncio.Task[Any]) -> None:
        """A task has ended; how, was for whoever waited for it."""
        self.tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def stop(self) -> None:
        """Leave in good order, as far as the world is concerned: what still runs is dropped."""
        self.fate.died.set()
        await self.bury()


class World:
    def __init__(
        self, db: asyncpg.Pool, redis: Any, urls: tuple[str, str], clock: ManualClock, bank: Bank
    ) -> None:
        """`urls` of the database and of Redis, for the processes' own connections."""
        self.db, self.redis, self.clock, self.bank = db, redis, clock, bank
        self.db_url, self.redis_url = urls
        self.folder, self.rooms = bank.folder, FakeRooms()
        self.event_id = 0
        # What makes a hall of a partner's for each event, and the one that is sold now.
        self.make_partner: Callable[[], FakePartner] | None = None
        self.partner = FakePartner([])
        self.deaths: list[str] = []
        self._processes: dict[str, Process] = {}

    async def open(self) -> None:
        asyncio.get_running_loop().set_task_factory(_make_owned)
        for role in ROLES:
            self._processes[role] = await Process(self, role).start()

    async def close(self) -> None:
        for process in self._processes.values():
            await process.stop()
        self._processes.clear()
        asyncio.get_running_loop().set_task_factory(None)

    async def new_event(self, **columns: Any) -> None:
        """Another event to sell, so that one life finds nothing of another."""
        self.event_id = await build_event(self.db, starts_at=AHEAD, **columns)
        if self.make_partner is not None:
            self.partner = self.make_partner()
            await connect(self.db, self.clock, self.event_id, self.partner)
        for process in self._processes.values():
            process.shop.event_id = self.event_id

    def arm(self, role: str, at: int, *, after: bool) -> None:
        """From now on the process of this role is killed at its step number `at`."""
        self.deaths.clear()
        self._processes[role].fate.arm(at, after=after)

    def spare(self) -> None:
        """Nobody is to be killed any more."""
        for process in self._processes.values():
            process.fate.at = None

    async def as_(self, role: str, work: Work[T]) -> T:
        """Have a process do something. Raises DiedError; another stands ready then."""
        process = self._processes[role]
        try:
            return await process.run(work)
        except DiedError as death:
            self.deaths.append(str(death))
            self._processes[role] = await Process(self, role).start()
            raise

    async def beat(self) -> None:
        """One look of the worker and one of the ticker; who dies of it is replaced and looks."""
        await self.bank.wake()
        for role, work in (("worker", _drain), ("ticker", _tick)):
            try:
                await self.as_(role, work)
            except DiedError:
                await self.as_(role, work)

    async def rest(self) -> None:
        """Time passes until nothing is left to do."""
        for jump_s in JUMPS_S:
            await self.beat()
            if await self._is_quiet():
                return
            self.clock.advance(jump_s)
        await self.beat()

    async def _is_quiet(self) -> bool:
        """Nothing waits for its time: no notice, no order, no hold."""
        left = await self.db.fetchval(LEFT)
        return not left and not await self.redis.exists(f"holds:{{{self.event_id}}}")


async def _drain(shop: Shop) -> None:
    await shop.drain()


async def _tick(shop: Shop) -> None:
    await shop.holds.lapse(shop.clock.now())
    await shop.orders.close_abandoned()
    await shop.admissions.lapse()


def _make_owned(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    """Tasks know whose they are, so that a process dies with all of its own and no other's."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    owner = _OWNER.get()
    if owner is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.forget)
    return task
