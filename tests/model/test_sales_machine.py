"""The whole sales core under drawn trouble: buyers do what buyers do, the gateway fails as told,
processes are killed at drawn steps, Redis is emptied, time passes. Every promise holds at every
moment, and when all has come to rest nothing is left over.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.db import open_pool
from tests import promises
from tests.bank import BAD_CARD, GOOD_CARD, Bank
from tests.crash.buyers import Buyer
from tests.crash.world import ROLES, DiedError, World
from tests.flow.shop import ARU, BEK, ERMEK, Shop
from tests.halls import assert_consistent
from tests.model.lives import run_lives

CAPACITY = 11
T = TypeVar("T")

LINKS = ["abort_before", "abort", "stall_before", "stall"]
CALLS = ["init", "check", "confirm", "cancel", "form"]
TROUBLES = [
    *({f"{call}_{link}": 0.5} for call in CALLS for link in LINKS),
    {"breakdown": 0.4, "breakdown_burst": 3},
    {"timeout": 0.5},
    {"id_collision": 0.5},
    {"card_trouble": 0.5},
    {"check_stale_open_s": 30, "check_stale_final_s": 300},
    {"preset": "ten-percent-everything", "stall_s": 20},
    {"preset": "down"},
    {"preset": "faithful", "webhook_wait": False},
]
buyers = st.sampled_from([ARU, BEK, ERMEK])
seats = st.lists(st.integers(0, CAPACITY - 1), min_size=1, max_size=3, unique=True)
roles = st.sampled_from(ROLES)


class Sales(RuleBasedStateMachine):
    world: World
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.run(self.world.new_event(person_limit=6))
        self.run(self.world.bank.switch())
        self.buyers = {
            account: Buyer(self.world, account=account, returns=False)
            for account in (ARU, BEK, ERMEK)
        }

    def run(self, step: Awaitable[T]) -> T:
        async def wait() -> T:
            return await step

        return self.runner.run(wait())

    @rule(who=buyers, chosen=seats)
    def hold(self, who, chosen):
        buyer = self.buyers[who]
        buyer.seats = tuple(chosen)
        self.run(buyer.choose())

    @rule(who=buyers, zone=st.integers(1, 2), count=st.integers(1, 3))
    def hold_the_best(self, who, zone, count):
        self.run(self.buyers[who].choose_best(zone, count))

    @rule(who=buyers, chosen=st.none() | seats)
    def release(self, who, chosen):
        self.run(self.buyers[who].release(chosen))

    @rule(who=buyers, clicks=st.sampled_from([1, 1, 1, 2]))
    def check_out(self, who, clicks):
        self.run(self._at_once(*(self.buyers[who].check_out() for _ in range(clicks))))

    @rule(who=buyers, chosen=seats, card=st.sampled_from([GOOD_CARD, GOOD_CARD, BAD_CARD]))
    def buy(self, who, chosen, card):
        """All the steps at once, so that lives get somewhere."""
        self.hold(who, chosen)
        self.check_out(who, 1)
        self.pay(who, card)
        self.come_back(who)

    @rule(who=buyers, card=st.sampled_from([GOOD_CARD, GOOD_CARD, BAD_CARD]))
    def pay(self, who, card):
        self.run(self.buyers[who].pay(card))

    @rule(who=buyers, status=st.sampled_from(["AUTHORIZED", "completed", "failed", "NEW", "?"]))
    def webhook(self, who, status):
        """True, forged, early or late: it is only a reason to look."""
        buyer = self.buyers[who]
        if buyer.form:
            self.run(buyer.webhook(status))

    @rule(who=buyers)
    def come_back(self, who):
        self.run(self.buyers[who].come_back())

    @rule(who=buyers)
    def come_back_while_the_worker_looks(self, who):
        self.run(self._at_once(self.buyers[who].come_back(), self.world.beat()))

    @rule(who=buyers)
    def cancel(self, who):
        self.run(self.buyers[who].cancel())

    @rule(who=buyers, which=st.sampled_from(["all", "first", "odd"]))
    def give_back(self, who, which):
        seats = self.buyers[who].seats
        chosen = {"all": (), "first": seats[:1], "odd": (CAPACITY - 1,)}[which]
        self.run(self.buyers[who].give_back(*chosen))

    @rule(who=buyers)
    def give_back_and_cancel_at_once(self, who):
        self.run(self._at_once(self.buyers[who].give_back(), self.buyers[who].cancel()))

    @rule(seconds=st.sampled_from([1, 5, 20, 70, 300, 800]), looks=st.integers(0, 2))
    def time_passes(self, seconds, looks):
        self.world.clock.advance(seconds)
        for _ in range(looks):
            self.run(self.world.beat())

    @rule(trouble=st.sampled_from(TROUBLES), seed=st.integers(0, 999))
    def trouble(self, trouble, seed):
        self.run(self.world.bank.switch(**trouble, seed=seed))

    @rule()
    def calm(self):
        self.run(self.world.bank.switch())

    @rule(kind=st.sampled_from(["emptied", "spared", "spared", "spared"]))
    def redis_is(self, kind):
        if kind == "emptied":
            self.run(self.world.redis.flushall())

    @rule(role=roles, at=st.integers(1, 8), after=st.booleans())
    def death_is_near(self, role, at, after):
        self.world.arm(role, at, after=after)

    @invariant()
    def promises_hold(self):
        self.run(self._look())

    async def _look(self) -> None:
        assert await promises.always(self.world.db, await self.world.bank.books()) == []
        await assert_consistent(self.world.redis, self.world.event_id)

    async def _at_once(self, *steps: Awaitable[Any]) -> None:
        for outcome in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, DiedError):
                raise outcome

    def teardown(self) -> None:
        self.run(self._end())

    async def _end(self) -> None:
        """The gateway is well again, staff look at what was set aside, and time passes."""
        world = self.world
        world.spare()
        await world.bank.switch()
        for _ in range(2):
            await world.rest()
            await world.db.execute(
                "UPDATE notice SET parked_at = NULL, attempts = 0 WHERE parked_at IS NOT NULL"
            )
        # Whoever looks at the map has an emptied Redis filled again.
        await world.as_("web", _look_at_the_map)
        books = await world.bank.books()
        assert await promises.at_rest(world.db, world.redis, books, world.event_id) == []


async def _look_at_the_map(shop: Shop) -> None:
    await shop.holds.holder(shop.event_id, 0)


def test_every_promise_holds_in_any_life(shop_engine, db_url, tmp_path, monkeypatch):
    monkeypatch.setattr("sales.orders.OFFER_WAIT_S", 0.02)
    monkeypatch.setattr("sales.orders.OFFER_LOOK_S", 0.01)
    with asyncio.Runner() as runner:
        world = runner.run(open_world(db_url, shop_engine.url, tmp_path))
        machine = type("SalesHere", (Sales,), {"world": world, "runner": runner})
        try:
            run_lives(machine, count=15, steps=40)
        finally:
            runner.run(close_world(world))


async def open_world(db_url: str, redis_url: str, folder: Any) -> World:
    clock = ManualClock()
    bank = Bank(folder, clock)
    world = World(
        await open_pool(db_url), Redis.from_url(redis_url), (db_url, redis_url), clock, bank
    )
    await world.redis.flushall()
    await world.open()
    return world


async def close_world(world: World) -> None:
    await world.close()
    world.db.terminate()
    await world.redis.aclose()


@pytest.mark.parametrize("trouble", TROUBLES, ids="-".join)
async def test_troubles_are_taken_by_the_switchboard(tmp_path, trouble):
    await Bank(tmp_path, ManualClock()).switch(**trouble)
