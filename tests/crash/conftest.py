"""One world a test: its stores are the test's, its processes come and go."""

import pytest

from tests.bank import Bank
from tests.crash.world import World


@pytest.fixture
async def world(db, db_url, redis_shop, shop_engine, clock, tmp_path, monkeypatch):
    # Nobody opens a payment while a page waits for it here: the only buyer is the one who waits.
    monkeypatch.setattr("sales.orders.OFFER_WAIT_S", 0.02)
    monkeypatch.setattr("sales.orders.OFFER_LOOK_S", 0.01)
    bank = Bank(tmp_path, clock)
    await bank.open()
    world = World(db, redis_shop, (db_url, shop_engine.url), clock, bank)
    await world.open()
    yield world
    await world.close()
