"""Calls that travel together: who shares a flight, and what becomes of the others if it fails."""

import asyncio
from collections.abc import Sequence

import pytest

from kernel import convoy as convoys
from kernel.convoy import Convoy

# A flight with this aboard fails.
LOST = 13


class Road:
    """Answers with the double of each item; every departure waits until it is let go."""

    def __init__(self) -> None:
        self.flights: list[list[int]] = []
        self._open = asyncio.Event()

    async def send(self, items: list[int]) -> Sequence[int | BaseException]:
        self.flights.append(items)
        await self._open.wait()
        if LOST in items:
            raise OSError("gone")
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]

    def let_go(self) -> None:
        self._open.set()


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_those_who_ask_in_one_turn_travel_together_and_later_ones_in_the_next_flight():
    road = Road()
    convoy = Convoy(road.send, size_max=10)
    first = [convoy.ask(item) for item in (1, 2, 3)]
    await turns()
    later = [convoy.ask(item) for item in (4, 5)]
    await turns()
    assert road.flights == [[1, 2, 3]]
    road.let_go()
    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8, 10]
    assert road.flights == [[1, 2, 3], [4, 5]]


async def test_a_flight_carries_no_more_than_it_may_and_the_order_is_kept():
    road = Road()
    road.let_go()
    convoy = Convoy(road.send, size_max=2)
    assert await asyncio.gather(*(convoy.ask(item) for item in range(5))) == [0, 2, 4, 6, 8]
    assert road.flights == [[0, 1], [2, 3], [4]]


async def test_several_flights_may_be_in_the_air():
    road = Road()
    convoy = Convoy(road.send, size_max=1, flights_max=2)
    asked = [convoy.ask(item) for item in (1, 2, 3)]
    await turns()
    assert road.flights == [[1], [2]]
    road.let_go()
    assert await asyncio.gather(*asked) == [2, 4, 6]


async def test_an_answer_that_is_an_error_is_its_askers_alone():
    road = Road()
    road.let_go()
    convoy = Convoy(road.send, size_max=10)
    good, bad = convoy.ask(1), convoy.ask(-1)
    assert await good == 2
    with pytest.raises(ValueError, match="-1"):
        await bad


async def test_whoever_was_not_sent_yet_leaves_after_a_flight_that_failed_at_once():
    road = Road()
    convoy = Convoy(road.send, size_max=1)
    lost, waiting = [convoy.ask(item) for item in (LOST, 2)]
    await turns()
    road.let_go()
    with pytest.raises(OSError, match="gone"):
        await lost
    assert await waiting == 4
    assert road.flights == [[LOST], [2]]


async def test_whoever_waited_long_behind_a_flight_that_failed_does_not_wait_again(monkeypatch):
    monkeypatch.setattr(convoys, "QUICK_S", 0.0)
    road = Road()
    convoy = Convoy(road.send, size_max=1)
    asked = [convoy.ask(item) for item in (LOST, 2)]
    await turns()
    road.let_go()
    for one in asked:
        with pytest.raises(OSError, match="gone"):
            await one
    assert road.flights == [[LOST]]
    assert await convoy.ask(3) == 6


async def test_with_several_flights_only_the_failed_one_fails():
    road = Road()
    convoy = Convoy(road.send, size_max=1, flights_max=2)
    lost, *others = [convoy.ask(item) for item in (LOST, 2, 3)]
    await turns()
    road.let_go()
    with pytest.raises(OSError, match="gone"):
        await lost
    assert await asyncio.gather(*others) == [4, 6]


async def test_whoever_gives_up_is_not_sent_and_harms_nobody():
    road = Road()
    convoy = Convoy(road.send, size_max=10)
    sent = convoy.ask(1)
    await turns()
    waiting, other = convoy.ask(2), convoy.ask(3)
    sent.cancel()
    waiting.cancel()
    road.let_go()
    assert await other == 6
    assert road.flights == [[1], [3]]
