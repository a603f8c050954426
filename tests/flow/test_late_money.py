"""Money for an order that has ended takes its seats again if all are free, else it goes back."""

import pytest

from tests.flow.shop import ERMEK


@pytest.fixture
async def lapsed(shop):
    """An expired order whose payment form the gateway would not close."""
    shop.gateway.faithful = True
    order = await shop.placed(0, 1)
    await shop.later(12 * 60 + 10)
    assert await shop.state(order.id) == ("expired", "lapsed")
    assert await shop.claims() == {}
    return order


async def test_with_all_its_seats_free_the_order_is_paid_after_all(shop, lapsed):
    shop.gateway.pay()
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("paid", "captured")
    assert await shop.claims() == {0: (lapsed.id, True), 1: (lapsed.id, True)}
    assert len(await shop.tickets.of_order(lapsed.id)) == 2
    await shop.drain()
    assert (await shop.seats())[:3] == "SSF"


async def test_with_a_seat_gone_the_money_goes_back_and_nothing_is_captured(shop, lapsed):
    shop.gateway.faithful = False
    bek = shop.gateway.newest
    other = await shop.placed(1, buyer=ERMEK)
    bek.status = "AUTHORIZED"
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("expired", "reversed")
    assert (bek.status, bek.confirms) == ("CANCELLED", 0)
    assert await shop.claims() == {1: (other.id, False)}


async def test_somebody_who_is_only_choosing_does_not_lose_the_seat_to_it(shop, lapsed):
    shop.gateway.faithful = False
    await shop.hold(1, buyer=ERMEK)
    shop.gateway.pay()
    await shop.payments.hurry(lapsed.id)
    assert await shop.state(lapsed.id) == ("expired", "reversed")


async def test_too_late_to_be_confirmed_it_goes_back(shop, lapsed):
    shop.gateway.faithful = False
    await shop.later(5 * 60)
    shop.gateway.pay()
    await shop.later(120)
    assert await shop.state(lapsed.id) == ("expired", "reversed")
    assert await shop.claims() == {}


async def test_what_the_buyer_cancelled_is_not_taken_again(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    await shop.orders.cancel(order.id, order.account_id)
    shop.gateway.faithful = False
    shop.gateway.pay()
    await shop.later(90)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert shop.gateway.newest.confirms == 0


async def test_a_late_refusal_of_the_card_ends_the_watch(shop, lapsed):
    shop.gateway.pay("REJECTED")
    await shop.later(200)
    assert await shop.state(lapsed.id) == ("expired", "lapsed")
    assert await shop.notices() == []


async def test_a_release_told_late_does_not_free_what_was_sold_again(shop):
    shop.gateway.faithful = True
    order = await shop.placed(0)
    shop.clock.advance(12 * 60 + 10)
    payment = await shop.payments.of_order(order.id)
    await shop.payments.settle(payment.id)
    assert await shop.state(order.id) == ("expired", "lapsed")
    # The release has not been told to Redis yet, where the seat is still held for this order.
    await shop.db.execute(
        "UPDATE notice SET due_at = due_at + interval '1 hour' WHERE kind = 'order.released'"
    )
    shop.gateway.pay()
    await shop.payments.settle(payment.id)
    await shop.later(20)
    assert await shop.state(order.id) == ("paid", "captured")
    await shop.later(3700)
    assert (await shop.seats())[0] == "S"
