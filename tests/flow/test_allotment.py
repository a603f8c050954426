"""What only was given to us, in PostgreSQL: whatever Redis says, nothing is claimed outside."""

import asyncio
from typing import Any

import pytest

from kernel.errors import Refusal
from sales.holds_refusals import AllotmentOver, AllotmentSpent, OutsideAllotment, SaleClosed
from sales.keys import ALLOTMENTS, SEATS, key
from tests.flow.money import tickets_of
from tests.flow.shop import AHEAD, BASE, BEK, ERMEK, Shop, open_shop
from tests.halls import give_places

# Of the stalls (seats 0…6) any three, of the balcony (7…10) two by name.
COUNT, LISTED = 3, [8, 9]
ORDERS = 12


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path) -> Shop:
    made = await open_shop(db, redis_shop, clock, tmp_path, starts_at=AHEAD, ownership="allotment")
    await give_places(db, made.event_id, 1, COUNT)
    await give_places(db, made.event_id, 2, seats=LISTED)
    return made


async def misled(shop: Shop) -> None:
    """A Redis that believes all the seats to be ours."""
    redis: Any = shop.holds.store.redis
    await shop.holds.of_order(shop.event_id, 1)
    await redis.set(key(ALLOTMENTS, shop.event_id), "0;0:6:7:a:0-6;7:10:4:a:7-10;")
    await redis.set(key(SEATS, shop.event_id), "F" * 11)


async def test_whatever_redis_believes_no_more_is_claimed_than_was_given(shop, db):
    await misled(shop)

    async def buy(buyer: int) -> Any:
        order = await shop.orders.open(buyer, shop.event_id, "api" if buyer % 2 else "web")
        await shop.holds.hold(shop.event_id, order.id, buyer, [buyer])
        await shop.orders.place(order.id, buyer, BASE)
        return (await shop.orders.get(order.id)).state

    got = await asyncio.gather(*(buy(n) for n in range(7)), return_exceptions=True)
    assert sorted(map(str, got)).count("pending") == COUNT
    refused = [one for one in got if isinstance(one, Refusal)]
    assert len(refused) + COUNT == len(got), got
    assert {type(one) for one in refused} == {AllotmentSpent}, refused
    assert {one.extra["left"] for one in refused} == {0}
    for seats in ([7], [9, 10]):
        order = await shop.hold(*seats)
        with pytest.raises(OutsideAllotment) as outside:
            await shop.orders.place(order.id, BEK, BASE)
        named: Any = outside.value.extra["seats"]
        assert [seat["number"] for seat in named] == [seats[-1] - 6]
        # Whoever is refused may choose again: the hold is not frozen.
        held = await shop.holds.of_order(shop.event_id, order.id)
        assert held is not None
        assert not held.frozen
    assert await db.fetchval("SELECT count(*) FROM seat_claim") == COUNT


@pytest.mark.parametrize("channel", ["web", "box_office"])
async def test_each_channel_claims_what_is_its_own(shop, db, channel):
    await db.execute("UPDATE allotment SET channel = $1", channel)
    await misled(shop)
    for n, mine in enumerate(("web", "api", "box_office")):
        order = await shop.orders.open(BEK, shop.event_id, mine)
        await shop.holds.hold(shop.event_id, order.id, BEK, [n])
        placing = shop.orders.place(order.id, BEK, BASE)
        if (mine == "box_office") is (channel == "box_office"):
            await placing
        else:
            with pytest.raises(OutsideAllotment):
                await placing


async def test_an_event_that_has_become_somebody_else_s_is_looked_at_anew(shop, db):
    """The catalogue may be some seconds behind: PostgreSQL is not."""
    await db.execute("UPDATE event SET ownership = 'own'")
    await shop.holds.store.rebuild(shop.event_id)
    order = await shop.hold(7)
    await db.execute("UPDATE event SET ownership = 'allotment'")
    with pytest.raises(OutsideAllotment):
        await shop.orders.place(order.id, BEK, BASE)


@pytest.mark.parametrize("way", ["release", "cancel", "declined", "expired", "refund", "lapse"])
async def test_what_comes_back_is_sold_once_more_and_once(shop, way, clock):
    if way == "refund":
        order = await shop.paid(0, 1, 2)
        await shop.refunds.ask(order.id, BEK, [(await tickets_of(shop, order))[0].id])
        await shop.drain()
        freed = 1
    elif way in ("release", "lapse"):
        order = await shop.hold(0, 1, 2)
        if way == "release":
            await shop.holds.release(shop.event_id, order.id, BEK, [0, 1])
        else:
            clock.advance(601)
            await shop.holds.lapse(clock.now())
        freed = 2 if way == "release" else 3
    else:
        order = await shop.placed(0, 1, 2)
        if way == "cancel":
            await shop.orders.cancel(order.id, BEK)
        elif way == "declined":
            shop.gateway.pay("REJECTED")
            await shop.payments.hurry(order.id)
        await shop.later(3600)
        freed = 3
    for _ in range(2):  # told twice, it comes back once
        await shop.drain()
        await shop.holds.free(shop.event_id, order.id, [] if way == "refund" else None)
        freed = 3 if way == "release" else freed
    with pytest.raises(Refusal):
        await shop.hold(*range(3, 4 + freed), buyer=ERMEK)
    again = await shop.hold(*range(3, 3 + freed), buyer=ERMEK)
    await shop.orders.place(again.id, ERMEK, BASE)
    assert (await shop.seats())[:7].count("F") == 0


async def test_late_money_takes_its_seats_only_while_they_are_ours(shop, db):
    shop.gateway.faithful = True
    order = await shop.placed(0, 1)
    await shop.later(12 * 60 + 10)
    assert await shop.state(order.id) == ("expired", "lapsed")
    shop.gateway.faithful = False
    late = shop.gateway.newest
    await shop.placed(2, 3, buyer=ERMEK)
    await misled(shop)
    late.status = "AUTHORIZED"
    await shop.payments.hurry(order.id)
    # Of three places one is left: both or none.
    assert await shop.state(order.id) == ("expired", "reversed")
    assert set(await shop.claims()) == {2, 3}


async def test_a_hold_from_before_the_deadline_is_paid_and_a_late_one_is_not(shop, db):
    early, late = await shop.hold(0), await shop.hold(8, buyer=ERMEK)
    await db.execute("UPDATE allotment SET deadline = now() - interval '1 min', state = 'closing'")
    await shop.orders.place(early.id, BEK, BASE)
    await db.execute("UPDATE allotment SET deadline = now() - interval '1 hour'")
    with pytest.raises(AllotmentOver):
        await shop.orders.place(late.id, ERMEK, BASE)
    assert set(await shop.claims()) == {0}


async def test_after_a_reset_the_whole_allotment_is_there_again(shop, db):
    await shop.paid(0, 1, 2)
    await db.execute("TRUNCATE orders, seat_claim, payment, ticket, notice CASCADE")
    await db.execute("UPDATE epoch SET epoch = epoch + 1")
    shop.holds.forget_epoch()
    await shop.hold(4, 5, 6, 8, 9)
    assert await shop.seats() == "XXXXHHH" + "XHHX"
    await db.execute("UPDATE event SET state = 'closed'")
    shop.catalogue.forget(shop.event_id)
    with pytest.raises(SaleClosed):
        await shop.hold(8)
