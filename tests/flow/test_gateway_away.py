"""The gateway is left alone for a while: not hammered, nobody loses a seat, people are told."""

from random import Random

import pytest

from sales.breaker import IN_A_ROW
from sales.gateway import ReturnUrls, Unknown
from sales.gateway_careful import CarefulGateway
from sales.order import PaymentsAway
from sales.outbox import Again
from tests.fakes import FakeGateway, Silent
from tests.flow.shop import BASE, BEK, open_shop


@pytest.fixture
async def fake():
    return FakeGateway()


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path, fake):
    careful = CarefulGateway(
        fake, rate_per_s=1e6, at_once=64, chance=Random(5), seconds=lambda: clock.ms() / 1000
    )
    return await open_shop(db, redis_shop, clock, tmp_path, careful)


async def silent_for(shop, fake, call, seconds):
    """The gateway says nothing to this kind of call for so long."""
    fake.plan(call, *[Silent(acted=False)] * 10_000)
    before = len(fake.calls)
    await shop.later(seconds)
    fake.script[call].clear()
    return fake.calls[before:].count(call)


async def test_who_is_at_the_gateway_keeps_his_seats_and_it_is_not_hammered(shop, fake):
    orders = [await shop.placed(seat) for seat in range(8)]
    asked = await silent_for(shop, fake, "check", 300)
    # Eight payments would have looked about eighty times.
    assert asked < 45
    assert {(await shop.state(order.id)) for order in orders} == {("pending", "offered")}
    assert set(await shop.claims()) == set(range(8))
    for booked in fake.books.values():
        booked.status = "AUTHORIZED"
    await shop.later(90)
    assert {(await shop.state(order.id)) for order in orders} == {("paid", "captured")}


async def test_a_captured_payment_waits_for_confirm_to_come_back(shop, fake):
    order = await shop.placed(0)
    fake.pay()
    fake.plan("confirm", *[Silent(acted=False)] * 10_000)
    await shop.later(120)
    assert await shop.state(order.id) == ("pending", "authorised")
    assert fake.calls.count("confirm") < 30
    fake.script["confirm"].clear()
    await shop.later(60)
    assert await shop.state(order.id) == ("paid", "captured")
    assert fake.newest.confirms == 1


async def no_init(shop, fake):
    """The breaker stands open for init."""
    fake.plan("init", *[Silent(acted=False)] * IN_A_ROW)
    urls = ReturnUrls("a", "b", "c")
    for _ in range(IN_A_ROW):
        await shop.gateway.init(
            order_id="other", amount=1_000, description="", expiry_min=1, urls=urls
        )


async def test_a_new_checkout_is_told_before_anything_has_begun(shop, fake):
    await no_init(shop, fake)
    order = await shop.hold(8)
    with pytest.raises(PaymentsAway) as refused:
        await shop.orders.place(order.id, BEK, BASE)
    assert (refused.value.status, int(refused.value.headers["Retry-After"]) > 0) == (503, True)
    hold = await shop.holds.of_order(shop.event_id, order.id)
    assert (hold.seats, hold.frozen) == ([8], False)
    assert await shop.payments.of_order(order.id) is None
    assert shop.payments.pace() == "away"


async def test_a_gateway_that_has_to_be_asked_again_is_called_slow_and_sells_on(shop, fake):
    order = await shop.placed(0)
    fake.plan("check", *[Silent(acted=False)] * 2)
    await shop.later(12)
    assert shop.payments.pace() == "slow"
    fake.pay()
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    assert await shop.placed(1)


async def test_who_had_begun_is_not_refused_while_it_is_away(shop, fake):
    order = await shop.hold(0)
    first = await shop.orders.place(order.id, BEK, BASE)
    await no_init(shop, fake)
    assert shop.payments.away_s() > 0
    assert await shop.orders.place(order.id, BEK, BASE) == first


async def test_when_it_is_back_everything_goes_on_by_itself(shop, fake):
    fake.plan("init", *[Silent(acted=False)] * 10_000)
    orders = [await shop.placed(seat) for seat in range(2)]
    await shop.later(30)
    assert shop.payments.away_s() > 0
    fake.script["init"].clear()
    await shop.later(90)
    assert {(await shop.state(order.id)) for order in orders} == {("pending", "offered")}
    assert len(fake.books) == len(orders)
    assert shop.payments.pace() == "well"
    order = await shop.hold(8)
    assert (await shop.orders.place(order.id, BEK, BASE)).payment_state == "offered"


@pytest.mark.parametrize("call", ["check", "confirm", "cancel"])
async def test_a_payment_comes_back_when_it_was_told_to(shop, fake, monkeypatch, call):
    order = await shop.placed(0)
    payment = await shop.payments.of_order(order.id)
    fake.pay()
    if call == "cancel":
        await shop.payments.wish_end(payment.id, "buyer", order, f"account:{order.account_id}")

    async def unsent(**_):
        return Unknown("not asked", is_trouble=False, wait_s=50.0)

    monkeypatch.setattr(fake, call, unsent)
    assert await shop.payments.settle(payment.id) == Again(50.0)
