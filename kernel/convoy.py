"""Calls that travel together: what is asked for while others are under way leaves as one.

A round trip costs a process far more than what it carries. With few askers each goes at once;
with many, those who come while a flight is in the air wait for it to land and share the next one,
so the cost of a flight is parted among ever more of them as the load grows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Asked = list[tuple[Item, asyncio.Future[Answer]]]
# A flight that failed within this time cost those behind it nothing: they leave with the next.
QUICK_S = 0.5


class Convoy(Generic[Item, Answer]):
    def __init__(
        self,
        send: Callable[[list[Item]], Awaitable[Sequence[Answer | BaseException]]],
        *,
        size_max: int,
        flights_max: int = 1,
        gather_s: float = 0.0,
    ) -> None:
        """`send` answers its items in their order; an answer that is an error is raised for its
        asker. What `send` raises is raised for all of that flight and, where there is one flight
        at a time and it took long to fail, for those who were waiting for it to land: none waits
        for long twice, and none fails for a call that was never sent unless it had to wait.
        `gather_s`: how long the first to ask waits for others, where nobody waits for him.
        """
        self._send = send
        self._size_max, self._flights_max, self._gather_s = size_max, flights_max, gather_s
        self._waiting: Asked[Item, Answer] = []
        self._flying = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, item: Item) -> "asyncio.Future[Answer]":
        """The answer, to be awaited. Whoever gives up before the departure isn't sent at all."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._waiting) == 1:
            self._plan(self._gather_s)
        return future

    def _plan(self, gather_s: float = 0.0) -> None:
        if not self._waiting or self._flying >= self._flights_max:
            return
        loop = asyncio.get_running_loop()
        if gather_s:
            loop.call_later(gather_s, self._depart)
        else:
            # Not at once: others ask in the same turn of the loop.
            loop.call_soon(self._depart)

    def _depart(self) -> None:
        while self._waiting and self._flying < self._flights_max:
            asked, self._waiting = self._waiting[: self._size_max], self._waiting[self._size_max :]
            asked = [one for one in asked if not one[1].done()]
            if asked:
                self._flying += 1
                flight = asyncio.get_running_loop().create_task(self._fly(asked))
                self._tasks.add(flight)
                flight.add_done_callback(self._tasks.discard)

    async def _fly(self, asked: Asked[Item, Answer]) -> None:
        answers: Sequence[Answer | BaseException]
        clock = asyncio.get_running_loop().time
        left_s = clock()
        try:
            answers = await self._send([item for item, _ in asked])
        except asyncio.CancelledError:
            for _, future in asked:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to the askers
            if self._flights_max == 1 and clock() - left_s > QUICK_S:
                asked, self._waiting = asked + self._waiting, []
            answers = [error] * len(asked)
        finally:
            self._flying -= 1
        # The next leave first: they travel while these are answered.
        self._plan()
        for (_, future), answer in zip(asked, answers, strict=True):
            if future.done():  # its asker gave up waiting
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
