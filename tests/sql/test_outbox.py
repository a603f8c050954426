"""The outbox on real PostgreSQL: told at least once, never lost, poison set aside."""

import asyncio
from datetime import timedelta
from random import Random

import asyncpg
import pytest

from kernel.clock import ManualClock
from kernel.errors import TryAgain
from sales.outbox import (
    CHANNEL,
    SEATS,
    TAKEN_S,
    Again,
    Draft,
    Lane,
    Notice,
    TemporaryError,
    stage,
    stage_once,
)
from sales.outbox_draining import BACKOFF_MAX_S, FAILURES_MAX, Outbox


class Told:
    """A handler that remembers, and does what `then` says."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.then: object = None

    async def __call__(self, notice: Notice) -> Again | None:
        self.notices.append(notice)
        if isinstance(self.then, Exception):
            raise self.then
        return self.then if isinstance(self.then, Again) else None

    @property
    def subjects(self) -> list[int]:
        return [notice.subject_id for notice in self.notices]


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def outbox(db, clock, told):
    return Outbox(db, clock, {"order.paid": told}, Random(1))


def one_lane(db, clock, handler, concurrency: int) -> Outbox:
    return Outbox(db, clock, {"order.paid": handler}, Random(1), {SEATS: Lane(concurrency, 10)})


async def put(db: asyncpg.Pool, clock: ManualClock, *drafts: Draft) -> None:
    async with db.acquire() as conn, conn.transaction():
        await stage(conn, clock.now(), drafts)


async def test_a_staged_notice_is_told_once_with_its_payload(db, clock, outbox, told):
    await put(db, clock, Draft("order.paid", 5, {"seats": [1, 2], "who": "Бек"}))
    assert await outbox.is_due()
    assert await outbox.drain() == 1
    assert (told.subjects, told.notices[0].payload) == ([5], {"seats": [1, 2], "who": "Бек"})
    assert not await outbox.is_due()
    assert await outbox.drain() == 0


async def test_what_is_rolled_back_was_never_staged(db, clock, outbox, told):
    async with db.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await stage(conn, clock.now(), [Draft("order.paid", 5)])
        await transaction.rollback()
    assert await outbox.drain() == 0


async def test_a_later_notice_waits_for_its_moment(db, clock, outbox, told):
    await put(db, clock, Draft("order.paid", 5, due_at=clock.now() + timedelta(seconds=60)))
    clock.advance(59)
    assert await outbox.drain() == 0
    clock.advance(1)
    assert await outbox.drain() == 1


async def test_only_a_notice_that_is_due_rings_the_bell(db, db_url, clock):
    heard = asyncio.Event()
    listener = await asyncpg.connect(db_url)
    await listener.add_listener(CHANNEL, lambda *_: heard.set())
    await put(db, clock, Draft("order.paid", 1, due_at=clock.now() + timedelta(seconds=60)))
    await listener.fetchval("SELECT 1")
    assert not heard.is_set()
    await put(db, clock, Draft("order.paid", 2))
    await asyncio.wait_for(heard.wait(), 5)
    await listener.close()


async def test_two_workers_never_take_the_same_notice(db, clock, told):
    await put(db, clock, *(Draft("order.paid", n) for n in range(200)))
    workers = [one_lane(db, clock, told, 7) for _ in range(3)]
    counts = await asyncio.gather(*(worker.drain() for worker in workers))
    assert sum(counts) == 200
    assert sorted(told.subjects) == list(range(200))


async def test_handlers_run_side_by_side_within_the_bound(db, clock):
    running, most = 0, 0

    async def slow(_: Notice) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    await put(db, clock, *(Draft("order.paid", n) for n in range(12)))
    assert await one_lane(db, clock, slow, 4).drain() == 12
    assert most == 4


async def test_a_slow_notice_does_not_hold_up_those_that_come_after(db, clock):
    release, told = asyncio.Event(), []

    async def handle(notice: Notice) -> None:
        told.append(notice.subject_id)
        if notice.subject_id == 1:
            await release.wait()
        else:
            release.set()

    outbox = Outbox(db, clock, {"order.paid": handle}, Random(1))
    await put(db, clock, Draft("order.paid", 1))
    draining = asyncio.create_task(outbox.drain())
    while not told:
        await asyncio.sleep(0.01)
    await put(db, clock, Draft("order.paid", 2))
    assert await asyncio.wait_for(draining, 5) == 2


async def test_a_handler_may_want_to_look_again_without_that_being_a_failure(
    db, clock, outbox, told
):
    told.then = Again(30)
    await put(db, clock, Draft("order.paid", 5))
    for _ in range(FAILURES_MAX + 3):
        assert await outbox.drain() == 1
        clock.advance(30)
    told.then = None
    assert await outbox.drain() == 1
    assert await db.fetchval("SELECT count(*) FROM notice") == 0


async def test_a_failure_is_tried_again_ever_later_and_at_last_set_aside(db, clock, outbox, told):
    told.then = ZeroDivisionError("poison")
    await put(db, clock, *(Draft("order.paid", n) for n in range(10)))
    pauses = []
    for _ in range(FAILURES_MAX):
        assert await outbox.drain() == 10
        rows = await db.fetch("SELECT due_at FROM notice WHERE parked_at IS NULL")
        pauses.append([(row["due_at"] - clock.now()).total_seconds() for row in rows])
        clock.advance(BACKOFF_MAX_S)
    assert await outbox.drain() == 0
    # Full jitter: spread over the whole pause, which doubles up to its cap.
    assert len(set(pauses[0])) == 10
    assert max(pauses[0]) <= 0.5 < max(pauses[4]) <= 8
    assert BACKOFF_MAX_S / 2 < max(pauses[-2]) <= BACKOFF_MAX_S
    rows = await db.fetch("SELECT last_error, parked_at FROM notice")
    assert [row["last_error"] for row in rows] == ["ZeroDivisionError: poison"] * 10
    assert all(row["parked_at"] for row in rows)
    assert await db.fetchval("SELECT count(*) FROM audit WHERE action = 'notice.park'") == 10


@pytest.mark.parametrize("error", [TryAgain(), OSError("away"), TimeoutError()])
async def test_a_store_that_is_away_sets_nothing_aside(db, clock, outbox, told, error):
    told.then = error
    await put(db, clock, Draft("order.paid", 5))
    for _ in range(FAILURES_MAX * 3):
        await outbox.drain()
        clock.advance(120)
    told.then = None
    assert await outbox.drain() == 1


async def test_a_failure_of_the_temporary_kind_counts_too(db, clock, outbox, told):
    told.then = TemporaryError("not yet")
    await put(db, clock, Draft("order.paid", 5))
    for _ in range(FAILURES_MAX):
        await outbox.drain()
        clock.advance(120)
    assert await db.fetchval("SELECT parked_at FROM notice")


async def test_a_kind_nobody_handles_is_set_aside_at_once(db, clock, outbox):
    await put(db, clock, Draft("order.unheard-of", 5))
    await outbox.drain()
    assert "nobody handles" in await db.fetchval("SELECT last_error FROM notice")


async def test_a_taker_that_died_gives_its_notices_back(db, clock, outbox, told):
    await put(db, clock, Draft("order.paid", 5))
    assert len(await outbox._take()) == 1
    assert await outbox.drain() == 0
    clock.advance(TAKEN_S)
    assert await outbox.drain() == 1


async def test_a_stop_finishes_what_is_in_hand_and_takes_no_more(db, clock):
    stop, told = asyncio.Event(), []

    async def handle(notice: Notice) -> None:
        stop.set()
        await asyncio.sleep(0.01)
        told.append(notice.subject_id)

    await put(db, clock, *(Draft("order.paid", n) for n in range(10)))
    assert await one_lane(db, clock, handle, 2).drain(stop=stop) == 2
    assert len(told) == 2
    assert await db.fetchval("SELECT count(*) FROM notice") == 8


async def test_however_often_somebody_shouts_one_row_waits(db, clock, outbox, told):
    async def shout() -> None:
        async with db.acquire() as conn:
            await stage_once(conn, clock.now(), Draft("order.paid", 5, {"hint": "AUTHORIZED"}))

    for _ in range(50):
        await shout()
    assert await db.fetchval("SELECT count(*) FROM notice") == 1
    # Somebody looks this moment and may have looked too early: the next shout counts.
    await outbox._take()
    for _ in range(50):
        await shout()
    assert await db.fetchval("SELECT count(*) FROM notice") == 2


async def test_what_needs_no_look_any_more_is_forgotten_with_the_deed(db, clock):
    await put(db, clock, Draft("order.expire", 5), Draft("order.expire", 6), Draft("order.paid", 5))
    async with db.acquire() as conn, conn.transaction():
        await stage(conn, clock.now(), [], instead_of=[("order.expire", 5)])
    rows = await db.fetch("SELECT kind, subject_id FROM notice ORDER BY id")
    assert [tuple(row) for row in rows] == [("order.expire", 6), ("order.paid", 5)]
