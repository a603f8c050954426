"""A partner used with care: within a budget of its own, and left alone while it is silent.

Wraps one partner's API. Each partner has its own connections, line and breakers, so that one that
hangs costs the events of the others nothing. Lists have a breaker apart from the rest: they are
the heaviest for the partner, and nobody buys by them.
"""

import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, TypeVar
from uuid import UUID

from prometheus_client import Counter, Histogram

from sales.breaker import Breaker
from sales.budget import Budget
from sales.care import Care
from sales.gateway import Unknown
from sales.partner import NotThere, PlaceTold, Told
from sales.partner_api import Change, Done, No, PartnerApi

# Behind how many seconds of more urgent calls each kind may stand: what a paid order waits for,
# then buyers who choose, then giving back, then looking.
BEHIND_S: Final = {
    "confirm": 0.0,
    "create": 0.2,
    "select": 0.2,
    "submit": 0.5,
    "cancel": 1.5,
    "order": 0.5,
    "places": 1.5,
}
LISTS: Final = "places"
# Who waits for a place in line waits for a page: not for long.
WAIT_MAX_S: Final = 1.5

CALLED = Counter("partner_calls", "Calls of partners, by what came of them", ["call", "outcome"])
SECONDS = Histogram(
    "partner_seconds",
    "From a call of a partner to its answer, waiting for a place not counted",
    ["call"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
T = TypeVar("T")


class Partner:
    def __init__(
        self,
        name: str,
        api: PartnerApi,
        *,
        rate_per_s: float,
        at_once: int,
        chance: Random,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` for the log. The limits are this process's share of what the partner allows."""
        self.name = name
        self._api = api
        budget = Budget(
            rate_per_s=rate_per_s, at_once=at_once, behind_s=BEHIND_S, wait_max_s=WAIT_MAX_S
        )
        self._care = Care(
            {"partner": name}, budget, called=CALLED, took=SECONDS, word=_word, seconds=seconds
        )
        self._lists, self._rest = Breaker(seconds, chance), Breaker(seconds, chance)

    def away_s(self) -> float:
        """How long the partner is to be left alone; 0: not at all."""
        return self._rest.wait_s()

    async def close(self) -> None:
        await self._api.close()

    async def create(self) -> UUID | Unknown:
        return await self._call("create", self._api.create)

    async def order(self, provider_order: UUID) -> Told | NotThere | Unknown:
        return await self._call("order", lambda: self._api.order(provider_order))

    async def select(self, place: UUID, provider_order: UUID) -> Done | No | Unknown:
        return await self._call("select", lambda: self._api.select(place, provider_order))

    async def change(self, call: Change, provider_order: UUID) -> Done | No | Unknown:
        return await self._call(call, lambda: self._api.change(call, provider_order))

    async def places(self, page: int) -> list[PlaceTold] | Unknown:
        return await self._call(LISTS, lambda: self._api.places(page))

    async def _call(self, call: str, send: Callable[[], Awaitable[T | Unknown]]) -> T | Unknown:
        return await self._care.call(call, self._lists if call == LISTS else self._rest, send)


def _word(outcome: object) -> str:
    return "unknown" if isinstance(outcome, Unknown) else "answered"
