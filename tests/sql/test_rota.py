"""Reconcilers by the clock: one process at a time, page by page, from where the last one died."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sales.reconcile.found import Difference, Page
from sales.reconcile.gateway import next_night
from sales.reconcile.items import ReviewItems
from sales.reconcile.kinds import ORDER_STUCK
from sales.reconcile.rota import LEASE, Duty, Rota


class Counting:
    """Three pages. Dies before page `dies_at`; finds `found` on the last one."""

    kinds = (ORDER_STUCK,)

    def __init__(self) -> None:
        self.pages: list[int] = []
        self.dies_at: int | None = None
        self.found: list[Difference] = []

    async def page(self, cursor: dict[str, Any]) -> Page:
        number = cursor.get("n", 0)
        if number == self.dies_at:
            raise OSError("killed")
        self.pages.append(number)
        if number == 2:
            return Page(None, 10, self.found)
        return Page({"n": number + 1}, 10)


@pytest.fixture
def check():
    return Counting()


@pytest.fixture
def rota(db, clock, check):
    return member(db, clock, check, "one")


def member(db, clock, check, name: str) -> Rota:
    duty = Duty(check, lambda now: now + timedelta(minutes=1))
    return Rota(db, clock, ReviewItems(db, clock), {"it": duty}, name)


async def test_it_runs_when_it_is_due_and_not_before(rota, check, clock, db):
    assert await rota.step("it") == 30
    assert await rota.step("it") == 0
    clock.advance(59)
    assert await rota.step("it") == 0
    clock.advance(1)
    assert await rota.step("it") == 30
    assert check.pages == [0, 1, 2] * 2
    [run] = await rota.items.runs()
    assert (run.finished_at, run.under_way, run.looked_at) == (clock.now(), False, 30)


async def test_another_goes_on_where_one_died_once_its_lease_is_over(rota, check, clock, db):
    check.dies_at = 2
    with pytest.raises(OSError, match="killed"):
        await rota.step("it")
    check.dies_at = None
    other = member(db, clock, check, "two")
    assert await other.step("it") == 0
    clock.advance(LEASE.total_seconds())
    assert await other.step("it") == 10
    assert check.pages == [0, 1, 2]


async def test_who_lost_the_lease_stops(rota, check, clock, db):
    other = member(db, clock, check, "two")
    ordinary: Callable[[dict[str, Any]], Awaitable[Page]] = check.page

    async def slow(cursor: dict[str, Any]) -> Page:
        if not check.pages:
            clock.advance(LEASE.total_seconds())
            check.pages.append(-1)
            await other.step("it")
        return await ordinary(cursor)

    check.page = slow
    assert await rota.step("it") == 10
    assert check.pages == [-1, 0, 1, 2, 0]


async def test_a_run_that_finds_nothing_closes_what_an_earlier_one_found(rota, check, clock):
    check.found = [Difference(ORDER_STUCK, "order:1")]
    await rota.step("it")
    assert len(await rota.items.page()) == 1
    clock.advance(60)
    await rota.step("it")
    assert len(await rota.items.page()) == 1
    check.found = []
    clock.advance(60)
    await rota.step("it")
    assert await rota.items.page() == []


async def test_by_hand_it_runs_at_once_and_tells_what_it_did(rota, check, clock):
    check.found = [Difference(ORDER_STUCK, "order:1")]
    totals = await rota.run_now("it")
    assert (totals.looked_at, totals.found, totals.fresh, totals.vanished) == (30, 1, 1, 0)
    check.found = []
    clock.advance(1)
    assert (await rota.run_now("it")).vanished == 1


def test_the_night_is_the_halls_night():
    # 03:30 in Almaty is 22:30 UTC of the day before.
    evening = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
    assert next_night(evening).astimezone(UTC) == datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    after = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    assert next_night(after).astimezone(UTC) == datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
