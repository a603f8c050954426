"""The partner's stand-in on a real port, for the tests that speak HTTP with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx

from kernel.clock import ManualClock
from kernel.web.links import Links
from sandbox.provider.app import build
from sandbox.provider.config import ProviderConfig
from tests.web.toleubar_stand import free_port, served

NOBODY = "00000000-0000-4000-8000-000000000000"
SETTLED_WITHIN_S = 5.0
# More than any lag that is on.
LONG_S = 1.0


class Hall:
    """One hall of the stand-in, and the calls of a partner."""

    def __init__(self, provider: "Provider", number: int) -> None:
        self.provider, self.number = provider, number
        self.prefix = f"/event/{number}/event-provider"

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """`path` behind /api/partners/v1."""
        return await self.provider.http.request(
            method, f"{self.prefix}/api/partners/v1{path}", **more
        )

    async def admin(self, path: str, **more: Any) -> httpx.Response:
        return await self.provider.http.post(f"{self.prefix}/api/admin/v1{path}", **more)

    async def lay(self, rows: int, seats: int) -> list[str]:
        """The new places' ids, by row and seat."""
        told = {"rows": [{"row": row, "seats": seats} for row in range(1, rows + 1)]}
        assert (await self.admin("/places/bulk", json=told)).status_code == 200
        return [place["id"] for place in (await self.places(pageSize=1000))]

    async def start(self) -> str:
        answer = await self.call("POST", "/orders")
        assert answer.status_code == 201
        order_id: str = answer.json()["order_id"]
        return order_id

    async def select(self, place_id: str, order_id: str) -> int:
        told = {"order_id": order_id}
        return (await self.call("PATCH", f"/places/{place_id}/select", json=told)).status_code

    async def release(self, place_id: str) -> int:
        return (await self.call("PATCH", f"/places/{place_id}/release")).status_code

    async def move(self, order_id: str, verb: str) -> int:
        return (await self.call("PATCH", f"/orders/{order_id}/{verb}")).status_code

    async def order(self, order_id: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/orders/{order_id}")
        told: dict[str, Any] = answer.json()
        return told

    async def is_free(self, place_id: str) -> bool:
        return bool((await self.call("GET", f"/places/{place_id}")).json()["is_free"])

    async def places(self, **query: object) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = (await self.call("GET", "/places", params=query)).json()
        return told

    async def truth(self) -> dict[str, Any]:
        halls = (await self.provider.http.get("/sandbox/halls")).json()
        return next(one for one in halls if one["hall"] == self.number)

    async def settle(self) -> None:
        """Time goes by until nothing is under way any more."""
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while (await self.truth())["under_way"]:
                self.provider.clock.advance(LONG_S)
                await asyncio.sleep(0.005)

    async def order_with(self, *place_ids: str) -> str:
        """A started order that these places have joined."""
        order_id = await self.start()
        for one in place_ids:
            assert await self.select(one, order_id) == 204
        await self.settle()
        return order_id


class Provider:
    def __init__(self, http: httpx.AsyncClient, clock: ManualClock) -> None:
        self.http, self.clock = http, clock
        self._numbers = count(1)

    def hall(self) -> Hall:
        """One that nobody has used."""
        return Hall(self, next(self._numbers))

    async def faults(self, **switches: object) -> None:
        answer = await self.http.put("/sandbox/faults", json=switches)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def open_provider(
    records: Path, clock: ManualClock, *, extras: bool = True
) -> AsyncIterator[Provider]:
    """Time stands still but for the race between reading and writing."""
    port = free_port()
    config = ProviderConfig(records=records, extras=extras)
    app = build(config, links=Links(ports={"provider": port}), clock=clock, chance=Random(11))
    async with (
        served(app, port) as base,
        httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as http,
    ):
        yield Provider(http, clock)
