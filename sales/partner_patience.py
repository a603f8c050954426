"""Calls of a partner that its buyer does not wait for to the end.

A call is never cut off by who waits: it goes on behind him, its breaker hears how it ended, and
what it brought may still be had. Creating an order harms nobody, so it is said again meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from sales.gateway import Unknown
from sales.partner import PartnerOrder
from sales.partner_api import Done, No
from sales.partner_careful import Partner

# Ten times as long as a partner usually takes.
PATIENCE_S: Final = 0.7
SLOW: Final = Unknown("no answer yet")
T = TypeVar("T")


class Patience:
    def __init__(self) -> None:
        # Nobody else remembers what goes on.
        self._going_on: set[asyncio.Task[Any]] = set()

    def begin(self, call: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(call)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return task

    async def within(self, call: Coroutine[Any, Any, T]) -> T | Unknown:
        """Its answer; SLOW: not yet."""
        return await self.await_awhile(self.begin(call))

    async def await_awhile(self, task: "asyncio.Task[T]") -> T | Unknown:
        await asyncio.wait({task}, timeout=PATIENCE_S)
        return task.result() if task.done() else SLOW

    async def first(
        self, call: Callable[[], Coroutine[Any, Any, T | Unknown]], tries: int
    ) -> T | Unknown:
        """The first answer of several calls, each begun when the one before takes too long, or has
        come to nothing.
        """
        begun: set[asyncio.Task[T | Unknown]] = set()
        answer: T | Unknown = SLOW
        for left in range(tries, -1, -1):
            if left:
                begun.add(self.begin(call()))
            while begun:
                ended, begun = await asyncio.wait(
                    begun, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in ended:
                    answer = task.result()
                    if not isinstance(answer, Unknown) or answer.wait_s > 0:
                        return answer
                if left or not ended:
                    break
        return answer


class Selects:
    """A seat's `select`, said as often as it takes."""

    def __init__(self, patience: Patience, partner: Partner, asked: PartnerOrder) -> None:
        self._patience, self._partner, self._asked = patience, partner, asked
        self._said: list[asyncio.Task[Done | No | Unknown]] = []

    async def say(self) -> Done | No | Unknown:
        select = self._partner.select(self._asked.place_id, self._asked.provider_order)
        self._said.append(self._patience.begin(select))
        return await self._patience.await_awhile(self._said[-1])

    def is_answered_yes(self) -> bool:
        """Also to one that nobody waited for any more."""
        return any(task.done() and isinstance(task.result(), Done) for task in self._said)
