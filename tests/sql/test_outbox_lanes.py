"""Lanes of the outbox: what is slow or away in one leaves the others alone."""

import asyncio
from datetime import timedelta
from random import Random
from unittest.mock import Mock

import pytest

from sales.outbox import LANE_OF, LANES, MONEY, SEATS, TAKEN_S, Draft, Lane, Notice
from sales.outbox_backlog import DUE, OLDEST, PARKED, Backlog
from sales.outbox_draining import FAILURES_MAX, Outbox
from tests.sql.test_outbox import Told, put
from workers.handlers import Handlers


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def outbox(db, clock, told):
    return Outbox(db, clock, {"order.paid": told}, Random(1))


async def test_a_lane_full_of_hanging_calls_leaves_the_others_alone(db, clock, told):
    release = asyncio.Event()

    async def gateway(_: Notice) -> None:
        await release.wait()

    await put(db, clock, *(Draft("payment.settle", n) for n in range(200)))
    outbox = Outbox(db, clock, {"payment.settle": gateway, "order.paid": told}, Random(1))
    draining = asyncio.create_task(outbox.drain())
    await asyncio.sleep(0)
    await put(db, clock, *(Draft("order.paid", n) for n in range(50)))
    async with asyncio.timeout(5):
        while len(told.notices) < 50:
            await asyncio.sleep(0.01)
    waiting = await db.fetchval("SELECT count(*) FROM notice WHERE due_at <= $1", clock.now())
    assert waiting == 200 - LANES[MONEY].concurrency
    release.set()
    assert await draining == 250


async def test_who_ends_while_others_are_taken_leaves_room_for_the_next(db, clock, monkeypatch):
    release, told = asyncio.Event(), []

    async def handle(notice: Notice) -> None:
        told.append(notice.subject_id)
        await release.wait()

    lanes = {SEATS: Lane(1, 10), MONEY: Lane(1, 10)}
    outbox = Outbox(db, clock, {"order.paid": handle}, Random(1), lanes)
    await put(db, clock, Draft("order.paid", 1), Draft("order.paid", 2))
    fetch = db.fetch

    async def late(*given, **named):
        """The lane of money is asked for with that of seats full; meanwhile its one is done."""
        if told:
            release.set()
            while outbox._running:
                await asyncio.sleep(0.01)
        return await fetch(*given, **named)

    monkeypatch.setattr(db, "fetch", late)
    assert await outbox.drain() == 2
    assert told == [1, 2]


async def test_a_drain_hands_back_in_time_and_what_is_in_hand_goes_on(db, clock, told):
    release = asyncio.Event()

    async def gateway(_: Notice) -> None:
        await release.wait()

    await put(db, clock, Draft("payment.settle", 1))
    outbox = Outbox(db, clock, {"payment.settle": gateway, "order.paid": told}, Random(1))
    assert await outbox.drain(for_s=0) == 1
    await put(db, clock, Draft("order.paid", 2))
    assert await outbox.drain(for_s=0) == 1
    assert told.subjects == [2]
    release.set()
    await outbox.finish()
    assert await db.fetchval("SELECT count(*) FROM notice") == 0


async def test_with_its_store_away_a_lane_tries_the_ground_with_one(db, clock, outbox, told):
    told.then = ConnectionError("Redis is away")
    await put(db, clock, *(Draft("order.paid", n) for n in range(100)))
    await outbox.drain()
    first = len(told.notices)
    assert first <= LANES[SEATS].concurrency
    for _ in range(20):
        clock.advance(6)
        await outbox.drain()
    assert len(told.notices) == first + 20
    told.then = None
    clock.advance(6)
    await outbox.drain()
    clock.advance(6)
    await outbox.drain()
    assert await db.fetchval("SELECT count(*) FROM notice") == 0


async def test_a_notice_whose_takers_all_died_is_set_aside_unread(db, clock, outbox, told):
    """Poison that kills its worker never gets as far as failing."""
    await put(db, clock, Draft("order.paid", 5))
    for _ in range(FAILURES_MAX):
        assert len(await outbox._take()) == 1
        clock.advance(TAKEN_S)
    assert await outbox.drain() == 1
    assert told.notices == []
    assert "no taker came back" in await db.fetchval("SELECT last_error FROM notice")


async def test_what_is_in_hand_for_long_is_nobody_elses(db, clock, told, monkeypatch):
    monkeypatch.setattr("sales.outbox_keeping.AGAIN_S", 0.005)
    release, said = asyncio.Event(), "SELECT due_at FROM notice"

    async def gateway(_: Notice) -> None:
        await release.wait()

    await put(db, clock, Draft("payment.settle", 1))
    outbox = Outbox(db, clock, {"payment.settle": gateway}, Random(1))
    draining = asyncio.create_task(outbox.drain())
    async with asyncio.timeout(5):
        for _ in range(3):
            clock.advance(TAKEN_S - 1)
            while await db.fetchval(said) != clock.now() + timedelta(seconds=TAKEN_S):
                await asyncio.sleep(0.005)
    assert await Outbox(db, clock, {}, Random(2))._take() == []
    release.set()
    assert await draining == 1
    assert await db.fetchval("SELECT count(*) FROM notice") == 0


async def test_what_was_put_off_or_taken_by_another_is_not_kept(db, clock, outbox):
    await put(db, clock, Draft("order.paid", 1), Draft("order.paid", 2))
    taken = await outbox._take()
    clock.advance(TAKEN_S)
    [first, *_] = await Outbox(db, clock, {}, Random(2), {SEATS: Lane(1, 10)})._take()
    clock.advance(1)
    await outbox._keeping.keep()
    kept = {row["id"]: row["due_at"] for row in await db.fetch("SELECT id, due_at FROM notice")}
    [second] = {notice.id for notice in taken} - {first.id}
    assert kept[second] == clock.now() + timedelta(seconds=TAKEN_S)
    assert kept[first.id] == clock.now() + timedelta(seconds=TAKEN_S - 1)


async def test_a_handler_that_hangs_has_failed(db, clock, told):
    async def hang(_: Notice) -> None:
        await asyncio.sleep(60)

    lanes = {SEATS: Lane(4, 0)}
    await put(db, clock, Draft("order.paid", 5))
    await Outbox(db, clock, {"order.paid": hang}, Random(1), lanes).drain()
    row = await db.fetchrow("SELECT attempts, last_error FROM notice")
    assert row["attempts"] == 1
    assert "not done within" in row["last_error"]


async def test_the_backlog_is_told_lane_by_lane(db, clock, outbox, told):
    backlog = Backlog(db, clock)
    assert await backlog.measure() == 0
    await put(db, clock, Draft("payment.settle", 1), Draft("payment.settle", 2))
    await put(db, clock, Draft("admission.ended", 3, due_at=clock.now() + timedelta(days=1)))
    clock.advance(7)
    await put(db, clock, Draft("order.paid", 4))
    await db.execute("UPDATE notice SET parked_at = now() WHERE subject_id = 1")
    assert await backlog.measure() == 7
    told_now = {
        name: tuple(metric.labels(name)._value.get() for metric in (DUE, OLDEST, PARKED))
        for name in LANES
    }
    quiet = (0, 0, 0)
    assert told_now == {"money": (1, 7, 1), "seats": (1, 0, 0), "partners": quiet, "rest": quiet}
    assert await outbox.is_due(late_s=7)
    assert not await outbox.is_due(late_s=7.1)


def test_every_kind_of_notice_has_a_lane_and_a_handler():
    handled = Handlers.by_kind(Mock())
    assert set(handled) == set(LANE_OF)
    assert set(LANE_OF.values()) <= set(LANES)
