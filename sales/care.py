"""Calls of an outside service, made with care: within this process's budget, and not at all while
the service is silent. A call that is not made answers Unknown with `wait_s`: when to come again.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from prometheus_client import Counter, Histogram

from sales.breaker import Breaker
from sales.budget import AGAIN_S, Budget, BudgetOverError
from sales.gateway import Unknown

log = structlog.get_logger()
T = TypeVar("T")
Seconds = Callable[[], float]


class Care:
    """`who` for the log. `called` counts by call and what came of it, in the word of `word`;
    `took` is the time from a call to its answer, waiting for a place not counted.
    """

    def __init__(
        self,
        who: dict[str, str],
        budget: Budget,
        *,
        called: Counter,
        took: Histogram,
        word: Callable[[object], str],
        seconds: Seconds = time.monotonic,
    ) -> None:
        self._who, self.budget = who, budget
        self._called, self._took, self._word = called, took, word
        self._seconds = seconds

    async def call(
        self, call: str, breaker: Breaker, send: Callable[[], Awaitable[T | Unknown]]
    ) -> T | Unknown:
        """A business refusal is an answer like any other; silence, breakdowns and overload are
        not, and open the breaker in the end.
        """
        # Who would not be let through need not stand in line.
        if (away_s := breaker.wait_s()) > 0:
            return self._unsent(call, "breaker", away_s)
        try:
            async with self.budget.place(call):
                return await self._send(call, breaker, send)
        except BudgetOverError:
            return self._unsent(call, "budget", AGAIN_S)

    async def _send(
        self, call: str, breaker: Breaker, send: Callable[[], Awaitable[T | Unknown]]
    ) -> T | Unknown:
        leave = breaker.leave()
        if leave is None:
            return self._unsent(call, "breaker", breaker.wait_s())
        was, began = breaker.state, self._seconds()
        answered: bool | None = None
        try:
            outcome = await send()
            answered = not (isinstance(outcome, Unknown) and outcome.is_trouble)
        finally:
            breaker.tell(leave, answered=answered, took_s=self._seconds() - began)
            if breaker.state != was:
                log.warning("breaker", **self._who, call=call, was=was, state=breaker.state)
        self._took.labels(call).observe(self._seconds() - began)
        self._called.labels(call, self._word(outcome)).inc()
        return outcome

    def _unsent(self, call: str, why: str, wait_s: float) -> Unknown:
        self._called.labels(call, f"unsent-{why}").inc()
        return Unknown(f"not asked: {why}", is_trouble=False, wait_s=wait_s)
