"""The budget: so many calls a second and at once; money goes first, nobody waits for ever."""

import asyncio
from typing import Any

import pytest

from sales.budget import WAITING_MAX, Budget, BudgetOverError

BEHIND_S = {"urgent": 0.0, "lazy": 3.0}


def budget(**limits: Any):
    limits = {"rate_per_s": 1e6, "at_once": 1, "behind_s": BEHIND_S, **limits}
    return Budget(**limits)


class Crowd:
    """Callers of a budget, and in which order they had their turn."""

    def __init__(self, given):
        self.budget = given
        self.turns = []
        self.go = asyncio.Event()
        self.tasks = []

    async def call(self, name, kind):
        async with self.budget.place(kind):
            self.turns.append(name)
            await self.go.wait()

    async def come(self, *names, kind):
        for name in names:
            self.tasks.append(asyncio.create_task(self.call(name, kind)))
        await asyncio.sleep(0)

    async def end(self):
        self.go.set()
        await asyncio.gather(*self.tasks)


async def test_no_more_at_once_than_allowed():
    crowd = Crowd(budget(at_once=3))
    await crowd.come(*range(10), kind="urgent")
    assert (crowd.turns, crowd.budget.in_flight, crowd.budget.waiting) == ([0, 1, 2], 3, 7)
    await crowd.end()
    assert (crowd.turns, crowd.budget.in_flight) == (list(range(10)), 0)


async def test_money_goes_before_looking():
    crowd = Crowd(budget())
    await crowd.come("first", kind="lazy")
    await crowd.come("look", "look too", kind="lazy")
    await crowd.come("take", kind="urgent")
    await crowd.end()
    assert crowd.turns == ["first", "take", "look", "look too"]


async def test_who_has_waited_long_is_not_overtaken_any_more():
    crowd = Crowd(budget(behind_s={"urgent": 0.0, "lazy": 0.02}))
    await crowd.come("first", kind="urgent")
    await crowd.come("look", kind="lazy")
    await asyncio.sleep(0.03)
    await crowd.come("take", kind="urgent")
    await crowd.end()
    assert crowd.turns == ["first", "look", "take"]


async def test_calls_a_second():
    given = budget(rate_per_s=200, at_once=1000)
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def call():
        async with given.place("urgent"):
            return loop.time() - began

    # Fifty at once after a quiet moment, then one every 5 ms.
    turns = await asyncio.gather(*(call() for _ in range(70)))
    assert turns[49] < 0.05
    assert turns[69] >= 0.099


async def test_who_waits_too_long_is_told_and_leaves_no_trace():
    crowd = Crowd(budget(wait_max_s=0.02))
    await crowd.come("first", kind="urgent")
    with pytest.raises(BudgetOverError):
        await crowd.call("second", "urgent")
    assert crowd.budget.waiting == 0
    await crowd.end()
    await crowd.call("third", "urgent")
    assert crowd.turns == ["first", "third"]
    assert crowd.budget.in_flight == 0


async def test_who_is_called_off_gives_back_what_was_his():
    crowd = Crowd(budget())
    await crowd.come("first", "second", "third", kind="urgent")
    crowd.tasks[1].cancel()
    await asyncio.sleep(0)
    crowd.go.set()
    await asyncio.gather(*crowd.tasks, return_exceptions=True)
    assert crowd.turns == ["first", "third"]
    assert crowd.budget.in_flight == 0


async def test_a_turn_that_comes_to_somebody_called_off_in_the_same_moment_is_not_lost():
    given = budget()
    crowd = Crowd(given)
    await crowd.come("first", "second", kind="urgent")
    given._at_once = 2
    given._call_next()
    crowd.tasks[1].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (crowd.turns, given.in_flight) == (["first"], 1)
    await crowd.come("third", kind="urgent")
    crowd.go.set()
    await asyncio.gather(*crowd.tasks, return_exceptions=True)
    assert (crowd.turns, given.in_flight) == (["first", "third"], 0)


async def test_the_line_has_an_end():
    crowd = Crowd(budget())
    await crowd.come(*range(WAITING_MAX + 1), kind="urgent")
    with pytest.raises(BudgetOverError):
        await crowd.call("too many", "urgent")
    await crowd.end()
