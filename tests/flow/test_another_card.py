"""A declined card is not the end: the same order, the same seats, another attempt, one purchase."""

import asyncio

import pytest

from sales.order import PaymentRefused, PaymentsAway
from sales.payments_again import ATTEMPTS_MAX
from sales.states import OrderState
from tests.fakes import Die, Killed, Refuse
from tests.flow.shop import BASE, BEK, ERMEK


async def declined(shop, order):
    """The newest attempt's card is refused, and we know it."""
    shop.gateway.pay("REJECTED")
    await shop.payments.hurry(order.id)


@pytest.fixture
async def order(shop):
    """Two seats, and one card that was refused."""
    order = await shop.placed(0, 1)
    await declined(shop, order)
    return order


async def attempts(shop):
    rows = await shop.db.fetch("SELECT attempt, state, gateway_order_id FROM payment ORDER BY id")
    return [(row["attempt"], row["state"]) for row in rows]


async def ended(shop, order):
    now = await shop.orders.get(order.id)
    return now.state, now.reason


async def test_after_a_declined_card_the_seats_stay_and_another_card_buys_them(shop, order):
    assert await shop.state(order.id) == ("pending", "declined")
    assert await shop.claims() == {0: (order.id, False), 1: (order.id, False)}
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert checkout.payment_state == "offered"
    assert checkout.payment_url == shop.gateway.form_url(shop.gateway.newest.payment_id)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("paid", "captured")
    assert await attempts(shop) == [(1, "declined"), (2, "captured")]
    assert len(await shop.tickets.of_order(order.id)) == 2
    await shop.later(30 * 60)
    assert await shop.state(order.id) == ("paid", "captured")
    assert (await shop.seats())[:3] == "SSF"
    assert await shop.notices() == []


async def test_each_attempt_has_an_order_id_of_its_own_at_the_gateway(shop, order):
    await shop.orders.place(order.id, BEK, BASE)
    first, second = shop.gateway.books
    assert first.startswith(f"bl-{order.id}-1-")
    assert second.startswith(f"bl-{order.id}-2-")
    assert {one.amount for one in shop.gateway.books.values()} == {1_000_000}


async def test_clicks_at_once_begin_one_attempt(shop, order):
    both = await asyncio.gather(*(shop.orders.place(order.id, BEK, BASE) for _ in range(8)))
    assert len({one.payment_url for one in both}) == 1
    assert await attempts(shop) == [(1, "declined"), (2, "offered")]
    assert shop.gateway.calls.count("init") == 2


async def test_a_form_sent_again_begins_no_other_attempt(shop, order):
    again = await shop.orders.place(order.id, BEK, BASE, attempt=1)
    assert (again.payment_state, again.payment_url) == ("declined", None)
    await shop.orders.place(order.id, BEK, BASE, attempt=2)
    await declined(shop, order)
    again = await shop.orders.place(order.id, BEK, BASE, attempt=2)
    assert again.payment_state == "declined"
    assert await attempts(shop) == [(1, "declined"), (2, "declined")]


async def test_tries_have_an_end_and_then_the_seats_go_free(shop, order):
    for number in range(2, ATTEMPTS_MAX["web"] + 1):
        assert (await shop.orders.get(order.id)).state == "pending"
        await shop.orders.place(order.id, BEK, BASE, attempt=number)
        await declined(shop, order)
    assert await ended(shop, order) == ("cancelled", "declined")
    assert await shop.claims() == {}
    with pytest.raises(OrderState):
        await shop.orders.place(order.id, BEK, BASE)
    await shop.drain()
    assert set(await shop.seats()) == {"F"}


async def test_time_has_an_end_and_then_the_seats_go_free(shop, order):
    await shop.later(11 * 60)
    assert await ended(shop, order) == ("pending", None)
    await shop.later(2 * 60)
    assert await ended(shop, order) == ("cancelled", "declined")
    assert await shop.claims() == {}
    assert await shop.notices() == []


async def test_a_card_declined_in_the_last_minute_leaves_time_for_another(shop):
    order = await shop.placed(0)
    await shop.later(11 * 60)
    await declined(shop, order)
    await shop.later(3 * 60)
    assert (await shop.orders.place(order.id, BEK, BASE)).payment_state == "offered"
    shop.gateway.pay()
    await shop.later(60)
    assert await shop.state(order.id) == ("paid", "captured")


async def test_the_map_keeps_them_held_as_long_as_the_order_does(shop):
    order = await shop.placed(0)
    for _ in range(4):
        await shop.later(3.5 * 60)
        await declined(shop, order)
        await shop.orders.place(order.id, BEK, BASE)
    # Redis was told fifteen minutes once; these are seventeen.
    await shop.later(3 * 60)
    assert await shop.holds.lapse(shop.clock.now()) == 0
    assert (await shop.seats())[0] == "H"
    await shop.later(2 * 60)
    assert await ended(shop, order) == ("expired", "unpaid")
    assert (await shop.seats())[0] == "F"


async def test_nobody_keeps_seats_longer_than_the_whole_time_by_trying_on(shop):
    order = await shop.placed(0)
    for _ in range(ATTEMPTS_MAX["web"] - 1):
        await shop.later(5 * 60)
        await declined(shop, order)
        if (await shop.orders.get(order.id)).state != "pending":
            break
        await shop.orders.place(order.id, BEK, BASE)
    await shop.later(21 * 60 - (shop.clock.now() - order.updated_at).total_seconds())
    assert (await shop.orders.get(order.id)).state != "pending"
    assert await shop.claims() == {}


async def test_the_next_attempt_that_nobody_pays_expires_like_the_first(shop, order):
    await shop.orders.place(order.id, BEK, BASE)
    await shop.later(13 * 60)
    assert await ended(shop, order) == ("expired", "unpaid")
    assert await attempts(shop) == [(1, "declined"), (2, "cancelled")]
    assert await shop.claims() == {}


async def test_between_two_cards_the_buyer_may_cancel(shop, order):
    await shop.orders.cancel(order.id, BEK)
    assert await ended(shop, order) == ("cancelled", "buyer")
    assert await shop.claims() == {}
    with pytest.raises(OrderState):
        await shop.orders.place(order.id, BEK, BASE)
    await shop.drain()
    other = await shop.placed(0, buyer=ERMEK)
    assert other.state == "pending"


async def test_a_booking_of_the_contract_ends_with_its_first_declined_card(shop):
    order = await shop.orders.open(BEK, shop.event_id, "api")
    await shop.holds.hold(shop.event_id, order.id, BEK, [0])
    await shop.orders.place(order.id, BEK, BASE)
    await declined(shop, order)
    assert await ended(shop, order) == ("cancelled", "declined")
    assert await shop.claims() == {}


async def test_while_the_gateway_is_left_alone_the_seats_wait_too(shop, order):
    shop.gateway.away["init"] = 5
    with pytest.raises(PaymentsAway):
        await shop.orders.place(order.id, BEK, BASE)
    assert await attempts(shop) == [(1, "declined")]
    assert await shop.claims() == {0: (order.id, False), 1: (order.id, False)}


async def test_a_second_init_that_is_refused_ends_the_order(shop, order):
    shop.gateway.plan("init", Refuse("1100"))
    with pytest.raises(PaymentRefused):
        await shop.orders.place(order.id, BEK, BASE)
    assert await ended(shop, order) == ("cancelled", "gateway-refused")
    assert await shop.claims() == {}


@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_the_second_init_the_buyer_finds_the_form_later(shop, order, after):
    shop.gateway.plan("init", Die(after))
    with pytest.raises(Killed):
        await shop.orders.place(order.id, BEK, BASE)
    await shop.later(30)
    assert await attempts(shop) == [(1, "declined"), (2, "offered")]
    assert len(shop.gateway.books) == 2
