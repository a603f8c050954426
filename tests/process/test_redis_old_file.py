"""The shop's Redis is killed and comes back with an old file, at once: nobody gets a seat by it.

Each shop here has connections and caches of its own, as a process has. Their clock stands still, so
that what a process believes for a second it believes for ever.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from biletter.redis_address import open_redis
from kernel.clock import ManualClock
from kernel.errors import TryAgain
from sales.holds_refusals import SeatTaken
from tests.fakes import FakeGateway
from tests.flow.shop import BEK, Shop, make_shop, open_shop
from tests.process.redis_server import Server

PROCESSES, RESTARTS = 3, 3
PAYING, SOLD, CHOSEN = 0, 1, 2
NO = (SeatTaken, TryAgain, RedisError, OSError, TimeoutError)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory(prefix="biletter-old-") as folder:
        made = Server(Path(folder), "shop")
        made.start()
        yield made
        made.kill()


@pytest.fixture
async def shops(
    server: Server, db: Any, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[list[Shop]]:
    """In the old file every seat is free, but for one that Bek had chosen and let go since."""
    gateway, clients = FakeGateway(), [open_redis(server.engine.url) for _ in range(PROCESSES)]
    first = await open_shop(db, clients[0], clock, tmp_path, gateway)
    others = [make_shop(db, one, clock, tmp_path, gateway) for one in clients[1:]]
    for shop in others:
        shop.event_id = first.event_id
    chosen = await first.hold(CHOSEN)
    server.remember()
    await first.orders.cancel(chosen.id, BEK)
    await first.paid(SOLD)
    await first.placed(PAYING)
    yield [first, *others]
    for client in clients:
        await client.aclose()


async def granted(shop: Shop, buyer: int, seat: int) -> int | None:
    """The seat, where it is given away."""
    try:
        await shop.hold(seat, buyer=buyer)
    except NO:
        return None
    return seat


async def test_whoever_slept_through_it_gives_no_seat_by_the_old_memory(
    server: Server, shops: list[Shop]
):
    for turn in range(RESTARTS):
        # All are awake and know the run that is about to end.
        await asyncio.gather(*(shop.holds.holder(shop.event_id, SOLD) for shop in shops))
        server.restart_old()
        buyers = range(100 * turn + 10, 100 * turn + 10 + PROCESSES)
        given = await asyncio.gather(
            *(
                granted(shop, buyer, seat)
                for shop, buyer in zip(shops, buyers, strict=True)
                for seat in (SOLD, PAYING)
            )
        )
        assert set(given) == {None}
    shop = shops[-1]
    order = await shop.orders.open(9, shop.event_id, "web")
    best = await shop.holds.hold_best(shop.event_id, order.id, 9, 1, 2)
    assert not {SOLD, PAYING} & set(best.hold.seats)


async def test_restarted_in_the_middle_of_a_rush_no_taken_seat_is_given_away(
    server: Server, shops: list[Shop]
):
    going, given, asked = True, [], 0

    async def rush(shop: Shop, buyer: int) -> None:
        nonlocal asked
        while going:
            for seat in (SOLD, PAYING):
                given.append(await granted(shop, buyer, seat))
                asked += 1
            await asyncio.sleep(0)

    rushing = [asyncio.create_task(rush(shop, 10 + n)) for n, shop in enumerate(shops)]
    for _ in range(RESTARTS):
        await asyncio.to_thread(server.restart_old)
        before = asked
        while asked < before + 10:
            await asyncio.sleep(0.01)
    going = False
    await asyncio.gather(*rushing)
    assert set(given) == {None}
