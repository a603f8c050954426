"""Worker, relay and ticker as they run: real RQ, real NOTIFY, and stores that go away."""

import asyncio
from random import Random

import asyncpg
import pytest
from redis import Redis as SyncRedis

from kernel.clock import SystemClock
from kernel.db import GONE
from sales.outbox import Draft, Notice, stage
from sales.outbox_draining import Outbox
from workers import worker
from workers.doorbell import RINGS_MAX, Doorbell
from workers.relay import Relay
from workers.ticker import BEATING, Piece, Ticker

# For a busy machine: how soon a notice is told is no matter of this file.
TOLD_WITHIN_S = 60


class Told:
    def __init__(self) -> None:
        self.subjects: list[int] = []
        self.came = asyncio.Condition()

    async def __call__(self, notice: Notice) -> None:
        async with self.came:
            self.subjects.append(notice.subject_id)
            self.came.notify_all()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(TOLD_WITHIN_S), self.came:
            await self.came.wait_for(lambda: len(self.subjects) >= count)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def outbox(db, told):
    return Outbox(db, SystemClock(), {"order.paid": told}, Random(1))


@pytest.fixture
def jobs(redis_shop, shop_engine):
    client = SyncRedis.from_url(shop_engine.url)
    yield client
    client.close()


@pytest.fixture
async def stop():
    """Set at the end also of a test that failed, or the worker's thread would never end."""
    event = asyncio.Event()
    yield event
    event.set()


async def put(db: asyncpg.Pool, *subjects: int) -> None:
    async with db.acquire() as conn, conn.transaction():
        now = SystemClock().now()
        await stage(conn, now, [Draft("order.paid", subject) for subject in subjects])


async def put_once_heard(db: asyncpg.Pool, *subjects: int) -> None:
    """As `put`, by whichever connection of the pool still lives."""
    async with asyncio.timeout(TOLD_WITHIN_S):
        while True:
            try:
                return await put(db, *subjects)
            except GONE:
                await asyncio.sleep(0.05)


async def wait_until(check, within_s=TOLD_WITHIN_S):
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(check):
            await asyncio.sleep(0.02)


async def test_a_committed_notice_is_told_without_waiting_for_a_poll(
    db, db_url, outbox, jobs, told, stop, monkeypatch
):
    monkeypatch.setattr("workers.relay.POLL_S", 3600)
    beats: set[str] = set()
    running = [
        asyncio.create_task(worker.run(outbox, jobs, stop, beats.add)),
        asyncio.create_task(Relay(db_url, outbox, Doorbell(jobs), beats.add).run(stop)),
    ]
    await put(db, 1)
    await told.wait_for(1)
    await put(db, *range(2, 52))
    await told.wait_for(51)
    assert beats == {"doorbells", "database", "relay"}
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 10)
    assert sorted(told.subjects) == list(range(1, 52))


async def test_a_stop_finishes_the_piece_in_hand(db, jobs, stop):
    begun, finished = asyncio.Event(), []

    async def slow(notice: Notice) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        finished.append(notice.subject_id)

    outbox = Outbox(db, SystemClock(), {"order.paid": slow}, Random(1))
    running = asyncio.create_task(worker.run(outbox, jobs, stop))
    await put(db, 1)
    await asyncio.to_thread(Doorbell(jobs).ring)
    await asyncio.wait_for(begun.wait(), TOLD_WITHIN_S)
    stop.set()
    await asyncio.wait_for(running, TOLD_WITHIN_S)
    assert finished == [1]
    assert await db.fetchval("SELECT count(*) FROM notice") == 0


async def test_bells_do_not_pile_up_while_nobody_hears_them(db, outbox, jobs, db_url):
    doorbell = Doorbell(jobs)
    relay = Relay(db_url, outbox, doorbell)
    assert not await relay.relay_once()
    await put(db, 1)
    rung = [await relay.relay_once() for _ in range(5)]
    assert rung == [True] * RINGS_MAX + [False] * (5 - RINGS_MAX)
    assert doorbell.queue.count == RINGS_MAX


async def test_bells_lost_by_redis_are_rung_again(db, db_url, outbox, jobs, told, stop):
    await put(db, 1)
    relay = asyncio.create_task(Relay(db_url, outbox, Doorbell(jobs)).run(stop))
    await wait_until(lambda: Doorbell(jobs).queue.count)
    await asyncio.to_thread(jobs.flushall)
    running = asyncio.create_task(worker.run(outbox, jobs, stop))
    await told.wait_for(1)
    stop.set()
    await asyncio.wait_for(asyncio.gather(relay, running), 10)


async def test_the_relay_outlives_a_lost_connection_to_postgresql(
    db, db_url, outbox, jobs, told, stop
):
    running = [
        asyncio.create_task(worker.run(outbox, jobs, stop)),
        asyncio.create_task(Relay(db_url, outbox, Doorbell(jobs)).run(stop)),
    ]
    await put(db, 1)
    await told.wait_for(1)
    await db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await put_once_heard(db, 2)
    await told.wait_for(2)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 15)


async def test_the_worker_outlives_a_redis_that_drops_its_connections(
    db, db_url, outbox, jobs, told, stop
):
    running = [
        asyncio.create_task(worker.run(outbox, jobs, stop)),
        asyncio.create_task(Relay(db_url, outbox, Doorbell(jobs)).run(stop)),
    ]
    await put(db, 1)
    await told.wait_for(1)
    await asyncio.to_thread(jobs.execute_command, "CLIENT", "KILL", "TYPE", "normal")
    await put(db, 2)
    await told.wait_for(2)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 15)


async def test_one_piece_that_fails_does_not_stop_the_others(stop):
    done: list[str] = []

    async def tick() -> int:
        done.append("rooms")
        return 1

    async def fail() -> int:
        done.append("holds")
        raise OSError("away")

    given = [Piece("rooms", 0.01, tick, is_quiet=True), Piece("holds", 0.01, fail)]
    beats: list[str] = []
    ticker = Ticker(given, beats.append)
    assert await ticker.tick_once() == {"rooms": True, "holds": False}
    running = asyncio.create_task(ticker.run(stop))
    while done.count("rooms") < 5:
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert done.count("holds") <= 2
    assert set(beats) == {"rooms"}
    assert "rooms" in BEATING
