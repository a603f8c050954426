"""Tickets come back: whole orders, single places, twice at once, too late, or with a no."""

import asyncio

import pytest

from sales.order import NotYourOrder, OrderUnknown
from sales.payouts import PayoutDone, Payouts, ReferenceNeeded
from sales.refund import OrderUnpaid, RefundTooLate, RefundUnknown, TicketUsed
from tests.fakes import Refuse
from tests.flow.money import balances, refund_state, tickets_of
from tests.flow.shop import BEK, ERMEK
from tests.halls import assert_consistent


async def test_a_whole_order_goes_back_through_the_gateway(shop, redis_shop):
    order = await shop.paid(0, 1)
    assert (await shop.seats())[:3] == "SSF"
    refund = await shop.refunds.ask(order.id, BEK)
    assert (refund.state, refund.amount, refund.fee) == ("asked", 1_000_000, 0)
    # At once, before anybody has asked the gateway.
    assert (await shop.seats())[:3] == "FFF"
    assert await shop.claims() == {}
    assert (await shop.orders.get(order.id)).state == "refunded"
    assert await balances(shop) == {"gateway": 1_000_000, "refunds": -1_000_000}
    await shop.drain()
    assert await shop.state(order.id) == ("refunded", "refunded")
    assert await refund_state(shop, refund) == "done"
    assert shop.gateway.newest.status == "REFUNDED"
    assert {ticket.state for ticket in await tickets_of(shop, order)} == {"returned"}
    assert await balances(shop) == {}
    await shop.later(15 * 60)
    assert await shop.notices() == []
    await assert_consistent(redis_shop, shop.event_id)


async def test_one_ticket_goes_to_the_queue_of_payouts_and_its_seat_is_sold_again(shop, clock):
    order = await shop.paid(0, 7)
    one = (await tickets_of(shop, order))[0]
    refund = await shop.refunds.ask(order.id, BEK, [one.id])
    assert (refund.state, refund.amount) == ("queued", 500_000)
    assert await shop.state(order.id) == ("paid", "captured")
    again = await shop.paid(0, buyer=ERMEK)
    assert again.state == "paid"
    await shop.drain()
    payouts = Payouts(shop.db, clock)
    assert [(line.id, line.amount) for line in await payouts.waiting()] == [(refund.id, 500_000)]
    assert (await balances(shop))["refunds"] == -500_000
    await payouts.pay(refund.id, "KZ-17", "account:3")
    assert await payouts.waiting() == []
    assert (await payouts.pay(refund.id, "KZ-17", "account:3")).state == "paid_out"
    with pytest.raises(PayoutDone):
        await payouts.pay(refund.id, "another", "account:3")
    stands = await balances(shop)
    assert (stands["gateway"], stands["sales"], stands["payouts"]) == (
        1_300_000,
        -800_000,
        -500_000,
    )
    assert "refunds" not in stands
    assert shop.gateway.calls.count("cancel") == 0


async def test_of_two_clicks_at_once_the_slower_is_told_what_the_faster_did(
    shop, clock, monkeypatch
):
    order = await shop.paid(0, 1)
    one = (await tickets_of(shop, order))[0]
    refund = await shop.refunds.ask(order.id, BEK, [one.id])
    payouts = Payouts(shop.db, clock)
    await payouts.pay(refund.id, "KZ-17", "account:3")
    read, seen = payouts._read, [refund]

    async def stale(refund_id):
        return seen.pop() if seen else await read(refund_id)

    monkeypatch.setattr(payouts, "_read", stale)
    assert (await payouts.pay(refund.id, "KZ-17", "account:4")).state == "paid_out"
    seen.append(refund)
    with pytest.raises(PayoutDone):
        await payouts.pay(refund.id, "KZ-18", "account:4")


async def test_the_last_ticket_ends_the_order(shop):
    order = await shop.paid(0, 1)
    for ticket in await tickets_of(shop, order):
        assert (await shop.refunds.ask(order.id, BEK, [ticket.id])).state == "queued"
    assert await shop.state(order.id) == ("refunded", "captured")
    assert (await balances(shop))["refunds"] == -1_000_000


async def test_the_fee_is_the_one_at_purchase(shop, db):
    await db.execute("UPDATE event SET refund_fee_percent = 10, refund_fee = 1000")
    order = await shop.paid(0, 7)
    await db.execute("UPDATE event SET refund_fee_percent = 90")
    quote = await shop.refunds.quote(order.id, BEK)
    # A tenth of 500 000 and of 300 000, and 1000 for each.
    assert (quote.amount, quote.fee) == (718_000, 82_000)
    refund = await shop.refunds.ask(order.id, BEK)
    assert (refund.amount, refund.fee, refund.state) == (718_000, 82_000, "queued")
    assert (await balances(shop))["fees"] == -82_000


async def test_a_fee_never_exceeds_the_price_and_is_whole_tenge(shop, db):
    await db.execute("UPDATE event SET refund_fee_percent = 33, refund_fee = 0")
    await db.execute("UPDATE zone SET price = 333300 WHERE zone_no = 2")
    order = await shop.paid(7)
    assert (await tickets_of(shop, order))[0].refund_fee == 109_900
    await db.execute("UPDATE event SET refund_fee = 99900000")
    other = await shop.paid(8)
    refund = await shop.refunds.ask(other.id, BEK)
    assert (refund.amount, refund.fee, refund.state) == (0, 333_300, "done")
    assert (await shop.claims()).keys() == {7}
    assert await balances(shop)


async def test_two_clicks_are_one_refund(shop):
    order = await shop.paid(0, 1)
    asked = await asyncio.gather(*(shop.refunds.ask(order.id, BEK) for _ in range(5)))
    assert len({refund.id for refund in asked}) == 1
    await shop.drain()
    assert (await shop.refunds.ask(order.id, BEK)).state == "done"
    assert shop.gateway.newest.cancels == 1
    assert len(await shop.refunds.of_order(order.id)) == 1


async def test_two_different_tickets_at_once_are_two_refunds(shop):
    order = await shop.paid(0, 1, 2)
    ids = [ticket.id for ticket in await tickets_of(shop, order)]
    first, second = await asyncio.gather(
        shop.refunds.ask(order.id, BEK, ids[:1]), shop.refunds.ask(order.id, BEK, ids[1:2])
    )
    assert first.id != second.id
    assert (await shop.refunds.ask(order.id, BEK, ids[:1])).id == first.id
    assert (await balances(shop))["refunds"] == -1_000_000


async def test_the_last_two_tickets_at_once_end_the_order(shop):
    order = await shop.paid(0, 1)
    ids = [ticket.id for ticket in await tickets_of(shop, order)]
    await asyncio.gather(*(shop.refunds.ask(order.id, BEK, [one]) for one in ids))
    assert (await shop.orders.get(order.id)).state == "refunded"


async def test_the_clock_of_the_database_says_who_is_late(shop, db):
    order = await shop.paid(0, 1)
    await db.execute("UPDATE ticket SET refund_until = now() - interval '1 second' WHERE seat = 0")
    with pytest.raises(RefundTooLate) as refused:
        await shop.refunds.ask(order.id, BEK)
    assert (refused.value.status, refused.value.code) == (419, "refund-too-late")
    in_time = [one.id for one in await shop.refunds.returnable(await shop.orders.get(order.id))]
    assert in_time == [(await tickets_of(shop, order))[1].id]
    assert (await shop.refunds.ask(order.id, BEK, in_time)).amount == 500_000


async def test_time_that_runs_out_between_looking_and_writing_is_heard(shop, db, monkeypatch):
    order = await shop.paid(0)
    seen = await shop.refunds.book.sheet(order)
    await db.execute("UPDATE ticket SET refund_until = now() - interval '1 second'")
    answers = [seen]

    async def stale(_):
        return answers.pop() if answers else await sheet(await shop.orders.get(order.id))

    sheet = shop.refunds.book.sheet
    monkeypatch.setattr(shop.refunds.book, "sheet", stale)
    with pytest.raises(RefundTooLate):
        await shop.refunds.ask(order.id, BEK)
    assert (await shop.orders.get(order.id)).state == "paid"


async def test_what_was_used_at_the_door_stays_used(shop, db):
    order = await shop.paid(0)
    await db.execute("UPDATE ticket SET state = 'used'")
    with pytest.raises(TicketUsed):
        await shop.refunds.ask(order.id, BEK)
    assert await shop.claims() == {0: (order.id, True)}


async def test_nobody_returns_what_is_not_his_not_paid_or_not_there(shop, clock):
    order = await shop.paid(0)
    with pytest.raises(NotYourOrder):
        await shop.refunds.ask(order.id, ERMEK)
    unpaid = await shop.placed(1)
    with pytest.raises(OrderUnpaid):
        await shop.refunds.ask(unpaid.id, BEK)
    with pytest.raises(OrderUnknown):
        await shop.refunds.ask(10**9, BEK)
    payouts = Payouts(shop.db, clock)
    with pytest.raises(RefundUnknown):
        await payouts.pay(1, "KZ-17", "account:3")
    with pytest.raises(ReferenceNeeded):
        await payouts.pay(1, " ", "account:3")


async def test_a_gateway_that_refuses_leaves_it_to_staff(shop, clock):
    order = await shop.paid(0, 1)
    shop.gateway.faithful = True
    refund = await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    assert await refund_state(shop, refund) == "queued"
    line = (await Payouts(shop.db, clock).waiting())[0]
    assert (line.id, line.amount, line.last_error) == (refund.id, 1_000_000, "3001")
    assert await shop.state(order.id) == ("refunded", "captured")
    await shop.later(15 * 60)
    assert await shop.notices() == []
    assert (await balances(shop))["refunds"] == -1_000_000


async def test_late_money_that_the_gateway_took_is_told_by_the_ledger(shop):
    """It was captured at the gateway without our word, its seats are gone, so it went back."""
    order = await shop.placed(0)
    shop.clock.advance(12 * 60 + 1)
    shop.gateway.faithful = True
    await shop.payments.hurry(order.id)
    assert await shop.state(order.id) == ("expired", "lapsed")
    booked = shop.gateway.newest
    await shop.drain()
    await shop.hold(0, buyer=ERMEK)
    booked.status = "CONFIRMED"
    shop.gateway.plan("cancel", Refuse("3001"))
    await shop.payments.settle((await shop.payments.of_order(order.id)).id)
    assert await shop.state(order.id) == ("expired", "owed")
    assert await balances(shop) == {"gateway": 500_000, "refunds": -500_000}
    shop.gateway.faithful = False
    await shop.drain()
    assert await shop.state(order.id) == ("expired", "reversed")
    assert booked.status == "REFUNDED"
    assert await balances(shop) == {}


async def test_returning_is_audited(shop):
    order = await shop.paid(0)
    await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    rows = await shop.db.fetch(
        "SELECT actor, action FROM audit WHERE subject = $1 ORDER BY id", f"order:{order.id}"
    )
    assert [tuple(row) for row in rows[-3:]] == [
        (f"account:{BEK}", "tickets.return"),
        ("worker", "refund.send"),
        ("worker", "refund.finish"),
    ]
