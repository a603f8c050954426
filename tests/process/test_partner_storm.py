"""Buyers at a partner's event while everything goes wrong between us and the partner: its stand-in
over real HTTP, every fault now and then. In the end both books agree; the neighbours saw nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest

from kernel.clock import SystemClock
from kernel.errors import Refusal
from kernel.web.links import Links
from sales.gateway_wire import HttpWire
from sales.geometry import Zone
from sales.partner import PartnerAway
from sales.partner_api import PartnerApi
from sales.partner_careful import Partner
from sales.partner_halls import PartnerHalls
from sandbox.provider.app import build
from sandbox.provider.config import ProviderConfig
from tests.flow.shop import AHEAD, BASE, Shop, make_shop
from tests.halls import build_event
from tests.web.toleubar_stand import free_port, served

ROWS, SIZE = 6, 8
BUYERS = 20
TRIES_MAX = 8
# Everything has had its end long before, on a busy machine too.
WITHIN_S = 60
HALL = "/event/7/event-provider"
SHARES = ("abort_before", "stall_before", "abort", "stall", "slow", "error", "error_after")
FAULTS = {
    **dict.fromkeys(SHARES, 0.03),
    "stall_s": 0.8,
    "slow_s": 0.2,
    "poison_armed": True,
    "seed": 4,
}


@pytest.fixture
async def provider(tmp_path) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    config = ProviderConfig(records=tmp_path / "records.sqlite", extras=True)
    app = build(config, links=Links(ports={"provider": port}))
    async with served(app, port) as base, httpx.AsyncClient(base_url=base, trust_env=False) as http:
        rows = [{"row": row, "seats": SIZE} for row in range(1, ROWS + 1)]
        answer = await http.post(f"{HALL}/api/admin/v1/places/bulk", json={"rows": rows})
        assert answer.status_code == 200
        yield http


@pytest.fixture
async def shop(db, redis_shop, tmp_path, provider, monkeypatch) -> AsyncIterator[Shop]:
    # What is in doubt for half a minute with people is in doubt for seconds here.
    monkeypatch.setattr("sales.partner_steps.SELECT_SHOWN_S", 2.5)
    monkeypatch.setattr("sales.partner_steps.SHOWN_S", 1.0)
    made: list[Partner] = []

    def client(address: str) -> Partner:
        api = PartnerApi(HttpWire(address, total_s=0.4))
        made.append(Partner(address, api, rate_per_s=1000, at_once=32, chance=Random(2)))
        return made[-1]

    shop = make_shop(db, redis_shop, SystemClock(), tmp_path, partner=client)  # type: ignore[arg-type]  # it is a clock
    zone = Zone(1, "Зал", 500_000, 1, (SIZE,) * ROWS, 0, ROWS * SIZE)
    shop.event_id = await build_event(db, (zone,), starts_at=AHEAD)
    halls = PartnerHalls(db, shop.clock, shop.holds.store.halls, shop.partner_desk.partners)
    assert await halls.connect(shop.event_id, f"{provider.base_url}{HALL}", "test") == ROWS * SIZE
    yield shop
    for partner in made:
        await partner.close()


async def buy(shop: Shop, buyer: int, chance: Random) -> int | None:
    """An order of some seats, paid or called off by the buyer; None: none could be had."""
    for _ in range(TRIES_MAX):
        order = await shop.orders.open(buyer, shop.event_id, "web")
        seats = chance.sample(range(ROWS * SIZE), chance.choice((1, 1, 2)))
        try:
            await shop.holds.hold(shop.event_id, order.id, buyer, seats)
            if chance.random() < 0.3:
                await shop.holds.release(shop.event_id, order.id, buyer)
                await shop.orders.cancel(order.id, buyer)
                continue
            await shop.orders.place(order.id, buyer, BASE)
        except Refusal:
            await shop.orders.cancel(order.id, buyer)
            await asyncio.sleep(0.1)
            continue
        booked = next(
            one for one in shop.gateway.books.values() if one.order_id.startswith(f"bl-{order.id}-")
        )
        if chance.random() < 0.2:
            await shop.orders.cancel(order.id, buyer)
        else:
            booked.status = "AUTHORIZED"
            await shop.payments.hurry(order.id)
        return order.id
    return None


async def at_rest(shop: Shop) -> bool:
    question = """
        SELECT NOT EXISTS (SELECT FROM orders WHERE state IN ('open', 'pending'))
           AND NOT EXISTS (SELECT FROM partner_order
                           WHERE state NOT IN ('refused', 'cancelled', 'confirmed'))
    """
    answer: bool = await shop.db.fetchval(question)
    return answer


async def truth(provider: httpx.AsyncClient) -> tuple[dict[str, Any], dict[int, str]]:
    """The hall, and the state of the order that has each seat, by its number from 0."""
    halls = (await provider.get("/sandbox/halls")).json()
    listed = (await provider.get("/sandbox/places", params={"hall": 7, "limit": 1000})).json()
    has = {
        (one["row"] - 1) * SIZE + one["seat"] - 1: one["order_status"]
        for one in listed["places"]
        if one["order_id"]
    }
    return next(one for one in halls if one["hall"] == 7), has


async def test_in_the_end_both_books_agree_and_no_money_is_left_in_between(shop, provider):
    assert (await provider.put("/sandbox/faults", json=FAULTS)).status_code == 200
    chance = Random(3)
    buying = [asyncio.create_task(buy(shop, n, Random(chance.random()))) for n in range(1, BUYERS)]
    until, is_storming = time.monotonic() + WITHIN_S, True
    while time.monotonic() < until and not (
        all(task.done() for task in buying) and await at_rest(shop)
    ):
        await shop.outbox.drain(for_s=0.2)
        await asyncio.sleep(0.05)
        if is_storming and all(task.done() for task in buying):
            await provider.put("/sandbox/faults", json={"poison_armed": True})
            is_storming = False
    await shop.outbox.finish()
    assert await at_rest(shop)
    orders = [task.result() for task in buying]
    paid = [one for one in orders if one and (await shop.orders.get(one)).state == "paid"]
    assert len(paid) > BUYERS / 3
    hall, has = await truth(provider)
    assert not hall["stopped"]
    assert hall["lost"] == 0
    sold = {seat for seat, (_, is_sold) in (await shop.claims()).items() if is_sold}
    bought = {seat for seat, status in has.items() if status == "CONFIRMED"}
    assert sold <= bought, "each ticket's seat is ours"
    assert set(has) == bought, "nothing is kept for nobody"
    taken = {one.order_id for one in shop.gateway.books.values() if one.confirms}
    assert {f"bl-{order_id}" for order_id in paid} == {name.rsplit("-", 2)[0] for name in taken}


async def test_a_partner_that_hangs_costs_other_events_nothing(shop, provider):
    own = await build_event(shop.db, starts_at=AHEAD)
    await provider.put("/sandbox/faults", json={"stall_before": 1, "stall_s": 5})
    hanging = [asyncio.create_task(shop.hold(seat, buyer=20 + seat)) for seat in range(12)]
    await asyncio.sleep(0)
    began = time.monotonic()
    for seat in range(8):
        order = await shop.orders.open(9, own, "web")
        await shop.holds.hold(own, order.id, 9, [seat])
        await shop.orders.place(order.id, 9, BASE)
    took_s = time.monotonic() - began
    answers = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(answer, PartnerAway) for answer in answers)
    assert took_s < 5, "seconds would mean that they waited"
    # By now it is left alone: the answer comes at once, and says when to come again.
    began = time.monotonic()
    with pytest.raises(PartnerAway):
        await shop.hold(30, buyer=9)
    assert time.monotonic() - began < 1
