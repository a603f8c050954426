"""Freezing a hold for payment, and thawing it: a test for each answer of both commands."""

from collections import Counter

import pytest

from sales.holds_refusals import HoldOver, NotYourSeat
from tests.halls import assert_consistent, build_event

BEK, ERMEK = 1, 2


async def test_a_frozen_hold_outlives_its_time(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    until = clock.ms() + 900_000
    hold = await holds.freeze(event, 10, BEK, until)
    assert hold.frozen
    assert (hold.seats, hold.expires_at_ms) == ([1, 2], until)
    clock.advance(700)
    assert await holds.lapse(clock.now()) == 0
    assert await holds.of_order(event, 10) == hold
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_freezing_twice_only_moves_the_end_further(holds, db, clock):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    until = clock.ms() + 900_000
    await holds.freeze(event, 10, BEK, until)
    assert (await holds.freeze(event, 10, BEK, until - 5)).expires_at_ms == until
    assert (await holds.freeze(event, 10, BEK, until + 5)).expires_at_ms == until + 5


async def test_what_is_not_held_or_over_cannot_be_paid(holds, db, clock):
    event = await build_event(db)
    with pytest.raises(HoldOver) as refused:
        await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    assert (refused.value.status, refused.value.code) == (419, "hold-over")
    await holds.hold(event, 10, BEK, [1])
    clock.advance(600)
    with pytest.raises(HoldOver):
        await holds.freeze(event, 10, BEK, clock.ms() + 900_000)


async def test_nobody_freezes_the_hold_of_another(holds, db, clock):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    with pytest.raises(NotYourSeat):
        await holds.freeze(event, 10, ERMEK, clock.ms() + 900_000)


async def test_a_hold_lost_with_redis_is_over(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await redis_shop.flushall()
    with pytest.raises(HoldOver):
        await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    await redis_shop.flushall()
    assert await holds.thaw(event, 10) is None


async def test_a_thawed_hold_may_be_changed_and_lapses_again(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    hold = await holds.thaw(event, 10)
    assert not hold.frozen
    assert hold.expires_at_ms == clock.ms() + 600_000
    assert await holds.thaw(event, 10) == hold
    await assert_consistent(redis_shop, event)
    await holds.release(event, 10, BEK, [1])
    clock.advance(600)
    assert await holds.lapse(clock.now()) == 1
    assert await holds.thaw(event, 10) is None


async def test_a_hold_thawed_late_leaves_time_for_a_second_try_but_only_once(holds, db, clock):
    event = await build_event(db)
    latest = clock.ms() + 1_200_000
    await holds.hold(event, 10, BEK, [1])
    await holds.freeze(event, 10, BEK, clock.ms() + 1_500_000)
    clock.advance(1_200)
    assert (await holds.thaw(event, 10)).expires_at_ms == latest + 120_000
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    clock.advance(100)
    assert (await holds.thaw(event, 10)).expires_at_ms == latest + 120_000
