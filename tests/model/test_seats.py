"""Any sequence of holds, payments, losses and time: Redis and a plain-Python model agree."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any, TypeVar

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.db import open_pool
from kernel.errors import Refusal
from sales.catalogue import Catalogue
from sales.holds import Holds
from sales.keys import EPOCH, key
from sales.seatmap import SeatMaps
from tests.halls import assert_consistent, build_event, claim_seats
from tests.model.lives import run_lives
from tests.model.seat_model import OK, ModelHold, SeatModel

CAPACITY, ORDER_LIMIT, PERSON_LIMIT, HOLD_S = 11, 3, 5, 60
T = TypeVar("T")

ORDERS = 4
orders = st.integers(1, ORDERS)
# Mostly the order's own account, sometimes a stranger.
strangers = st.sampled_from([False, False, False, False, True])
seats = st.lists(st.integers(0, CAPACITY - 1), min_size=1, max_size=4)
minutes = st.integers(1, 20)


class World:
    """Real engines on one event loop, shared by all sequences of the test."""

    def __init__(self, runner: asyncio.Runner, redis_url: str, db_url: str) -> None:
        self.runner = runner
        self.redis = Redis.from_url(redis_url)
        self.db: asyncpg.Pool = runner.run(open_pool(db_url))

    def run(self, step: Awaitable[T]) -> T:
        async def wait() -> T:
            return await step

        return self.runner.run(wait())

    def close(self) -> None:
        self.db.terminate()
        self.run(self.redis.aclose())


class Seats(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.model = SeatModel(CAPACITY, ORDER_LIMIT, PERSON_LIMIT, HOLD_S * 1000)
        self.run(self.world.redis.flushall())
        self.event = self.run(self._event())
        self.holds = Holds(
            self.world.redis, self.world.db, Catalogue(self.world.db, self.clock), self.clock
        )
        self.maps = SeatMaps(self.holds.store, self.clock)
        self.run(self.holds.of_order(self.event, 1))

    async def _event(self) -> int:
        await self.world.db.execute("DELETE FROM seat_claim")
        return await build_event(
            self.world.db,
            person_limit=PERSON_LIMIT,
            order_limit=ORDER_LIMIT,
            hold_seconds=HOLD_S,
        )

    def run(self, step: Awaitable[T]) -> T:
        return self.world.run(step)

    def attempt(self, step: Awaitable[Any]) -> str:
        try:
            self.run(step)
        except Refusal as refusal:
            return type(refusal).__name__
        return OK

    def account(self, order: int, stranger: bool = False) -> int:  # noqa: FBT001, FBT002  # drawn
        return 1 + (order + stranger) % 3

    @rule(order=orders, stranger=strangers, chosen=seats)
    def hold(self, order, stranger, chosen):
        # An order is opened by its own account: only later may a stranger come.
        stranger = stranger and order in self.model.living(self.clock.ms())
        account = self.account(order, stranger)
        said = self.attempt(self.holds.hold(self.event, order, account, chosen))
        assert said == self.model.hold(self.clock.ms(), order, account, chosen)

    @rule(order=orders, chosen=seats)
    def hold_more(self, order, chosen):
        self.hold(order, False, chosen)

    @rule(order=orders, stranger=strangers, chosen=st.none() | seats)
    def release(self, order, stranger, chosen):
        account = self.account(order, stranger)
        chosen = chosen and list(dict.fromkeys(chosen))
        said = self.attempt(self.holds.release(self.event, order, account, chosen))
        assert said == self.model.release(order, account, chosen)

    @rule(order=orders, stranger=strangers, duration=minutes)
    def freeze(self, order, stranger, duration):
        account, until = self.account(order, stranger), self.clock.ms() + duration * 60_000
        said = self.attempt(self.holds.freeze(self.event, order, account, until))
        assert said == self.model.freeze(self.clock.ms(), order, account, until)

    @rule(order=orders)
    def thaw(self, order):
        if all(claim[0] != order for claim in self.model.claims.values()):
            self.run(self.holds.thaw(self.event, order))
            self.model.thaw(self.clock.ms(), order)

    @rule(order=orders, chosen=seats, duration=minutes)
    def claim(self, order, chosen, duration):
        """A checkout commits; PostgreSQL itself refuses what another order has claimed."""
        chosen = [seat for seat in dict.fromkeys(chosen) if seat not in self.model.claims]
        if not chosen or any(claim[0] == order for claim in self.model.claims.values()):
            return
        account, until = self.account(order), self.clock.ms() + duration * 60_000
        self.run(claim_seats(self.world.db, self.event, order, account, chosen))
        self.run(self.holds.claim(self.event, order, account, chosen, until))
        self.model.claim(order, account, chosen, until)

    @rule(order=orders, times=st.integers(1, 2))
    def sell(self, order, times):
        """The notice of a paid order comes, perhaps twice, perhaps for an order undone since."""
        sold = self.model.sell(order)
        if not sold and order in self.model.holds:
            return
        self.run(
            self.world.db.execute("UPDATE seat_claim SET sold = true WHERE order_id = $1", order)
        )
        for _ in range(times):
            self.run(self.holds.sell(self.event, order, sold or [0]))

    @rule(order=orders, chosen=st.none() | seats, times=st.integers(1, 2))
    def free(self, order, chosen, times):
        """An order ends, or returns some tickets; or a notice says so too late."""
        own = [seat for seat, claim in self.model.claims.items() if claim[0] == order]
        leaving = own if chosen is None else [seat for seat in chosen if seat in own]
        if not own:
            leaving = list(dict.fromkeys(chosen or []))
        self.run(
            self.world.db.execute(
                "DELETE FROM seat_claim WHERE order_id = $1 AND seat = ANY($2)", order, leaving
            )
        )
        for _ in range(times):
            self.run(self.holds.free(self.event, order, list(dict.fromkeys(leaving))))
        self.model.free(order, leaving)

    @rule(seconds=st.sampled_from([1, 9, 30, 60, 130, 700]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def lapse(self):
        ended = self.run(self.holds.lapse(self.clock.now()))
        assert ended == self.model.lapse(self.clock.ms())

    @rule(kind=st.sampled_from(["lost", "restarted", "reset", "calm", "calm", "calm"]))
    def trouble(self, kind):
        self.run(getattr(self, kind)())

    async def calm(self) -> None:
        """Most of the time nothing happens, so that states may grow."""

    async def lost(self) -> None:
        await self.world.redis.flushall()
        await self.holds.of_order(self.event, 1)
        self.model.refill(self.clock.ms(), surviving=False)

    async def restarted(self) -> None:
        """Redis comes back from its file: the same content under another run."""
        name = key(EPOCH, self.event)
        token: Any = await self.world.redis.get(name)
        await self.world.redis.set(name, token.partition(b"-")[0] + b"-another-run")
        await self.holds.of_order(self.event, 1)
        self.model.refill(self.clock.ms(), surviving=True)

    async def reset(self) -> None:
        await self.world.db.execute("UPDATE epoch SET epoch = epoch + 1")
        await self.world.db.execute("DELETE FROM seat_claim")
        self.holds.forget_epoch()
        await self.holds.of_order(self.event, 1)
        self.model.reset()

    @invariant()
    def redis_and_the_model_agree(self):
        self.run(self.compare())

    async def compare(self) -> None:
        counts = await assert_consistent(self.world.redis, self.event)
        held = sum(len(hold.seats) for hold in self.model.holds.values())
        sold = len(self.model.sold)
        assert counts == Counter(F=CAPACITY - held - sold, H=held, S=sold)
        found = await self.holds.of_orders((self.event, order) for order in range(1, ORDERS + 1))
        assert {
            order: (hold.account_id, sorted(hold.seats), hold.expires_at_ms, hold.frozen)
            for order, hold in found.items()
        } == {order: _facts(hold) for order, hold in self.model.living(self.clock.ms()).items()}
        holders = await asyncio.gather(
            *(self.holds.holder(self.event, seat) for seat in range(CAPACITY))
        )
        for seat, holder in enumerate(holders):
            said = (holder.order_id, holder.account_id) if holder else None
            assert said == self.model.holder(seat)
            assert holder is None or holder.sold == (seat in self.model.sold)
        self.clock.advance(0.2)  # the map is looked at anew
        zones = await self.maps.counts(self.event)
        assert all(zone.free + zone.held + zone.sold == zone.total for zone in zones)
        assert sum(zone.held for zone in zones) == held


def _facts(hold: ModelHold) -> tuple[int, list[int], int, bool]:
    return hold.account, sorted(hold.seats), hold.expires, hold.frozen


def test_redis_and_the_model_agree_after_any_sequence(shop_engine, db_url):
    with asyncio.Runner() as runner:
        world = World(runner, shop_engine.url, db_url)
        machine = type("SeatsHere", (Seats,), {"world": world})
        try:
            run_lives(machine, count=25, steps=40)
        finally:
            world.close()
