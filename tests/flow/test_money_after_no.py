"""Money for an attempt that was declined: one attempt at most is captured, the rest goes back."""

import asyncio

import asyncpg
import pytest

from sales.ledger import Ledger
from sales.payouts import Payouts
from tests.fakes import Silent
from tests.flow.shop import BASE, BEK
from tests.flow.test_another_card import attempts, declined, ended


@pytest.fixture
async def order(shop):
    """Two seats, and one card that was refused a while ago: nobody looks at it any more."""
    order = await shop.placed(0, 1)
    await declined(shop, order)
    await shop.later(10)
    assert await kinds(shop) == ["order.expire"]
    return order


async def kinds(shop):
    return [kind for kind, _ in await shop.notices()]


async def test_money_for_the_old_attempt_beside_a_new_one_goes_back(shop, order):
    old = shop.gateway.newest
    await shop.orders.place(order.id, BEK, BASE)
    old.status = "AUTHORIZED"
    await notify(shop, old)
    assert await attempts(shop) == [(1, "reversed"), (2, "offered")]
    assert (old.status, old.confirms) == ("CANCELLED", 0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("paid", "captured")
    assert await shop.claims() == {0: (order.id, True), 1: (order.id, True)}


async def test_money_for_the_old_attempt_of_a_paid_order_goes_back(shop, order):
    old = shop.gateway.newest
    await shop.orders.place(order.id, BEK, BASE)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    old.status = "AUTHORIZED"
    shop.gateway.plan("cancel", Silent(acted=True))
    await notify(shop, old)
    await shop.later(60)
    assert await attempts(shop) == [(1, "reversed"), (2, "captured")]
    assert (old.status, old.cancels, old.confirms) == ("CANCELLED", 1, 0)
    assert (await shop.orders.get(order.id)).state == "paid"
    assert len(await shop.tickets.of_order(order.id)) == 2


async def test_money_that_is_not_wanted_goes_back_however_long_the_gateway_is_silent(shop, order):
    old = shop.gateway.newest
    await shop.orders.place(order.id, BEK, BASE)
    old.status = "AUTHORIZED"
    shop.gateway.plan("cancel", *[Silent(acted=False)] * 1000)
    await notify(shop, old)
    await shop.later(20 * 60)
    shop.gateway.script["cancel"].clear()
    await shop.later(5 * 60)
    assert (old.status, old.confirms) == ("CANCELLED", 0)
    assert (1, "reversed") in await attempts(shop)


async def test_money_after_the_no_is_taken_however_long_confirm_is_silent(shop, order):
    shop.gateway.newest.status = "AUTHORIZED"
    shop.gateway.plan("confirm", *[Silent(acted=False)] * 1000)
    await notify(shop, shop.gateway.newest)
    await shop.later(5 * 60)
    assert await shop.state(order.id) == ("pending", "authorised")
    shop.gateway.script["confirm"].clear()
    await shop.later(60)
    assert await shop.state(order.id) == ("paid", "captured")


async def test_money_that_cannot_be_given_back_is_shown_to_staff_and_costs_nobody_his_seats(
    shop, order
):
    shop.gateway.faithful = True
    old = shop.gateway.newest
    await shop.orders.place(order.id, BEK, BASE)
    old.status = "AUTHORIZED"
    await notify(shop, old)
    assert await attempts(shop) == [(1, "owed"), (2, "offered")]
    assert await ended(shop, order) == ("pending", None)
    await shop.drain()
    (line,) = await Payouts(shop.db, shop.clock).waiting()
    assert (line.order_id, line.reason, line.last_error) == (order.id, "money-late", "3001")
    # The second attempt is paid, and can go back by the bank whatever became of the first.
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    assert (await shop.refunds.ask(order.id, BEK)).state == "asked"
    assert await Ledger(shop.db).check() == []


async def test_money_after_the_no_is_taken_while_the_order_still_waits_for_it(shop, order):
    shop.gateway.newest.status = "AUTHORIZED"
    await notify(shop, shop.gateway.newest)
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.confirms == 1


async def test_money_after_the_order_has_ended_goes_back(shop, order):
    old = shop.gateway.newest
    await shop.orders.cancel(order.id, BEK)
    old.status = "AUTHORIZED"
    await notify(shop, old)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert old.confirms == 0


async def test_two_open_attempts_and_two_captures_cannot_be_written(shop, order):
    """Whatever the code does: PostgreSQL refuses."""
    await shop.orders.place(order.id, BEK, BASE)
    for state in ("started", "offered", "unknown", "authorised", "captured"):
        with pytest.raises(asyncpg.UniqueViolationError):
            await shop.db.execute("UPDATE payment SET state = $1 WHERE attempt = 1", state)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    with pytest.raises(asyncpg.UniqueViolationError):
        await shop.db.execute("UPDATE payment SET state = 'captured' WHERE attempt = 1")


async def test_both_attempts_paid_at_once_are_captured_once(shop, order):
    """Old and new are settled in the same moments, many times over."""
    old = shop.gateway.newest
    await shop.orders.place(order.id, BEK, BASE)
    new = shop.gateway.newest
    old.status = new.status = "AUTHORIZED"
    ids = [row["id"] for row in await shop.db.fetch("SELECT id FROM payment ORDER BY id")]
    settle = shop.payments._settler.settle  # without the memory that joins equal calls
    await asyncio.gather(*(settle(one) for one in ids * 4))
    assert await attempts(shop) == [(1, "reversed"), (2, "captured")]
    assert (old.status, new.status) == ("CANCELLED", "CONFIRMED")
    assert old.confirms + new.confirms == 1
    assert len(await shop.tickets.of_order(order.id)) == 2


async def notify(shop, booked):
    """A webhook says that this payment has money; whatever follows from it at once."""
    body = b'{"paymentId":"%s","status":"AUTHORIZED"}' % booked.payment_id.encode()
    await shop.payments.notification(body, None)
    await shop.drain()
