"""The process dies between any two steps of a purchase; the notices take it to its end."""

from collections.abc import Awaitable
from typing import Any

import pytest

from sales.outbox import LANE_OF, TAKEN_S
from tests.fakes import Die, Killed
from tests.flow.shop import BASE, BEK


async def killed(verb: Awaitable[Any]) -> None:
    with pytest.raises(Killed):
        await verb


async def test_before_the_promise_nothing_has_happened_and_the_hold_ends_by_itself(
    shop, monkeypatch
):
    order = await shop.hold(0)

    async def die(*args, **kwargs):
        raise Killed

    monkeypatch.setattr(shop.orders._placing, "_commit", die)
    await killed(shop.orders.place(order.id, BEK, BASE))
    monkeypatch.undo()
    assert (await shop.orders.get(order.id)).state == "open"
    assert await shop.claims() == {}
    # Frozen, it cannot lapse quietly; in the end PostgreSQL is asked and knows of no order.
    shop.clock.advance(16 * 60)
    assert await shop.holds.lapse(shop.clock.now()) == 1
    assert set(await shop.seats()) == {"F"}


@pytest.mark.parametrize("after", [False, True])
async def test_at_init_the_buyer_finds_the_payment_on_the_order_page(shop, after):
    order = await shop.hold(0)
    shop.gateway.plan("init", Die(after))
    await killed(shop.orders.place(order.id, BEK, BASE))
    assert await shop.state(order.id) == ("pending", "started")
    await shop.later(30)
    assert await shop.state(order.id) == ("pending", "offered")
    assert len(shop.gateway.books) == 1
    again = await shop.orders.place(order.id, BEK, BASE)
    assert again.payment_url == shop.gateway.form_url(shop.gateway.newest.payment_id)


@pytest.mark.parametrize("after", [False, True])
async def test_at_confirm_the_purchase_is_finished_by_another_worker(shop, after):
    order = await shop.placed(0, 1)
    shop.gateway.pay()
    shop.gateway.plan("confirm", Die(after))
    payment = await shop.payments.of_order(order.id)
    await killed(shop.payments.settle(payment.id))
    assert await shop.state(order.id) == ("pending", "authorised")
    assert await shop.tickets.of_order(order.id) == []
    await shop.later(30)
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.confirms == 1
    assert len(await shop.tickets.of_order(order.id)) == 2


@pytest.mark.parametrize("after", [False, True])
async def test_at_cancel_the_order_ends_all_the_same(shop, after):
    order = await shop.placed(0)
    payment = await shop.payments.of_order(order.id)
    assert await shop.payments.wish_end(payment.id, "buyer", order, "account:2")
    shop.gateway.plan("cancel", Die(after))
    await killed(shop.payments.settle(payment.id))
    assert (await shop.orders.get(order.id)).state == "pending"
    assert await shop.claims() == {0: (order.id, False)}
    await shop.later(10)
    assert await shop.state(order.id) == ("cancelled", "cancelled")
    assert await shop.claims() == {}


@pytest.mark.parametrize("after", [False, True])
async def test_while_expiring_the_seats_go_free_later(shop, after):
    order = await shop.placed(0)
    shop.clock.advance(12 * 60 + 1)
    shop.gateway.plan("cancel", Die(after))
    payment = await shop.payments.of_order(order.id)
    await killed(shop.payments.settle(payment.id))
    await shop.later(30)
    assert await shop.state(order.id) == ("expired", "cancelled")
    assert await shop.claims() == {}


async def test_a_worker_killed_with_notices_in_hand_gives_them_back(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    taken = await shop.outbox._take()
    assert [notice.kind for notice in taken] == ["order.paid"]
    assert await shop.drain() == 0
    assert (await shop.seats())[0] == "H"
    shop.clock.advance(TAKEN_S)
    await shop.drain()
    assert (await shop.seats())[0] == "S"


async def test_every_notice_may_be_told_twice(shop):
    """The worker dies after a handler did its part and before it could say so."""
    order = await shop.placed(0)
    shop.gateway.pay()
    every = "SELECT kind, subject_id, payload FROM notice ORDER BY id"
    rows = await shop.db.fetch(every)
    await shop.payments.hurry(order.id)
    rows += await shop.db.fetch(every)
    await shop.later(60)
    before = await shop.seats(), await shop.claims(), shop.rooms.told, shop.gateway.newest.confirms
    for row in rows:
        await shop.db.execute(
            "INSERT INTO notice (kind, lane, subject_id, payload, due_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            row["kind"],
            LANE_OF[row["kind"]],
            row["subject_id"],
            row["payload"],
            shop.clock.now(),
        )
    assert len(rows) == 3
    await shop.later(12 * 60)
    after = await shop.seats(), await shop.claims(), shop.rooms.told, shop.gateway.newest.confirms
    assert after == before
    assert await shop.notices() == []
    assert await shop.state(order.id) == ("paid", "captured")
