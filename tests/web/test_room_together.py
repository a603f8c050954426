"""Many who join at the same moment: they travel together, and nobody notices."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from accounts.cookies import DEVICE_COOKIE, new_device
from kernel.clock import ManualClock
from kernel.lua import LuaScripts
from tests.web.room_site import EVENT, Site
from waitingroom.store import Store

ROOM = f"/rooms/{EVENT}"
# An unusual request, which the ordinary routes answer.
ROUTED = {"sec-fetch-site": "same-site"}


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    site = Site(redis_rooms, clock, tmp_path)
    await site.open()
    return site


@pytest.fixture
def joins(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many travelled in each command."""
    sent: list[int] = []
    run = Store.run

    async def counted(store: Store, name: str, names: Any, args: Any = ()) -> Any:
        if name == "join":
            sent.append(len(args) - 5)
        return await run(store, name, names, args)

    monkeypatch.setattr(Store, "run", counted)
    return sent


def known(site: Site, account: int) -> httpx.AsyncClient:
    """A visitor with the cookie of a browser that has been here."""
    visitor = site.visitor(account)
    visitor.cookies.set(DEVICE_COOKIE, new_device())
    return visitor


async def test_all_get_numbers_without_gaps_and_repeats_get_the_same(site: Site, joins: list[int]):
    visitors = [known(site, 1 + n % 40) for n in range(100)]
    answers = await asyncio.gather(
        *(
            visitor.post(f"{ROOM}/entries", headers=ROUTED if n % 3 == 0 else {})
            for n, visitor in enumerate(visitors)
        )
    )
    numbers = [answer.json()["number"] for answer in answers]
    assert sorted(set(numbers)) == list(range(1, 41))
    assert [numbers[n] for n in range(100)] == [numbers[n % 40] for n in range(100)]
    assert [answer.status_code for answer in answers].count(201) == 40
    assert sum(joins) == 100
    assert len(joins) < 50


async def test_a_redis_that_goes_fails_all_who_travel_with_it_and_burns_nothing_twice(
    site: Site, joins: list[int], monkeypatch: pytest.MonkeyPatch
):
    visitors = [known(site, 1 + n) for n in range(20)]

    async def post(visitor: httpx.AsyncClient) -> httpx.Response:
        return await visitor.post(f"{ROOM}/entries")

    send, is_lost = LuaScripts._send, True

    async def lossy(scripts: LuaScripts, calls: Any) -> Any:
        replies = await send(scripts, calls)
        if is_lost:
            raise RedisGone("the answer was lost")
        return replies

    monkeypatch.setattr(LuaScripts, "_send", lossy)
    failed = await asyncio.gather(*(post(visitor) for visitor in visitors))
    assert {answer.status_code for answer in failed} == {503}
    assert {answer.json()["code"] for answer in failed} == {"room-away"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in failed)
    is_lost = False
    joined = await asyncio.gather(*(post(visitor) for visitor in visitors))
    assert sorted(answer.json()["number"] for answer in joined) == list(range(1, 21))
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).issued == 20
