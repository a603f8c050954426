"""An event is cancelled: everybody's money goes back, whatever breaks. One is moved: its tickets
stay good and may be returned.
"""

from datetime import UTC, datetime, timedelta

import pytest

from kernel.errors import TryAgain
from sales.cancellations import EventOver
from sales.holds_refusals import SaleClosed
from sales.reconcile.kinds import CANCELLATION_FAILED
from sales.reconcile.stuck import StuckCheck
from sales.refund import RefundTooLate
from sales.reschedules import REOPEN_FOR, EventInPast
from tests.fakes import Refuse, Silent
from tests.flow.money import balances, tickets_of
from tests.flow.shop import AHEAD, BEK, DANA, ERMEK

STAFF = "account:3"


async def test_everybody_gets_everything_back_whenever_and_without_a_fee(shop, db):
    await db.execute("UPDATE event SET refund_fee_percent = 10")
    whole, used, part = await shop.paid(0, 1), await shop.paid(2), await shop.paid(3, 4)
    await db.execute("UPDATE ticket SET refund_until = now() - interval '1 day'")
    await db.execute("UPDATE ticket SET state = 'used' WHERE seat = 2")
    await db.execute("UPDATE ticket SET refund_until = 'infinity' WHERE seat = 3")
    await shop.refunds.ask(part.id, BEK, [(await tickets_of(shop, part))[0].id])
    await shop.cancellations.cancel(shop.event_id, STAFF)
    await shop.later(60)
    for order in (whole, used, part):
        assert (await shop.orders.get(order.id)).state == "refunded"
    told = await shop.cancellations.progress(shop.event_id)
    # What is left of the third order after a part can only be paid by hand.
    assert (told.total, told.done, told.queued, told.paid, told.failed) == (3, 2, 1, 0, 0)
    assert (told.amount, told.amount_done) == (2_000_000, 1_500_000)
    stands = await balances(shop)
    # The fee of what its buyer had returned himself stays.
    assert (stands["refunds"], stands["fees"]) == (-450_000 - 500_000, -50_000)
    assert await shop.claims() == {}


async def test_who_is_choosing_or_paying_is_let_go_and_nobody_new_comes(shop):
    choosing = await shop.hold(0)
    paying = await shop.placed(1, buyer=ERMEK)
    await shop.cancellations.cancel(shop.event_id, STAFF)
    with pytest.raises(SaleClosed):
        await shop.hold(2, buyer=DANA)
    await shop.later(30)
    ended = await shop.orders.get(choosing.id)
    assert (ended.state, ended.reason) == ("cancelled", "event-cancelled")
    ended = await shop.orders.get(paying.id)
    assert (ended.state, ended.reason) == ("cancelled", "event-cancelled")
    assert await shop.payment_state(paying.id) == "cancelled"
    assert set(await shop.seats()) == {"F"}


async def test_money_that_is_just_being_taken_goes_back_as_soon_as_it_is_there(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("confirm", Refuse("2100"))
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("pending", "authorised")
    await shop.cancellations.cancel(shop.event_id, STAFF)
    await shop.later(60)
    assert await shop.state(order.id) == ("refunded", "refunded")
    assert shop.gateway.newest.status == "REFUNDED"
    assert await balances(shop) == {}


async def test_money_that_is_being_taken_while_the_gateway_is_long_away_goes_back_too(shop):
    order = await shop.placed(0)
    shop.gateway.pay()
    shop.gateway.plan("confirm", Silent(acted=True))
    await shop.payments.hurry(order.id)
    await shop.cancellations.cancel(shop.event_id, STAFF)
    shop.clock.advance(40 * 60)
    shop.gateway.plan("check", *[Silent(acted=False)] * 100)
    await shop.drain()
    assert await shop.state(order.id) == ("pending", "authorised")
    shop.gateway.script["check"].clear()
    await shop.later(300)
    assert await shop.state(order.id) == ("refunded", "refunded")
    assert shop.gateway.newest.status == "REFUNDED"
    assert await shop.notices() == []


async def test_an_order_placed_by_a_process_that_had_not_heard_is_given_back_too(shop, db):
    order = await shop.hold(0)
    await shop.cancellations.cancel(shop.event_id, STAFF)
    await shop.drain()
    await db.execute("UPDATE orders SET state = 'open', reason = NULL")
    await db.execute("UPDATE event SET state = 'on_sale'")
    shop.catalogue.forget(shop.event_id)
    await shop.holds.hold(shop.event_id, order.id, BEK, [0])
    await shop.orders.place(order.id, BEK, "http://localhost")
    await db.execute("UPDATE event SET state = 'cancelled'")
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    assert (await shop.orders.get(order.id)).state == "paid"
    await shop.later(60)
    assert (await shop.orders.get(order.id)).state == "refunded"


async def test_one_order_that_fails_is_listed_and_does_not_stop_the_others(shop, db):
    bad, good = await shop.paid(0), await shop.paid(1)
    await db.execute("UPDATE seat_claim SET sold = false WHERE order_id = $1", bad.id)
    await shop.cancellations.cancel(shop.event_id, STAFF)
    await shop.later(60)
    assert (await shop.orders.get(good.id)).state == "refunded"
    failures = await shop.cancellations.failures(shop.event_id)
    assert [(one.order_id, one.account_id, one.total) for one in failures] == [
        (bad.id, BEK, 500_000)
    ]
    assert "claims" in failures[0].error
    told = await shop.cancellations.progress(shop.event_id)
    assert (told.total, told.done, told.paid, told.failed) == (2, 1, 1, 1)
    waiting = StuckCheck(db, shop.clock)
    [found] = (await waiting.page({})).open
    assert (found.kind, found.subject) == (CANCELLATION_FAILED, f"order:{bad.id}")
    assert found.found == {"event_id": shop.event_id, "total": 500_000, "error": failures[0].error}
    await db.execute("UPDATE seat_claim SET sold = true")
    await shop.cancellations.try_again(shop.event_id, STAFF)
    await shop.later(60)
    assert await shop.cancellations.failures(shop.event_id) == []
    assert (await shop.orders.get(bad.id)).state == "refunded"
    assert (await waiting.page({})).open == []


async def test_a_worker_that_dies_in_the_middle_is_followed_by_another(shop, monkeypatch):
    orders = [await shop.paid(seat) for seat in range(6)]
    await shop.cancellations.cancel(shop.event_id, STAFF)
    give_back = shop.refunds.give_back
    done: list[int] = []

    async def die(order_id, *args):
        if len(done) == 3:
            raise TryAgain
        done.append(order_id)
        return await give_back(order_id, *args)

    monkeypatch.setattr(shop.refunds, "give_back", die)
    await shop.drain()
    monkeypatch.undo()
    states = [(await shop.orders.get(order.id)).state for order in orders]
    assert (states.count("refunded"), states.count("paid")) == (3, 3)
    await shop.later(60)
    assert (await shop.cancellations.progress(shop.event_id)).done == 6
    assert {booked.cancels for booked in shop.gateway.books.values()} == {1}


async def test_more_orders_than_a_page_are_gone_over(shop, monkeypatch):
    monkeypatch.setattr("sales.cancellations_rounds.PAGE_SIZE", 2)
    for seat in range(5):
        await shop.paid(seat)
    await shop.cancellations.cancel(shop.event_id, STAFF)
    await shop.later(60)
    assert (await shop.cancellations.progress(shop.event_id)).done == 5
    await shop.later(31 * 60)
    assert await shop.notices() == []


async def test_what_is_over_cannot_be_cancelled_or_moved(shop, db):
    await db.execute("UPDATE event SET state = 'archived'")
    with pytest.raises(EventOver):
        await shop.cancellations.cancel(shop.event_id, STAFF)
    with pytest.raises(EventOver):
        await shop.reschedules.move(shop.event_id, AHEAD + timedelta(days=1), STAFF)
    with pytest.raises(EventInPast):
        await shop.reschedules.move(shop.event_id, shop.clock.now(), STAFF)


@pytest.fixture
def soon(shop):
    """Three weeks from the clock of these stories, and of the database."""
    return max(datetime.now(UTC), shop.clock.now()) + timedelta(days=21)


async def test_the_tickets_of_a_moved_event_stay_and_may_be_returned(shop, db, soon):
    await db.execute("UPDATE event SET refund_fee_percent = 10")
    order = await shop.paid(0)
    await db.execute("UPDATE ticket SET refund_until = now() - interval '1 hour'")
    with pytest.raises(RefundTooLate):
        await shop.refunds.ask(order.id, BEK)
    await shop.reschedules.move(shop.event_id, soon, STAFF)
    await shop.drain()
    ticket = (await tickets_of(shop, order))[0]
    assert (ticket.state, ticket.refund_fee) == ("valid", 0)
    assert ticket.refund_until == soon - timedelta(hours=12)
    event = await shop.catalogue.event(shop.event_id)
    assert (event.starts_at, event.moved_from) == (soon, AHEAD)
    assert (await shop.refunds.ask(order.id, BEK)).amount == 500_000
    rows = await db.fetch("SELECT action FROM audit WHERE subject = $1", f"event:{event.id}")
    assert [row["action"] for row in rows] == ["event.move"]


async def test_moved_to_the_day_after_tomorrow_there_are_three_days_but_not_beyond_its_start(
    shop, db
):
    order = await shop.paid(0)
    await db.execute("UPDATE event SET refund_hours = 240")
    near = shop.clock.now() + timedelta(days=5)
    await shop.reschedules.move(shop.event_id, near, STAFF)
    await db.execute("UPDATE ticket SET refund_until = to_timestamp(0)")
    await shop.drain()
    assert (await tickets_of(shop, order))[0].refund_until == shop.clock.now() + REOPEN_FOR
    nearer = shop.clock.now() + timedelta(days=1)
    await shop.reschedules.move(shop.event_id, nearer, STAFF)
    await shop.drain()
    assert (await tickets_of(shop, order))[0].refund_until == nearer
    event = await shop.catalogue.event(shop.event_id)
    assert event.moved_from == AHEAD


async def test_who_buys_after_the_move_knows_what_he_buys(shop, db, soon):
    await db.execute("UPDATE event SET refund_fee_percent = 10")
    await shop.reschedules.move(shop.event_id, soon, STAFF)
    shop.clock.advance(1)
    order = await shop.paid(0)
    await shop.drain()
    assert (await tickets_of(shop, order))[0].refund_fee == 50_000


async def test_many_tickets_follow_batch_by_batch(shop, soon, monkeypatch):
    monkeypatch.setattr("sales.reschedules.BATCH", 2)
    order = await shop.paid(0, 1, 2, 3, 4)
    await shop.reschedules.move(shop.event_id, soon, STAFF)
    await shop.reschedules.move(shop.event_id, soon, STAFF)
    await shop.drain()
    until = {ticket.refund_until for ticket in await tickets_of(shop, order)}
    assert until == {soon - timedelta(hours=12)}
