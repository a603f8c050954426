"""Redis's seats against PostgreSQL: what is certain is mended, what is in flight is left alone."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sales.keys import EPOCH, HOLDERS, HOLDS, SEATS, key
from sales.reconcile.found import Difference
from sales.reconcile.kinds import (
    HOLD_OVERDUE,
    SEATS_DIFFER,
    SEATS_REPAIRED,
    SEATS_SIZE,
    TICKETS_DIFFER,
)
from sales.reconcile.seats import SeatCheck
from tests.flow.shop import ARU
from tests.halls import assert_consistent


class Desk:
    """A shop whose reconciler's pause is ours: `meanwhile` happens in it."""

    def __init__(self, shop) -> None:
        self.shop = shop
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.pauses = 0
        self.check = SeatCheck(shop.db, shop.clock, shop.holds.store, self.pause)

    async def pause(self, _: float) -> None:
        self.pauses += 1
        if self.meanwhile:
            await self.meanwhile()

    def key(self, name: str) -> str:
        return key(name, self.shop.event_id)

    @property
    def redis(self):
        return self.shop.holds.store.redis

    async def run(self) -> tuple[list[str], list[str]]:
        """Kinds found and kinds repaired, in a whole run."""
        cursor: dict[str, Any] | None = {}
        found: list[Difference] = []
        repaired: list[Difference] = []
        while cursor is not None:
            page = await self.check.page(cursor)
            found += page.open
            repaired += page.repaired
            cursor = page.cursor
        self.found, self.repaired = found, repaired
        return [one.kind for one in found], [one.kind for one in repaired]


@pytest.fixture
def desk(shop):
    return Desk(shop)


async def sold(shop, *seats: int):
    order = await shop.placed(*seats)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.drain()
    return order


async def test_a_shop_in_order_has_no_differences_and_is_read_once(desk, shop, monkeypatch):
    await sold(shop, 0, 1)
    await shop.placed(2)
    await shop.hold(3, buyer=ARU)
    assert await desk.run() == ([], [])
    assert desk.pauses == 0
    read = []
    monkeypatch.setattr(desk.check._read, "suspects", lambda *given: read.append(given))
    assert await desk.run() == ([], [])
    assert read == []


@pytest.mark.parametrize("lost", ["F", "H"])
async def test_a_sold_seat_that_redis_forgot_is_sold_there_again(desk, shop, lost):
    order = await sold(shop, 0)
    await desk.redis.setrange(desk.key(SEATS), 0, lost)
    await desk.redis.hdel(desk.key(HOLDERS), "0")
    assert await desk.run() == ([], [SEATS_REPAIRED])
    assert (await shop.seats())[0] == "S"
    assert (await desk.redis.hget(desk.key(HOLDERS), "0")).startswith(f"{order.id}:".encode())
    assert desk.repaired[0].found["seats"] == [0]
    assert await desk.run() == ([], [])


async def test_a_seat_sold_in_redis_alone_goes_free(desk, shop):
    order = await sold(shop, 0, 1)
    await shop.db.execute("DELETE FROM ticket WHERE seat = 0")
    await shop.db.execute("DELETE FROM seat_claim WHERE seat = 0")
    assert await desk.run() == ([], [SEATS_REPAIRED])
    assert (await shop.seats())[:2] == "FS"
    assert desk.repaired[0].found["orders"] == [order.id]
    await assert_consistent(desk.redis, shop.event_id)


async def test_a_seat_taken_by_nobody_is_filled_anew_and_other_peoples_holds_survive(desk, shop):
    await sold(shop, 0)
    hold = await shop.hold(3, 4, buyer=ARU)
    await desk.redis.setrange(desk.key(SEATS), 7, "H")
    assert await desk.run() == ([], [SEATS_REPAIRED])
    assert await shop.seats() == "SFFHHFFFFFF"
    kept = await shop.holds.of_order(shop.event_id, hold.id)
    assert kept is not None
    assert kept.seats == [3, 4]
    await assert_consistent(desk.redis, shop.event_id)


async def test_a_hold_of_an_order_that_has_ended_goes_free(desk, shop):
    order = await shop.hold(5, buyer=ARU)
    await shop.db.execute("UPDATE orders SET state = 'cancelled' WHERE id = $1", order.id)
    assert await desk.run() == ([], [SEATS_REPAIRED])
    assert set(await shop.seats()) == {"F"}
    await assert_consistent(desk.redis, shop.event_id)


async def test_a_claim_that_redis_gives_to_another_goes_to_its_owner(desk, shop):
    order = await shop.placed(2)
    await desk.redis.hset(desk.key(HOLDERS), "2", "999:5")
    assert await desk.run() == ([], [SEATS_REPAIRED])
    assert (await desk.redis.hget(desk.key(HOLDERS), "2")).startswith(f"{order.id}:".encode())


async def test_a_purchase_on_its_way_is_no_difference(desk, shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    assert (await shop.seats())[0] == "H"
    assert await desk.run() == ([], [])
    assert desk.pauses == 1
    assert (await shop.seats())[0] == "H"
    await shop.drain()
    assert await desk.run() == ([], [])
    assert desk.pauses == 1


async def test_a_cancelled_order_on_its_way_is_no_difference(desk, shop):
    order = await shop.placed(0, 1)
    await shop.orders.cancel(order.id, order.account_id)
    assert await desk.run() == ([], [])
    assert (await shop.seats())[:2] == "HH"


async def test_what_comes_right_in_the_pause_was_never_wrong(desk, shop):
    await sold(shop, 0)
    await desk.redis.setrange(desk.key(SEATS), 0, "F")

    async def come_right() -> None:
        await desk.redis.setrange(desk.key(SEATS), 0, "S")

    desk.meanwhile = come_right
    assert await desk.run() == ([], [])


async def test_a_reset_in_the_pause_voids_every_doubt(desk, shop):
    await sold(shop, 0)
    await desk.redis.setrange(desk.key(SEATS), 0, "F")

    async def reset() -> None:
        await shop.db.execute("UPDATE epoch SET epoch = epoch + 1")
        shop.holds.forget_epoch()

    desk.meanwhile = reset
    assert await desk.run() == ([], [])


async def test_an_event_that_redis_does_not_have_is_none_of_its_business(desk, shop):
    await sold(shop, 0)
    await desk.redis.flushall()
    assert await desk.run() == ([], [])
    assert await shop.seats() == ""
    await desk.redis.set(desk.key(EPOCH), "77-other")
    assert await desk.run() == ([], [])


async def test_tickets_that_disagree_with_claims_are_for_staff(desk, shop):
    order = await sold(shop, 0, 1)
    await shop.db.execute("DELETE FROM ticket WHERE seat = 1")
    assert await desk.run() == ([TICKETS_DIFFER], [])
    assert desk.found[0].found == {"seats": [1], "orders": [order.id]}
    assert await desk.run() == ([TICKETS_DIFFER], [])


async def test_a_hall_of_another_size_is_for_staff(desk, shop):
    await shop.hold(0)
    await desk.redis.append(desk.key(SEATS), "FF")
    assert await desk.run() == ([SEATS_SIZE], [])


async def test_a_hold_that_nobody_ends_is_for_staff(desk, shop):
    await shop.hold(0)
    shop.clock.advance(3600)
    assert await desk.run() == ([HOLD_OVERDUE], [])
    await shop.holds.lapse(shop.clock.now())
    assert await desk.run() == ([], [])


async def test_what_does_not_become_right_is_for_staff(desk, shop, monkeypatch):
    await sold(shop, 0)
    await desk.redis.setrange(desk.key(SEATS), 0, "F")

    async def in_vain(*_given) -> None:
        """Redis takes no writes."""

    monkeypatch.setattr("sales.reconcile.seats.mend", in_vain)
    assert await desk.run() == ([SEATS_DIFFER], [])


async def test_many_events_are_compared_page_by_page(desk, shop, monkeypatch):
    monkeypatch.setattr("sales.reconcile.seats.PAGE", 1)
    await sold(shop, 0)
    await desk.redis.zadd("holding", {"1": 1e15, "2": 1e15})
    await desk.redis.setrange(desk.key(SEATS), 0, "F")
    assert await desk.run() == ([], [SEATS_REPAIRED])


async def test_the_keys_of_holds_stay_whole(desk, shop):
    await sold(shop, 0, 1)
    await shop.hold(3, 4, buyer=ARU)
    await desk.redis.setrange(desk.key(SEATS), 3, "S")
    assert await desk.run() == ([], [SEATS_REPAIRED])
    assert await desk.redis.hlen(desk.key(HOLDS)) in {0, 1}
    await assert_consistent(desk.redis, shop.event_id)
