"""One purchase test, whoever owns the seats: our own, a partner's, a share that was given to us.
All that can go wrong on the way to the gateway and to the partner does, now and then; when
everything has come to rest, the promises are asked of the stores and the books.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from random import Random

import httpx
import pytest

from kernel.errors import Refusal
from kernel.web.links import Links
from sales.gateway_toleubar import ToleuBar
from sales.gateway_wire import HttpWire
from sales.geometry import Zone
from sales.partner_api import PartnerApi
from sales.partner_availability import FRESH_MS, Availability
from sales.partner_careful import Partner
from sales.partner_halls import PartnerHalls
from sandbox.provider.app import build
from sandbox.provider.config import ProviderConfig
from tests import promises
from tests.flow.shop import AHEAD, BASE, SECRET, Shop, make_shop
from tests.halls import build_event, give_places
from tests.web.toleubar_stand import PASSWORD, TEAM, Gateway, free_port, open_gateway, served

ROWS, SIZE, GIVEN = 5, 8, 14
BUYERS, TRIES = 12, 5
DECLINED = "4000 0000 0000 0002"
HALL = "/event/7/event-provider"
OWNERS = ("own", "partner", "allotment")
PATIENCE_S = 0.5
SHARE = 0.03
STEPS = 30
GATEWAY = {
    f"{verb}_{way}": SHARE
    for verb in ("init", "check", "confirm", "cancel")
    for way in ("abort_before", "abort", "stall_before", "stall")
} | {"breakdown": SHARE, "timeout": SHARE, "seed": 5}
SHARES = ("abort_before", "stall_before", "abort", "stall", "error", "error_after")
PARTNER = {**dict.fromkeys(SHARES, SHARE), "stall_s": 0.8, "poison_armed": True, "seed": 5}


@pytest.fixture
async def toleubar(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.sqlite", clock, webhook_secret=SECRET) as gateway:
        yield gateway


@pytest.fixture
async def provider(tmp_path) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    config = ProviderConfig(records=tmp_path / "records.sqlite", extras=True)
    app = build(config, links=Links(ports={"provider": port}))
    async with served(app, port) as base, httpx.AsyncClient(base_url=base, trust_env=False) as http:
        rows = [{"row": row, "seats": SIZE} for row in range(1, ROWS + 1)]
        await http.post(f"{HALL}/api/admin/v1/places/bulk", json={"rows": rows})
        yield http


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path, toleubar, provider) -> AsyncIterator[Shop]:
    made: list[Partner] = []

    def seconds() -> float:
        """Its calls take real time, and the story's time flies."""
        return float(time.monotonic() + clock.ms() / 1000)

    def client(address: str) -> Partner:
        api, chance = PartnerApi(HttpWire(address, total_s=PATIENCE_S)), Random(2)
        limits = {"rate_per_s": 1000, "at_once": 32}
        made.append(Partner(address, api, **limits, chance=chance, seconds=seconds))
        return made[-1]

    wire = HttpWire(toleubar.base, total_s=PATIENCE_S, read_s=PATIENCE_S)
    gateway = ToleuBar(toleubar.base, team_slug=TEAM, password=PASSWORD, wire=wire)
    shop = make_shop(db, redis_shop, clock, tmp_path, gateway, partner=client)
    shop.partner_desk._selecting._sleep = asyncio.sleep
    yield shop
    for one in made:
        await one.close()
    await gateway.close()


async def open_event(shop: Shop, owner: str, provider: httpx.AsyncClient) -> None:
    zone = Zone(1, "Зал", 500_000, 1, (SIZE,) * ROWS, 0, ROWS * SIZE)
    kept = "own" if owner == "partner" else owner
    shop.event_id = await build_event(shop.db, (zone,), starts_at=AHEAD, ownership=kept)
    if owner == "allotment":
        await give_places(shop.db, shop.event_id, 1, GIVEN)
    if owner == "partner":
        halls = PartnerHalls(
            shop.db, shop.clock, shop.holds.store.halls, shop.partner_desk.partners
        )
        await halls.connect(shop.event_id, f"{provider.base_url}{HALL}", "test")


async def buy(shop: Shop, toleubar: Gateway, buyer: int, chance: Random) -> None:
    """Holds a seat or two, pays with one card or another, or lets go somewhere on the way."""
    for _ in range(TRIES):
        order = await shop.orders.open(buyer, shop.event_id, "web")
        seats = chance.sample(range(ROWS * SIZE), chance.choice((1, 2)))
        try:
            await shop.holds.hold(shop.event_id, order.id, buyer, seats)
            if chance.random() < 0.15:
                await shop.holds.release(shop.event_id, order.id, buyer)
            placed = await shop.orders.place(order.id, buyer, BASE)
        except Refusal:
            await shop.orders.cancel(order.id, buyer)
            continue
        if placed.payment_url is not None and chance.random() > 0.15:
            card = (DECLINED,) if chance.random() < 0.15 else ()
            await toleubar.pay(placed.payment_url.rpartition("/")[2], *card)
            await shop.payments.hurry(order.id)
        elif chance.random() < 0.5:
            await shop.orders.cancel(order.id, buyer)
        return


async def come_to_rest(shop: Shop, steps: int) -> None:
    """First at the partner's own pace, whose reader is a moment behind; then time flies."""
    for _ in range(steps):
        shop.clock.advance(0.5)
        await shop.drain()
        await asyncio.sleep(0.02)
    for seconds in (16 * 60, 25 * 3600):
        await shop.later(seconds)
        await shop.holds.lapse(shop.clock.now())


@pytest.mark.parametrize("owner", OWNERS)
async def test_whatever_breaks_each_seat_money_and_book_is_right_in_the_end(
    shop, toleubar, provider, redis_shop, owner
):
    await open_event(shop, owner, provider)
    await toleubar.faults(**GATEWAY)
    assert (await provider.put("/sandbox/faults", json=PARTNER)).status_code == 200
    await asyncio.gather(
        *(buy(shop, toleubar, buyer, Random(buyer)) for buyer in range(1, BUYERS + 1))
    )
    steps = STEPS if owner == "partner" else 0
    await come_to_rest(shop, steps)
    await toleubar.faults()
    await provider.put("/sandbox/faults", json={"poison_armed": True})
    await come_to_rest(shop, steps)
    if owner == "partner":
        await see_the_list(shop)
    books = (await toleubar.books())["payments"]
    assert await promises.at_rest(shop.db, redis_shop, books, shop.event_id) == []
    sold = {seat for seat, (_, is_sold) in (await shop.claims()).items() if is_sold}
    assert len(sold) >= BUYERS / 4
    if owner == "allotment":
        assert len(sold) <= GIVEN
        assert await had_of(shop, set(range(ROWS * SIZE)) - sold) == GIVEN - len(sold)
    if owner == "partner":
        assert await kept_there(provider) >= sold


async def had_of(shop: Shop, seats: set[int]) -> int:
    """How many of the seats somebody can still hold."""
    return sum([not await is_refused(shop, seat) for seat in seats])


async def is_refused(shop: Shop, seat: int) -> bool:
    try:
        await shop.hold(seat, buyer=seat + 100)
    except Refusal:
        return True
    return False


async def see_the_list(shop: Shop) -> None:
    """What was refused once is offered again when the partner lists it as free."""
    shop.clock.advance(2 * FRESH_MS / 1000)
    partners = shop.partner_desk.partners
    await Availability(shop.db, shop.clock, shop.holds.store, partners).refresh(shop.event_id)


async def kept_there(provider: httpx.AsyncClient) -> set[int]:
    """Seats that the partner has sold to us; nothing else is kept for us, nor has its reader
    stopped.
    """
    halls = (await provider.get("/sandbox/halls")).json()
    assert not next(one for one in halls if one["hall"] == 7)["stopped"]
    asked = {"hall": 7, "limit": 1000}
    listed = (await provider.get("/sandbox/places", params=asked)).json()["places"]
    kept = [one for one in listed if one["order_id"]]
    assert {one["order_status"] for one in kept} <= {"CONFIRMED"}
    return {(one["row"] - 1) * SIZE + one["seat"] - 1 for one in kept}
