"""Money under way when sales are reset: the gateway lets go of it, and nothing is captured."""

from random import Random

import pytest

from sales.outbox_parked import ParkedNotices
from sales.reset import Reset
from tests.fakes import Refuse, Silent


@pytest.fixture
def reset(shop):
    epochs = shop.holds.store.epochs
    return Reset(shop.db, shop.clock, epochs, allowed=True, chance=Random(1))


@pytest.mark.parametrize("paid", [False, True])
async def test_an_open_payment_is_cancelled_and_a_reserved_sum_reversed(shop, reset, paid):
    await shop.placed(0)
    if paid:
        shop.gateway.pay()
    await reset.reset("test")
    await shop.later(1)
    assert (shop.gateway.newest.status, shop.gateway.newest.confirms) == ("CANCELLED", 0)
    assert await shop.notices() == []


async def test_a_card_being_looked_at_is_waited_for(shop, reset):
    await shop.placed(0)
    shop.gateway.pay("FORM_SHOWED")
    await reset.reset("test")
    await shop.later(1)
    assert shop.gateway.newest.status == "FORM_SHOWED"
    shop.gateway.pay("AUTHORIZED")
    await shop.later(10)
    assert shop.gateway.newest.status == "CANCELLED"


async def test_a_silent_gateway_is_asked_again(shop, reset):
    await shop.placed(0)
    shop.gateway.plan("check", Silent(acted=False))
    shop.gateway.plan("cancel", Silent(acted=False))
    await reset.reset("test")
    await shop.later(60)
    assert shop.gateway.newest.status == "CANCELLED"
    assert await shop.notices() == []


async def test_money_the_gateway_will_not_give_back_is_set_aside_for_staff(shop, reset):
    await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("cancel", *[Refuse("3001")] * 3)
    await reset.reset("test")
    await shop.later(60)
    assert await shop.db.fetchval("SELECT count(*) FROM notice WHERE parked_at IS NOT NULL") == 1


async def test_it_is_asked_after_a_day_without_the_gateway_and_whenever_staff_says_so(shop, reset):
    await shop.placed(0)
    shop.gateway.plan("check", Refuse("TOKEN_INVALID"))
    await reset.reset("test")
    await shop.drain()
    assert len(await shop.notices()) == 1, "a wrong token says nothing about the payment"
    shop.clock.advance(2 * 24 * 3600)
    shop.gateway.plan("check", Silent(acted=False))
    await shop.drain()
    parked = ParkedNotices(shop.db, shop.clock)
    (notice,) = await parked.page()
    await parked.retry(notice.id, "account:3")
    await shop.drain()
    assert shop.gateway.newest.status == "CANCELLED"
    assert await shop.notices() == []


async def test_a_settled_payment_is_left_alone(shop, reset):
    order = await shop.placed(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.drain()
    await reset.reset("test")
    await shop.later(60)
    assert shop.gateway.newest.status == "CONFIRMED"
