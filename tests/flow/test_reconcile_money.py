"""Stuck payments and orders, and the gateway's day beside ours."""

from typing import Any

import pytest

from sales.outbox import MONEY
from sales.reconcile.gateway import GatewayCheck, GatewaySilent
from sales.reconcile.kinds import (
    DAY_DIFFERS,
    GATEWAY_DIFFERS,
    NOTICES_LATE,
    ORDER_STUCK,
    PAYMENT_STUCK,
    PAYMENT_UNWATCHED,
)
from sales.reconcile.stuck import StuckCheck
from tests.fakes import Refuse, Silent


@pytest.fixture
def stuck(shop):
    return StuckCheck(shop.db, shop.clock)


class Night:
    """The gateway's check of the day on which the tests live."""

    def __init__(self, shop) -> None:
        self.shop = shop

        async def pause(_: float) -> None:
            """Nobody waits in a test."""

        self.check = GatewayCheck(shop.db, shop.clock, shop.gateway, pause)

    async def run(self, cursor=None):
        day = cursor or {"day": str(self.shop.clock.now().date())}
        found, right = [], []
        following = day
        while following is not None:
            page = await self.check.page(following)
            found += page.open
            right += page.right
            following = page.cursor
        self.found, self.right = found, right
        return [one.kind for one in found]


@pytest.fixture
def night(shop):
    return Night(shop)


async def kinds(stuck) -> list[str]:
    page = await stuck.page({})
    assert page.cursor is None
    return [one.kind for one in [*page.open, *page.repaired]]


async def test_a_payment_under_way_is_not_stuck(stuck, shop):
    await shop.placed(0)
    await shop.later(11 * 60)
    assert await kinds(stuck) == []


async def test_a_payment_that_nobody_asks_about_is_asked_about_again(stuck, shop):
    order = await shop.placed(0)
    await shop.db.execute("DELETE FROM notice")
    shop.gateway.pay()
    shop.clock.advance(30)
    assert await kinds(stuck) == []
    shop.clock.advance(31)
    assert await kinds(stuck) == [PAYMENT_UNWATCHED]
    assert await kinds(stuck) == []
    assert await shop.db.fetchval("SELECT lane FROM notice") == MONEY
    await shop.drain()
    assert await shop.state(order.id) == ("paid", "captured")


async def test_a_payment_without_an_end_is_for_staff(stuck, shop):
    order = await shop.placed(0)
    await shop.db.execute("UPDATE notice SET parked_at = now()")
    shop.clock.advance(42 * 60 - 1)
    assert await kinds(stuck) == []
    shop.clock.advance(2)
    page = await stuck.page({})
    [one] = page.open
    payment = await shop.payments.of_order(order.id)
    assert (one.kind, one.subject) == (PAYMENT_STUCK, f"payment:{payment.id}")
    assert one.found["gateway_order_id"] == payment.gateway_order_id
    shop.clock.advance(15 * 60)
    assert await kinds(stuck) == [PAYMENT_STUCK, ORDER_STUCK]


async def test_notices_that_nobody_takes_are_told_by_lane(stuck, shop):
    await shop.placed(0)
    shop.clock.advance(4 * 60)
    assert await kinds(stuck) == []
    shop.clock.advance(2 * 60)
    page = await stuck.page({})
    assert [(one.kind, one.subject) for one in page.open] == [(NOTICES_LATE, "lane:money")]


async def test_more_than_a_page_is_looked_at_in_pages(stuck, shop, monkeypatch):
    monkeypatch.setattr("sales.reconcile.stuck.PAGE", 2)
    for seat in range(5):
        await shop.placed(seat, buyer=seat + 10)
    await shop.db.execute("UPDATE notice SET parked_at = now()")
    shop.clock.advance(2 * 3600)
    cursor: dict[str, Any] | None = {}
    found: set[str] = set()
    while cursor is not None:
        page = await stuck.page(cursor)
        found |= {one.subject for one in page.open if one.kind == PAYMENT_STUCK}
        cursor = page.cursor
    assert len(found) == 5


async def test_a_day_on_which_both_agree_is_right(night, shop):
    for seat in range(3):
        await shop.placed(seat, buyer=seat + 10)
    for booked, status in zip(
        list(shop.gateway.books.values()), ("AUTHORIZED", "REJECTED", "NEW"), strict=True
    ):
        booked.status = status
    await shop.later(20 * 60)
    assert await night.run() == []
    assert [one.kind for one in night.right] == [DAY_DIFFERS]
    assert night.right[0].found == {"taken": 500_000, "posted": 500_000, "told": 500_000}


async def paid(shop, seat: int = 0):
    order = await shop.placed(seat)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.drain()
    return order


async def test_money_that_the_gateway_does_not_have_is_for_staff(night, shop):
    order = await paid(shop)
    shop.gateway.newest.status = "CANCELLED"
    assert await night.run() == [GATEWAY_DIFFERS, DAY_DIFFERS]
    found = night.found[0].found
    assert (found["order_id"], found["ours"], found["theirs"]) == (
        order.id,
        "captured",
        "CANCELLED",
    )


async def test_a_sum_that_differs_shows_in_the_payment_and_in_the_day(night, shop):
    await paid(shop)
    shop.gateway.newest.amount -= 100
    assert await night.run() == [GATEWAY_DIFFERS, DAY_DIFFERS]
    assert night.found[1].found == {"taken": 500_000, "posted": 500_000, "told": 499_900}


async def test_a_payment_the_gateway_has_forgotten_is_for_staff(night, shop):
    await paid(shop)
    shop.gateway.books.clear()
    assert await night.run() == [GATEWAY_DIFFERS, DAY_DIFFERS]
    assert night.found[0].found["theirs"] == "1404"


async def test_money_kept_for_an_order_that_ended_is_for_staff(night, shop):
    order = await shop.placed(0)
    await shop.later(20 * 60)
    assert (await shop.orders.get(order.id)).state == "expired"
    shop.gateway.newest.status = "CONFIRMED"
    assert await night.run() == [GATEWAY_DIFFERS]


async def test_an_answer_that_fits_at_the_second_look_is_no_difference(night, shop):
    await paid(shop)
    shop.gateway.plan("check", Refuse("1404"), "ok")
    assert await night.run() == []


async def test_a_silent_gateway_is_waited_for(night, shop):
    await paid(shop)
    shop.gateway.plan("check", Silent(acted=False))
    with pytest.raises(GatewaySilent):
        await night.run()
    assert await night.run() == []


async def test_what_was_wrong_another_night_is_looked_at_first(night, shop):
    """Else it would pass for vanished as soon as its day is over."""
    await paid(shop)
    payment_id = await shop.db.fetchval("SELECT id FROM payment")
    await shop.db.execute(
        "INSERT INTO review_item (kind, subject, first_seen, last_seen)"
        " VALUES ('gateway-differs', $1, now(), now())",
        f"payment:{payment_id}",
    )
    shop.gateway.newest.status = "CANCELLED"
    shop.clock.advance(5 * 24 * 3600)
    assert await night.run({}) == [GATEWAY_DIFFERS]
