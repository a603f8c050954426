"""Any sequence of purchases, returns and payouts, with a gateway that answers, acts in silence,
refuses or stays still: no money is lost or given twice, and every seat is somebody's or free.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.db import open_pool
from kernel.errors import Refusal
from sales.ledger import Ledger
from sales.payouts import Payouts
from tests.fakes import FakeGateway, Refuse, Silent
from tests.flow.shop import AHEAD, BEK, ERMEK, open_shop
from tests.halls import assert_consistent
from tests.model.lives import run_lives

CAPACITY = 11
ANSWERS = st.sampled_from(["ok", Silent(acted=True), Silent(acted=False), Refuse("3001")])
T = TypeVar("T")


class Returns(RuleBasedStateMachine):
    runner: ClassVar[asyncio.Runner]
    db: ClassVar[Any]
    redis: ClassVar[Any]
    folder: ClassVar[Any]
    # One for all sequences, for its ids are unique for ever.
    gateway: ClassVar[FakeGateway]

    def __init__(self) -> None:
        super().__init__()
        self.run(self.redis.flushall())
        self.run(self.db.execute("DELETE FROM notice"))
        opening = open_shop(
            self.db, self.redis, ManualClock(), self.folder, self.gateway, starts_at=AHEAD
        )
        self.shop = self.run(opening)
        self.run(self.db.execute("UPDATE event SET refund_fee_percent = 7 WHERE id % 2 = 0"))
        self.orders: list[int] = []

    def run(self, step: Awaitable[T]) -> T:
        async def wait() -> T:
            return await step

        return self.runner.run(wait())

    @rule(seats=st.sets(st.integers(0, CAPACITY - 1), min_size=1, max_size=4), who=st.booleans())
    def buy(self, seats: set[int], who: bool) -> None:  # noqa: FBT001  # drawn
        try:
            order = self.run(self.shop.paid(*sorted(seats), buyer=BEK if who else ERMEK))
        except Refusal:
            return
        self.orders.append(order.id)

    @rule(data=st.data(), answers=st.lists(ANSWERS, max_size=3), clicks=st.integers(1, 3))
    def give_back(self, data: st.DataObject, answers: list[Any], clicks: int) -> None:
        if not self.orders:
            return
        order = self.run(self.shop.orders.get(data.draw(st.sampled_from(self.orders))))
        tickets = self.run(self.shop.tickets.of_order(order.id))
        ids = data.draw(st.none() | st.sets(st.sampled_from([one.id for one in tickets])))
        self.gateway.script["cancel"].clear()
        self.gateway.plan("cancel", *answers)

        async def click() -> list[Any]:
            asked = [
                self.shop.refunds.ask(
                    order.id, order.account_id, None if ids is None else sorted(ids)
                )
                for _ in range(clicks)
            ]
            return await asyncio.gather(*asked, return_exceptions=True)

        for answer in self.run(click()):
            if isinstance(answer, Exception) and not isinstance(answer, Refusal):
                raise answer

    @rule()
    def work(self) -> None:
        self.run(self.shop.drain())

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.run(self.shop.later(minutes * 60))

    @rule()
    def pay_out(self) -> None:
        payouts = Payouts(self.db, self.shop.clock)
        for line in self.run(payouts.waiting(limit=2)):
            self.run(payouts.pay(line.id, f"KZ-{line.id}", "account:3"))

    @invariant()
    def the_ledger_balances(self) -> None:
        ledger = Ledger(self.db)
        assert self.run(ledger.check()) == []
        assert sum(self.run(ledger.balances()).values()) == 0

    @invariant()
    def no_money_goes_back_twice(self) -> None:
        rows = self.run(
            self.db.fetch(
                "SELECT orders.total, sum(refund.amount + refund.fee) AS gone FROM orders"
                " JOIN refund ON refund.order_id = orders.id GROUP BY orders.id"
            )
        )
        assert all(row["gone"] <= row["total"] for row in rows)
        assert all(booked.cancels <= 1 for booked in self.gateway.books.values())
        paid_by_hand = self.run(
            self.db.fetch(
                "SELECT gateway_order_id FROM refund JOIN payment ON payment.id = payment_id"
                " WHERE refund.state IN ('queued', 'paid_out')"
            )
        )
        status = {key: booked.status for key, booked in self.gateway.books.items()}
        assert {status[row["gateway_order_id"]] for row in paid_by_hand} <= {"CONFIRMED"}

    @invariant()
    def each_seat_is_somebodys_or_free(self) -> None:
        event = self.shop.event_id
        claims = self.run(
            self.db.fetch("SELECT seat FROM seat_claim WHERE event_id = $1 AND sold", event)
        )
        tickets = self.run(
            self.db.fetch("SELECT seat FROM ticket WHERE event_id = $1 AND state = 'valid'", event)
        )
        assert sorted(row["seat"] for row in claims) == sorted(row["seat"] for row in tickets)
        if not self.run(self.shop.holds.store.redis.exists(f"seats:{{{event}}}")):
            return
        seats: Counter[str] = self.run(assert_consistent(self.redis, event))
        assert sum(seats.values()) == CAPACITY
        assert seats["S"] == len(claims)


def test_any_sequence_of_returns(shop_engine, db_url, tmp_path):
    with asyncio.Runner() as runner:
        Returns.runner, Returns.folder, Returns.gateway = runner, tmp_path, FakeGateway()
        Returns.redis = Redis.from_url(shop_engine.url)
        Returns.db = runner.run(open_pool(db_url))
        try:
            run_lives(Returns, count=12, steps=15)
        finally:
            Returns.db.terminate()
            runner.run(Returns.redis.aclose())
