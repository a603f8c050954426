"""Giving seats back: a test for each answer of release.lua."""

from collections import Counter

import pytest

from sales.geometry import SeatUnknown
from sales.holds_refusals import HoldFrozen, NotYourSeat, SeatNotHeld
from tests.halls import assert_consistent, build_event

BEK, ERMEK = 1, 2


async def test_bek_gives_back_one_seat_and_keeps_the_other(holds, db, redis_shop):
    event = await build_event(db)
    before = await holds.hold(event, 10, BEK, [1, 2])
    assert await holds.release(event, 10, BEK, [1]) == [1]
    after = await holds.of_order(event, 10)
    assert after.seats == [2]
    assert after.expires_at_ms == before.expires_at_ms
    assert await holds.hold(event, 11, ERMEK, [1])
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_giving_back_everything_leaves_nothing_behind(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    assert sorted(await holds.release(event, 10, BEK)) == [1, 2]
    assert await holds.of_order(event, 10) is None
    assert await holds.release(event, 10, BEK) == []
    assert await assert_consistent(redis_shop, event) == Counter(F=11)


async def test_a_seat_of_somebody_else_is_refused_and_nothing_is_given_back(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await holds.hold(event, 11, ERMEK, [2])
    for seats in ([1, 2], [2], None):
        with pytest.raises(NotYourSeat) as refused:
            await holds.release(event, 11 if seats is None else 10, BEK, seats)
        assert (refused.value.status, refused.value.code) == (403, "not-your-seat")
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_a_free_seat_cannot_be_given_back(holds, db):
    event = await build_event(db)
    with pytest.raises(SeatNotHeld) as refused:
        await holds.release(event, 10, BEK, [3])
    assert (refused.value.status, refused.value.code) == (419, "seat-not-held")
    await holds.hold(event, 10, BEK, [1])
    with pytest.raises(SeatNotHeld):
        await holds.release(event, 10, BEK, [1, 3])
    assert (await holds.of_order(event, 10)).seats == [1]


async def test_a_seat_sold_to_bek_is_no_hold_any_more_and_to_ermek_it_is_not_his(holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await holds.sell(event, 10, [1])
    with pytest.raises(SeatNotHeld):
        await holds.release(event, 10, BEK, [1])
    with pytest.raises(NotYourSeat):
        await holds.release(event, 11, ERMEK, [1])


async def test_while_it_is_paid_nothing_is_given_back(holds, db, clock):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    for seats in (None, [1]):
        with pytest.raises(HoldFrozen) as refused:
            await holds.release(event, 10, BEK, seats)
        assert (refused.value.status, refused.value.code) == (419, "payment-open")


async def test_a_seat_that_the_hall_does_not_have_cannot_be_given_back(holds, db):
    event = await build_event(db)
    with pytest.raises(SeatUnknown):
        await holds.release(event, 10, BEK, [11])
    assert await holds.release(event, 10, BEK, []) == []


async def test_a_stale_redis_is_refilled_before_it_answers(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await redis_shop.flushall()
    with pytest.raises(SeatNotHeld):
        await holds.release(event, 10, BEK, [1])
    assert await assert_consistent(redis_shop, event) == Counter(F=11)
