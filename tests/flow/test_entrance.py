"""An automatic room as the shop sees it: who was shopping goes on, programs ask to be let in."""

import asyncio
from datetime import timedelta

import pytest

from kernel.subjects import subject_of
from sales.admission import PassNeeded
from sales.room_desk import ASKING_MAX, Asker, Busy, Let, RoomAway
from tests.fakes import FakeDesk
from tests.flow.shop import BASE, BEK, ERMEK, Shop, Visitor, open_shop


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path):
    return await open_shop(db, redis_shop, clock, tmp_path, guarded=True)


@pytest.fixture
async def hold_s(shop):
    return (await shop.catalogue.event(shop.event_id)).hold_seconds


def arm(shop: Shop) -> None:
    shop.clock.advance(1)
    shop.modes.armed[shop.event_id] = shop.clock.now()
    shop.modes.off.discard(shop.event_id)


def disarmed(shop: Shop) -> Shop:
    shop.modes.off.add(shop.event_id)
    return shop


async def person(shop: Shop, who: int = BEK):
    return await shop.entrance.person(shop.event_id, Visitor(who), None)


async def program(shop: Shop, who: int = BEK, token: str | None = None):
    return await shop.entrance.program(shop.event_id, Visitor(who), token)


def pass_for(shop: Shop, account: int = BEK, jti: str = "jti-1") -> Let:
    """What the gate gives to a program."""
    now_s = shop.clock.ms() // 1000
    claims = {
        "iss": "biletter-room",
        "aud": str(shop.event_id),
        "sub": subject_of(shop.keyring.secret("subject"), "account", account),
        "jti": jti,
        "nbf": now_s - 5,
        "exp": now_s + 180,
        "lease": now_s + 900,
    }
    return Let(shop.keyring.sign("pass", claims, typ="pass+jwt"), jti)


async def test_who_holds_seats_when_it_arms_goes_on_as_long_as_the_hold(shop, hold_s):
    await disarmed(shop).hold(0)
    arm(shop)
    assert await person(shop) is None
    assert await program(shop) is None
    for verb in (person, program):
        with pytest.raises(PassNeeded):
            await verb(shop, ERMEK)
    shop.clock.advance(hold_s - 2)
    assert await person(shop) is None
    shop.clock.advance(2)
    with pytest.raises(PassNeeded):
        await person(shop)


async def test_who_has_opened_an_order_has_a_holds_time_to_take_seats(shop, hold_s):
    order = await disarmed(shop).orders.open(BEK, shop.event_id, "api")
    arm(shop)
    shop.clock.advance(hold_s - 2)
    assert await program(shop) is None
    await shop.holds.hold(shop.event_id, order.id, BEK, [0])
    shop.clock.advance(hold_s - 1)
    assert await program(shop) is None
    shop.clock.advance(10)
    with pytest.raises(PassNeeded):
        await person(shop)


async def test_who_is_paying_pays(shop):
    order = await disarmed(shop).placed(0)
    arm(shop)
    assert await program(shop) is None
    checkout = await shop.orders.place(order.id, BEK, BASE)
    assert checkout.payment_url
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.drain()
    with pytest.raises(PassNeeded):
        await person(shop)


async def test_an_order_opened_after_the_arming_lets_nobody_in(shop, hold_s):
    await disarmed(shop).hold(0)
    arm(shop)
    shop.clock.advance(hold_s - 10)
    late = await shop.orders.open(BEK, shop.event_id, "web")
    await shop.holds.hold(shop.event_id, late.id, BEK, [1])
    assert await person(shop) is None
    shop.clock.advance(20)
    with pytest.raises(PassNeeded):
        await person(shop)


async def test_nobody_shops_on_for_ever_with_one_old_order(shop, hold_s):
    order = await disarmed(shop).hold(0)
    arm(shop)
    for seat in range(1, 5):
        shop.clock.advance(hold_s // 2)
        await shop.holds.release(shop.event_id, order.id, BEK)
        await shop.holds.hold(shop.event_id, order.id, BEK, [seat])
    assert await shop.holds.of_order(shop.event_id, order.id)
    with pytest.raises(PassNeeded):
        await person(shop)


async def test_an_order_opened_under_a_pass_goes_on_by_that_pass_alone(shop):
    shop.modes.armed[shop.event_id] = shop.clock.now()
    visit = await shop.admissions.enter(pass_for(shop).token, Visitor(BEK))
    order = await shop.orders.open(BEK, shop.event_id, "web", visit.jti)
    await shop.holds.hold(shop.event_id, order.id, BEK, [0])
    await shop.admissions.end(shop.event_id, visit.jti, "left")
    arm(shop)
    with pytest.raises(PassNeeded):
        await person(shop)


async def test_a_visit_from_an_earlier_arming_goes_on(shop):
    arm(shop)
    await shop.admissions.enter(pass_for(shop).token, Visitor(BEK))
    shop.modes.off.add(shop.event_id)
    arm(shop)
    assert (await program(shop)).jti == "jti-1"
    assert (await person(shop)).jti == "jti-1"


async def test_a_room_that_is_on_knows_no_shoppers_and_no_programs(shop):
    await shop.hold(0)
    for verb in (person, program):
        with pytest.raises(PassNeeded):
            await verb(shop)
    assert shop.desk.asked == []


async def test_a_program_is_let_in_by_its_account_and_stays_a_visitor(shop):
    arm(shop)
    shop.desk.then = pass_for(shop)
    visit = await program(shop)
    assert (visit.jti, visit.lease_until - shop.clock.now()) == ("jti-1", timedelta(seconds=900))
    shop.desk.then = Busy("waiting", 1000)
    assert (await program(shop)).jti == "jti-1"
    assert len(shop.desk.asked) == 1
    await shop.drain()
    assert [verb for verb, _, _ in shop.rooms.told] == ["keep"]
    subject = subject_of(shop.keyring.secret("subject"), "account", BEK)
    assert shop.desk.asked == [(shop.event_id, subject, None)]


async def test_twenty_calls_of_one_account_at_once_open_one_visit(shop):
    arm(shop)
    shop.desk.then = pass_for(shop)
    visits = await asyncio.gather(*(program(shop) for _ in range(20)))
    assert {visit.jti for visit in visits} == {"jti-1"}
    assert await shop.db.fetchval("SELECT count(*) FROM admission") == 1


async def test_one_question_at_a_time_is_asked_about_an_account(clock):
    gate, let = asyncio.Event(), Let("token", "jti-1")

    async def slow(*_: object) -> Let:
        await gate.wait()
        return let

    desk = FakeDesk(then=slow)
    asker = Asker(desk, clock)
    calls = [asyncio.create_task(asker.ask(1, "bek")) for _ in range(20)]
    await asyncio.sleep(0.01)
    calls[0].cancel()
    gate.set()
    assert await asyncio.gather(*calls[1:]) == [let] * 19
    assert desk.asked == [(1, "bek", None)]


async def test_a_busy_gate_is_429_with_the_reason_and_asked_again_in_time(shop):
    arm(shop)
    shop.desk.then = Busy("waiting", 1000)
    with pytest.raises(PassNeeded) as refused:
        await program(shop)
    assert refused.value.headers["Retry-After"] == "1"
    assert refused.value.extra == {"event_id": shop.event_id, "reason": "waiting"}
    with pytest.raises(PassNeeded):
        await program(shop, ERMEK)
    assert len(shop.desk.asked) == 1, "what everybody is refused for is believed for a second"
    shop.clock.advance(1)
    shop.desk.then = pass_for(shop)
    assert await program(shop)


async def test_a_clock_that_jumps_back_makes_no_refusal_last(shop):
    arm(shop)
    shop.desk.then = Busy("ceiling", 3000)
    with pytest.raises(PassNeeded):
        await program(shop)
    shop.clock.advance(-3600)
    shop.desk.then = pass_for(shop)
    shop.clock.advance(1)
    assert await program(shop)


async def test_without_an_answer_of_the_room_nobody_is_let_in(shop):
    arm(shop)
    shop.desk.then = RoomAway()
    with pytest.raises(RoomAway) as away:
        await program(shop)
    assert (away.value.status, away.value.code) == (503, "room-away")
    assert "Retry-After" in away.value.headers
    assert await shop.db.fetchval("SELECT count(*) FROM admission") == 0


async def test_a_room_that_has_disarmed_a_moment_ago_needs_no_pass(shop):
    arm(shop)
    shop.desk.then = None
    assert await program(shop) is None


async def test_after_the_purchase_a_new_visit_is_asked_for_before_the_room_has_heard(shop):
    arm(shop)
    shop.desk.said.append(pass_for(shop))
    visit = await program(shop)
    await shop.admissions.end(shop.event_id, visit.jti, "paid")
    shop.desk.said.extend([pass_for(shop), pass_for(shop, jti="jti-2")])
    assert (await program(shop)).jti == "jti-2"
    assert [over for _, _, over in shop.desk.asked] == [None, None, "jti-1"]


async def test_whoever_has_not_signed_in_and_whoever_shows_a_pass_is_not_asked_about(shop):
    arm(shop)
    with pytest.raises(PassNeeded):
        await shop.entrance.program(shop.event_id, Visitor(None), None)
    good = pass_for(shop)
    assert (await program(shop, token=good.token)).jti == good.jti
    assert shop.desk.asked == []


async def test_pages_never_ask(shop):
    arm(shop)
    shop.desk.then = pass_for(shop)
    with pytest.raises(PassNeeded):
        await person(shop)
    assert shop.desk.asked == []


async def test_calls_of_programs_are_counted(shop):
    disarmed(shop)
    await program(shop)
    assert shop.modes.counted == [shop.event_id]


async def test_so_many_questions_at_once_and_no_more(clock):
    gate = asyncio.Event()

    async def slow(*_: object) -> Busy:
        await gate.wait()
        return Busy("rate", 10)

    desk = FakeDesk(then=slow)
    asker = Asker(desk, clock)
    waiting = [asyncio.create_task(asker.ask(1, f"s{n}")) for n in range(ASKING_MAX)]
    while len(desk.asked) < ASKING_MAX:
        await asyncio.sleep(0.01)
    assert await asker.ask(1, "one more") == Busy("crowd", 1000)
    gate.set()
    assert await asyncio.gather(*waiting) == [Busy("rate", 10)] * ASKING_MAX
    clock.advance(0.01)
    assert await asker.ask(1, "one more") == Busy("rate", 10)
