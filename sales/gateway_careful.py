"""A gateway used with care: within this process's budget, and left alone while it is silent.

Wraps a gateway and is one. A call that is not made answers Unknown with `wait_s`: when to come
again. A business refusal is an answer like any other; silence, breakdowns and overload are not.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Final, TypeVar

import msgspec
from prometheus_client import Counter, Gauge, Histogram

from sales.breaker import Breaker, State
from sales.budget import Budget
from sales.care import Care
from sales.gateway import (
    CALLS,
    Accepted,
    Call,
    Found,
    Gateway,
    Offered,
    Refused,
    ReturnUrls,
    Unknown,
)

# Behind how many seconds of more urgent calls each kind may stand: money first, then the buyer at
# the door, then looking.
BEHIND_S: Final = {"confirm": 0.0, "cancel": 0.5, "init": 1.0, "check": 3.0}
STATES: Final[dict[State, int]] = {"closed": 0, "half-open": 1, "open": 2}

CALLED = Counter("gateway_calls", "Calls of the gateway, by what came of them", ["call", "outcome"])
SECONDS = Histogram(
    "gateway_seconds",
    "From a call to its answer, waiting for a place not counted",
    ["call"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BREAKER = Gauge("breaker", "0 closed, 1 half-open, 2 open", ["call"])
SLOW = Gauge("gateway_slow", "1: a good part of the latest calls went badly", ["call"])
IN_FLIGHT = Gauge("gateway_in_flight", "Calls of the gateway under way")
WAITING = Gauge("gateway_waiting", "Calls that wait for a place in the budget")
T = TypeVar("T")


class GatewayHealth(msgspec.Struct, frozen=True):
    """How the gateway looks from this process. `away_s`: until a call may be made, 0 for now."""

    states: dict[str, State]
    away_s: dict[str, float]
    in_flight: int
    waiting: int

    @property
    def is_well(self) -> bool:
        return all(state == "closed" for state in self.states.values())


class CarefulGateway:
    def __init__(
        self,
        gateway: Gateway,
        *,
        rate_per_s: float,
        at_once: int,
        chance: Random,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """The limits are this process's own share of what the gateway allows."""
        self._gateway = gateway
        budget = Budget(rate_per_s=rate_per_s, at_once=at_once, behind_s=BEHIND_S)
        self._care = Care(
            {"at": "gateway"}, budget, called=CALLED, took=SECONDS, word=_word, seconds=seconds
        )
        self._breakers = {call: Breaker(seconds, chance) for call in CALLS}
        for call in CALLS:
            BREAKER.labels(call).set_function(partial(self._number, call))
            SLOW.labels(call).set_function(partial(self.is_slow, call))
        IN_FLIGHT.set_function(lambda: budget.in_flight)
        WAITING.set_function(lambda: budget.waiting)

    def health(self) -> GatewayHealth:
        return GatewayHealth(
            {call: breaker.state for call, breaker in self._breakers.items()},
            {call: self.away_s(call) for call in CALLS},
            self._care.budget.in_flight,
            self._care.budget.waiting,
        )

    def away_s(self, call: Call) -> float:
        return self._breakers[call].wait_s()

    def is_slow(self, call: Call) -> bool:
        return self._breakers[call].is_slow()

    def form_url(self, payment_id: str) -> str:
        return self._gateway.form_url(payment_id)

    async def init(
        self, *, order_id: str, amount: int, description: str, expiry_min: int, urls: ReturnUrls
    ) -> Offered | Refused | Unknown:
        return await self._call(
            "init",
            lambda: self._gateway.init(
                order_id=order_id,
                amount=amount,
                description=description,
                expiry_min=expiry_min,
                urls=urls,
            ),
        )

    async def check(self, *, payment_id: str | None, order_id: str) -> Found | Refused | Unknown:
        return await self._call(
            "check", lambda: self._gateway.check(payment_id=payment_id, order_id=order_id)
        )

    async def confirm(
        self, *, payment_id: str, amount: int, key: str
    ) -> Accepted | Refused | Unknown:
        return await self._call(
            "confirm",
            lambda: self._gateway.confirm(payment_id=payment_id, amount=amount, key=key),
        )

    async def cancel(
        self, *, payment_id: str, reason: str, key: str
    ) -> Accepted | Refused | Unknown:
        return await self._call(
            "cancel", lambda: self._gateway.cancel(payment_id=payment_id, reason=reason, key=key)
        )

    def _number(self, call: Call) -> int:
        return STATES[self._breakers[call].state]

    async def _call(self, call: Call, send: Callable[[], Awaitable[T | Unknown]]) -> T | Unknown:
        return await self._care.call(call, self._breakers[call], send)


def _word(outcome: object) -> str:
    return type(outcome).__name__.lower()
