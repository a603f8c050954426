"""How much of an outside service this process may use: calls a second, and calls at once.

Who must wait stands in one line. Urgent kinds get a head start of some seconds in it, so that
taking money and giving it back go before looking; nobody is overtaken for longer than that.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

# Calls that may be made at once after a quiet moment, in seconds of the rate.
BURST_S: Final = 0.25
WAITING_MAX: Final = 2_000
WAIT_MAX_S: Final = 5.0
# Back after this when there was no place: the line above is as long as that at least.
AGAIN_S: Final = 2.0


class BudgetOverError(Exception):
    """No leave to call in time. Nothing was sent."""


class Budget:
    def __init__(
        self,
        *,
        rate_per_s: float,
        at_once: int,
        behind_s: Mapping[str, float],
        wait_max_s: float = WAIT_MAX_S,
    ) -> None:
        """`behind_s`: by kind, behind how many seconds of urgent calls it may stand."""
        self._rate, self._at_once, self._behind_s = rate_per_s, at_once, behind_s
        self._wait_max_s = wait_max_s
        self._burst = max(1.0, rate_per_s * BURST_S)
        self._tokens = self._burst
        self._filled_at: float | None = None
        self._line: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._alarm: asyncio.TimerHandle | None = None
        self.in_flight = 0

    @property
    def waiting(self) -> int:
        return sum(1 for _, _, place in self._line if not place.done())

    @asynccontextmanager
    async def place(self, kind: str) -> AsyncIterator[None]:
        """One call's place, from its turn to its end. Raises BudgetOverError."""
        await self._turn(kind)
        try:
            yield
        finally:
            self.in_flight -= 1
            self._call_next()

    async def _turn(self, kind: str) -> None:
        if len(self._line) >= WAITING_MAX:
            raise BudgetOverError
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        due = loop.time() + self._behind_s[kind]
        heapq.heappush(self._line, (due, next(self._numbers), place))
        self._call_next()
        if place.done():
            return
        try:
            async with asyncio.timeout(self._wait_max_s):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():  # its turn came in the same moment
                self.in_flight -= 1
                self._call_next()
            if isinstance(error, TimeoutError):
                raise BudgetOverError from error
            raise

    def _call_next(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled_at is not None:
            fresh = (now - self._filled_at) * self._rate
            self._tokens = min(self._burst, self._tokens + fresh)
        self._filled_at = now
        while self._line and self.in_flight < self._at_once:
            if self._line[0][2].done():  # gave up waiting
                heapq.heappop(self._line)
                continue
            if self._tokens < 1:
                self._call_later()
                return
            self._tokens -= 1
            self.in_flight += 1
            heapq.heappop(self._line)[2].set_result(None)

    def _call_later(self) -> None:
        if self._alarm is None:
            pause_s = (1 - self._tokens) / self._rate
            self._alarm = asyncio.get_running_loop().call_later(pause_s, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._call_next()
