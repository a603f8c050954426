"""Reads of one kind, gathered: what one turn of the event loop asks for is one query."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# Keys a query may carry; more go in the next one.
BATCH_MAX = 500


class Batch(Generic[K, V]):
    def __init__(self, fetch: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> None:
        """`fetch` answers what there is of these keys; its error goes to every asker."""
        self._fetch = fetch
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._flights: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """The value of this key, read after the question was put; None: there is none."""
        future = self._asked.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._asked[key] = loop.create_future()
            if len(self._asked) == 1:
                loop.call_soon(self._start)
        # One asker that gives up must not cancel the others' answer.
        return await asyncio.shield(future)

    def _start(self) -> None:
        asked, self._asked = list(self._asked.items()), {}
        for first in range(0, len(asked), BATCH_MAX):
            flight = asyncio.create_task(self._fly(dict(asked[first : first + BATCH_MAX])))
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    async def _fly(self, asked: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._fetch(list(asked))
        except asyncio.CancelledError:
            for future in asked.values():
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to the askers
            for future in asked.values():
                future.set_exception(error)
                # An asker may have gone; its error is then nobody's.
                future.exception()
            return
        for key, future in asked.items():
            future.set_result(found.get(key))
