"""A purchase at an event whose seats a partner owns: what the partner is asked, and when."""

import asyncio
from collections import deque

import pytest

from sales.hold import Hold
from sales.holds_refusals import SeatTaken
from sales.outbox import PARTNERS, Notice
from sales.partner import TEND, PartnerAway
from sales.partner_tending import PartnerTending
from tests.flow.shop import AHEAD, BASE, BEK, DANA, make_shop
from tests.halls import build_event
from tests.partner import FakePartner, client_of, connect

ROWS = [3, 4, 4]


@pytest.fixture
def partner():
    return FakePartner(ROWS, lag=2)


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path, partner):
    shop = make_shop(db, redis_shop, clock, tmp_path, partner=client_of(partner))
    shop.event_id = await build_event(db, starts_at=AHEAD)
    assert await connect(db, clock, shop.event_id, partner) == 11
    partner.calls.clear()
    return shop


async def test_a_seat_is_selected_at_the_partner_before_its_buyer_is_told_yes(shop, partner):
    await shop.hold(0, 1)
    assert sorted(partner.calls) == ["create", "create", "select", "select"]
    assert partner.is_taken(0)
    assert partner.is_taken(1)


async def test_a_purchase_buys_the_seats_there_before_the_money_is_taken(
    shop, partner, monkeypatch
):
    order = await shop.placed(0, 1)
    await shop.later(5)
    assert partner.states() == ["SUBMITTED"] * 2
    stood_at_capture = []
    real = shop.gateway.confirm

    async def confirm(**given):
        stood_at_capture.append(partner.states())
        return await real(**given)

    monkeypatch.setattr(shop.gateway, "confirm", confirm)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.later(60)
    assert stood_at_capture == [["CONFIRMED"] * 2]
    assert await shop.state(order.id) == ("paid", "captured")
    assert await shop.notices() == []


async def test_select_release_cancel_and_select_again_works_back_to_back(shop, partner):
    for _ in range(5):
        order = await shop.hold(0)
        await shop.holds.release(shop.event_id, order.id, BEK, [0])
        await shop.orders.cancel(order.id, BEK)
    other = await shop.hold(0, buyer=DANA)
    assert partner.calls.count("select") == 1
    await shop.later(1000)
    partner.catch_up()
    assert not partner.is_taken(0)
    assert not partner.poisoned
    assert (await shop.orders.get(other.id)).state == "open"


async def test_a_seat_given_back_a_moment_ago_is_had_again_when_the_partner_offers_it(
    shop, partner
):
    order = await shop.hold(0)
    await shop.holds.release(shop.event_id, order.id, BEK, [0])
    partner.lag = 6
    await shop.later(8)
    assert partner.calls.count("cancel") == 1
    assert partner.is_taken(0), "it is on its way back"
    await shop.hold(0, buyer=DANA)
    assert partner.is_taken(0)


async def test_what_somebody_else_has_is_refused_and_not_offered_again(shop, partner):
    partner.sell_elsewhere(0)
    with pytest.raises(SeatTaken):
        await shop.hold(0, 1)
    assert await shop.seats() == "XFFFFFFFFFF"
    await shop.hold(1)
    await shop.later(5)
    assert partner.states() == ["STARTED"]


async def test_an_answer_that_got_lost_is_found_out_while_the_buyer_waits(shop, partner):
    partner.plan["select"] = deque(["lost"])
    await shop.hold(0)
    assert partner.calls.count("select") == 1


async def test_a_select_that_was_not_carried_out_is_said_once_more(shop, partner):
    partner.plan["select"] = deque(["500"])
    await shop.hold(0)
    assert partner.calls.count("select") == 2
    assert partner.is_taken(0)


async def test_calls_that_hang_cost_a_buyer_a_moment_and_not_the_seat(shop, partner, monkeypatch):
    monkeypatch.setattr("sales.partner_patience.PATIENCE_S", 0.01)
    hanging = asyncio.Event()
    for call, times in (("create", 2), ("select", 2), ("order", 3)):
        partner.plan[call] = deque([hanging.wait] * times)
    await shop.hold(0)
    assert partner.calls.count("select") == 3
    assert partner.is_taken(0)
    # In the end they are carried out all the same, and change nothing.
    hanging.set()
    await shop.later(5)
    partner.catch_up()
    assert partner.states() == ["STARTED"]
    assert not partner.poisoned


async def test_a_yes_that_comes_late_is_a_yes(shop, partner, monkeypatch):
    monkeypatch.setattr("sales.partner_patience.PATIENCE_S", 0.01)
    late = asyncio.Event()
    partner.plan["select"] = deque([late.wait])
    partner.plan["order"] = deque(["silent", late.set, *["silent"] * 30])
    await shop.hold(0)
    assert partner.calls.count("select") == 1
    assert partner.is_taken(0)


async def test_seats_that_cannot_be_had_any_more_send_the_money_back(shop, partner):
    order = await shop.placed(0, 1)
    await shop.later(3)
    for theirs in partner.orders.values():
        if theirs.state == "SUBMITTED":
            theirs.state = "CANCELLED"  # by somebody at the partner: it knows no keys
            partner._seen(theirs)
    partner.sell_elsewhere(0)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.later(60)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert (await shop.orders.get(order.id)).reason == "seats-lost"
    assert shop.gateway.newest.confirms == 0
    assert await shop.claims() == {}


# Each call of a purchase, lost on its way there or back.
TROUBLES = [
    ("create", "500"),
    ("select", "lost"),
    ("select", "silent"),
    ("submit", "lost"),
    ("submit", "500"),
    ("confirm", "lost"),
    ("confirm", "silent"),
    ("order", "silent"),
]


async def test_whatever_call_gets_no_answer_the_purchase_is_made_once(shop, partner):
    for seat, (call, how) in enumerate(TROUBLES):
        partner.plan[call] = deque([how])
        order = await shop.placed(seat)
        await shop.later(7)
        shop.gateway.pay()
        await shop.payments.hurry(order.id)
        await shop.later(20)
        assert await shop.state(order.id) == ("paid", "captured"), (call, how)
    partner.catch_up()
    assert not partner.poisoned
    assert partner.states() == ["CONFIRMED"] * len(TROUBLES)


async def test_an_order_that_ends_gives_its_seats_back_whatever_gets_lost(shop, partner):
    for seat, how in enumerate(("lost", "silent", "500")):
        partner.plan |= {"cancel": deque([how]), "order": deque([how])}
        order = await shop.placed(seat)
        await shop.orders.cancel(order.id, BEK)
        await shop.later(60)
        partner.catch_up()
        assert not partner.is_taken(seat), how
    assert partner.states() == ["CANCELLED"] * 3
    assert not partner.poisoned
    assert await shop.notices() == []


async def test_a_hold_that_runs_out_gives_its_seat_back(shop, partner):
    await shop.hold(0)
    await shop.later(700)
    await shop.holds.lapse(shop.clock.now())
    await shop.later(60)
    partner.catch_up()
    assert not partner.is_taken(0)
    assert await shop.notices() == []


async def test_a_returned_seat_stays_ours_and_is_sold_again_without_asking(shop, partner):
    order = await shop.placed(0)
    await shop.later(5)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.later(5)
    await shop.refunds.ask(order.id, BEK)
    await shop.later(60)
    assert partner.states() == ["CONFIRMED"]
    partner.calls.clear()
    again = await shop.placed(0, buyer=DANA)
    shop.gateway.pay()
    await shop.payments.hurry(again.id)
    await shop.later(60)
    assert await shop.state(again.id) == ("paid", "captured")
    assert partner.calls == []


async def test_who_takes_his_seat_again_in_the_moment_it_goes_back_keeps_it(shop, partner):
    order = await shop.hold(0)
    await shop.later(10)
    await shop.holds.release(shop.event_id, order.id, BEK, [0])

    class Late:
        """Reads the hold, and tells of it a moment too late."""

        async def of_order(self, event_id: int, order_id: int) -> Hold | None:
            found: Hold | None = await shop.holds.of_order(event_id, order_id)
            await shop.holds.hold(event_id, order_id, BEK, [0])
            return found

    desk = shop.partner_desk
    tending = PartnerTending(desk.book, desk.driving, shop.clock, Late())
    ours = (await desk.book.living(shop.event_id, [0]))[0]
    assert ours.settled_at is not None
    notice = Notice(1, PARTNERS, TEND, ours.id, {}, 1, shop.clock.now())
    assert await tending.tend(notice) is not None
    assert "cancel" not in partner.calls
    assert partner.states() == ["STARTED"]


async def test_nobody_is_sent_to_pay_while_the_partner_is_away(shop, partner, monkeypatch):
    order = await shop.hold(0)
    partners = shop.partner_desk.partners
    monkeypatch.setattr(partners.at(None, shop.event_id), "away_s", lambda: 2.5)
    with pytest.raises(PartnerAway) as refusal:
        await shop.orders.place(order.id, BEK, BASE)
    assert refusal.value.headers["Retry-After"] == "3"
    monkeypatch.undo()
    await shop.orders.place(order.id, BEK, BASE)
    assert await shop.state(order.id) == ("pending", "offered")


async def test_a_silent_partner_is_told_as_away_and_nothing_stays_held(shop, partner):
    partner.plan["create"] = deque(["silent"] * 20)
    with pytest.raises(PartnerAway) as refusal:
        await shop.hold(0)
    assert int(refusal.value.headers["Retry-After"]) >= 1
    assert await shop.seats() == "F" * 11
