"""What may or may not have been carried out is asked about, and goes on under the same order id."""

import asyncio

import pytest
from msgspec import structs

from sales.gateway_toleubar import ToleuBar
from sales.gateway_wire import HttpWire
from sales.order import OrderPaid
from sales.payments import Addresses
from tests.fakes import Refuse, Silent
from tests.flow.shop import BASE, BEK, ERMEK, open_shop
from tests.web.toleubar_stand import PASSWORD, TEAM, open_gateway


async def test_a_duplicate_order_id_is_asked_about_and_the_first_payment_goes_on(shop):
    order = await shop.hold(0)
    # The first init's answer is lost, and the gateway's cache has not heard of it yet.
    shop.gateway.plan("init", Silent(acted=True))
    shop.gateway.plan("check", Refuse("1404"))
    await shop.orders.place(order.id, BEK, BASE)
    await shop.later(10)
    assert shop.gateway.calls.count("init") == 2, "the second one was told: 1002"
    payment = await shop.payments.of_order(order.id)
    assert (payment.state, payment.gateway_payment_id) == (
        "offered",
        shop.gateway.newest.payment_id,
    )
    assert list(shop.gateway.books) == [payment.gateway_order_id]


async def test_an_init_answered_after_the_worker_has_asked_changes_nothing(shop, monkeypatch):
    order, answered = await shop.hold(0), asyncio.Event()
    init = shop.gateway.init

    async def late(**asked):
        offered = await init(**asked)
        await answered.wait()
        return offered

    monkeypatch.setattr(shop.gateway, "init", late)
    placing = asyncio.create_task(shop.orders.place(order.id, BEK, BASE))
    while not shop.gateway.books:
        await asyncio.sleep(0.01)
    await shop.later(6)
    assert await shop.state(order.id) == ("pending", "offered")
    shop.gateway.pay()
    await shop.later(10)
    answered.set()
    with pytest.raises(OrderPaid):
        await placing
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.calls.count("init") == 1


async def test_a_stale_check_after_a_confirm_in_silence_is_waited_out(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("confirm", Silent(acted=True))
    await shop.payments.hurry(order.id)
    shop.gateway.stale_status = "AUTHORIZED"
    await shop.later(30)
    assert await shop.state(order.id) == ("pending", "authorised")
    assert shop.gateway.newest.confirms == 1, "asked again it says: confirmed already"
    shop.gateway.stale_status = None
    await shop.later(5)
    assert await shop.state(order.id) == ("paid", "captured")
    assert shop.gateway.newest.confirms == 1


async def test_a_stale_check_after_a_reversal_in_silence_is_waited_out(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("cancel", Silent(acted=True))
    shop.gateway.stale_status = "AUTHORIZED"
    await shop.orders.cancel(order.id, BEK)
    await shop.later(30)
    assert (await shop.orders.get(order.id)).state == "pending"
    assert await shop.claims() == {0: (order.id, False)}
    shop.gateway.stale_status = None
    await shop.later(5)
    assert (await shop.orders.get(order.id)).state == "cancelled"
    assert (shop.gateway.newest.cancels, shop.gateway.newest.confirms) == (1, 0)


async def test_a_stale_new_after_the_money_came_is_not_cancelled_for_nothing(shop):
    """At the end of its time the cache still says NEW: the gateway refuses to cancel, we wait."""
    order = await shop.placed(0)
    shop.clock.advance(12 * 60 - 5)
    shop.gateway.pay("FORM_SHOWED")
    shop.gateway.stale_status = "NEW"
    await shop.later(20)
    assert (await shop.orders.get(order.id)).state == "pending"
    shop.gateway.stale_status = None
    shop.gateway.pay()
    await shop.later(30)
    assert shop.gateway.newest.status == "CANCELLED"
    assert shop.gateway.newest.confirms == 0
    assert (await shop.orders.get(order.id)).reason == "unpaid"


@pytest.fixture
async def toleubar(tmp_path, clock):
    books = tmp_path / "books.sqlite"
    async with open_gateway(books, clock, really_pauses=True) as gateway:
        await gateway.faults(webhook_loss=1)
        yield gateway


@pytest.fixture
async def wired(db, redis_shop, clock, tmp_path, toleubar):
    """A shop whose calls go over real HTTP, with little patience."""
    wire = HttpWire(toleubar.base, total_s=0.3)
    client = ToleuBar(toleubar.base, team_slug=TEAM, password=PASSWORD, wire=wire)
    shop = await open_shop(db, redis_shop, clock, tmp_path, client)
    # No webhook arrives: we find out by ourselves.
    shop.payments._settler._addresses = Addresses(notification="http://127.0.0.1:9/")
    yield shop
    await client.close()


async def statuses(toleubar):
    return [one["status"] for one in (await toleubar.books())["payments"]]


async def pay(shop, toleubar, order):
    payment = await shop.payments.of_order(order.id)
    await toleubar.pay(payment.gateway_payment_id)


async def test_a_payment_id_that_was_taken_is_an_init_again_under_the_same_order_id(
    wired, toleubar
):
    await toleubar.faults(id_collision=1, webhook_loss=1)
    order = await wired.placed(0)
    assert await wired.payment_state(order.id) == "unknown"
    before = (await wired.payments.of_order(order.id)).gateway_order_id
    await toleubar.faults(webhook_loss=1)
    await wired.later(10)
    payment = await wired.payments.of_order(order.id)
    assert (payment.state, payment.gateway_order_id) == ("offered", before)
    assert await statuses(toleubar) == ["NEW"]


@pytest.mark.parametrize(
    "fault", ["timeout", "init_stall", "init_stall_before", "init_abort_before"]
)
async def test_an_init_of_unknown_outcome_ends_in_one_payment(wired, toleubar, fault):
    await toleubar.faults(**{fault: 1, "stall_s": 0.5, "webhook_loss": 1})
    order = await wired.placed(0)
    assert (await wired.orders.get(order.id)).state == "pending"
    await toleubar.faults(webhook_loss=1)
    await wired.later(30)
    assert await wired.state(order.id) == ("pending", "offered")
    await pay(wired, toleubar, order)
    await wired.later(10)
    assert await wired.state(order.id) == ("paid", "captured")
    assert await statuses(toleubar) == ["CONFIRMED"]


@pytest.mark.parametrize("fault", ["timeout", "confirm_stall", "confirm_stall_before"])
async def test_a_confirm_of_unknown_outcome_takes_the_money_once(wired, toleubar, fault):
    order = await wired.placed(0)
    await pay(wired, toleubar, order)
    await toleubar.faults(**{fault: 1, "stall_s": 0.5, "webhook_loss": 1})
    await wired.payments.hurry(order.id)
    assert (await wired.orders.get(order.id)).state == "pending"
    await toleubar.faults(webhook_loss=1)
    await wired.later(10)
    assert await wired.state(order.id) == ("paid", "captured")
    books = (await toleubar.books())["payments"]
    assert [one["captured"] for one in books] == [one["amount"] for one in books]


@pytest.mark.parametrize("fault", ["timeout", "cancel_stall", "cancel_stall_before"])
async def test_a_cancel_of_unknown_outcome_frees_the_seats_when_it_is_known(wired, toleubar, fault):
    order = await wired.placed(0)
    await pay(wired, toleubar, order)
    await toleubar.faults(**{fault: 1, "stall_s": 0.5, "webhook_loss": 1})
    await wired.orders.cancel(order.id, BEK)
    assert await wired.claims() == {0: (order.id, False)}
    await toleubar.faults(webhook_loss=1)
    await wired.later(10)
    assert (await wired.orders.get(order.id)).state == "cancelled"
    assert await wired.claims() == {}
    assert await statuses(toleubar) == ["CANCELLED"]


async def test_checks_from_a_stale_cache_don_t_cost_a_purchase(wired, toleubar):
    await toleubar.faults(check_stale_open_s=30, check_stale_final_s=300, webhook_loss=1)
    order = await wired.placed(0)
    await pay(wired, toleubar, order)
    await wired.later(60)
    assert await wired.state(order.id) == ("paid", "captured")
    assert await statuses(toleubar) == ["CONFIRMED"]


async def test_an_init_that_names_another_attempt_s_payment_is_asked_about(shop, monkeypatch):
    first = await shop.placed(0)
    theirs, init = shop.gateway.newest.payment_id, shop.gateway.init

    async def mistaken(**asked):
        return structs.replace(await init(**asked), payment_id=theirs)

    monkeypatch.setattr(shop.gateway, "init", mistaken)
    order = await shop.hold(1, buyer=ERMEK)
    checkout = await shop.orders.place(order.id, ERMEK, BASE)
    assert shop.gateway.calls.count("init") == 2, "one of each order"
    assert checkout.payment_url == shop.gateway.form_url(shop.gateway.newest.payment_id)
    shop.gateway.pay()
    await shop.later(10)
    assert await shop.state(order.id) == ("paid", "captured")
    assert await shop.state(first.id) == ("pending", "offered")


async def test_a_check_that_names_another_attempt_s_payment_is_for_staff(shop, monkeypatch):
    await shop.placed(0)
    theirs, check = shop.gateway.newest.payment_id, shop.gateway.check

    async def mistaken(**asked):
        return structs.replace(await check(**asked), payment_id=theirs)

    order = await shop.hold(1, buyer=ERMEK)
    shop.gateway.plan("init", Silent(acted=True))
    monkeypatch.setattr(shop.gateway, "check", mistaken)
    await shop.orders.place(order.id, ERMEK, BASE)
    await shop.later(10)
    [parked] = await shop.db.fetch("SELECT last_error FROM notice WHERE parked_at IS NOT NULL")
    assert theirs in parked["last_error"]
    await shop.orders.cancel(order.id, ERMEK)
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("pending", "unknown")
