"""Holds end by themselves: lapse.lua and the ticker's visits."""

from collections import Counter

from redis.asyncio import Redis

from sales import holds_lapse
from sales.keys import HOLDING
from tests.halls import assert_consistent, big_zones, build_event, claim_seats

BEK, ERMEK = 1, 2


async def test_a_hold_ends_at_its_time_and_not_before(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    clock.advance(300)
    await holds.hold(event, 11, ERMEK, [3])
    clock.advance(299)
    assert await holds.lapse(clock.now()) == 0
    assert await assert_consistent(redis_shop, event) == Counter(F=8, H=3)
    clock.advance(1)
    assert await holds.lapse(clock.now()) == 1
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)
    clock.advance(300)
    assert await holds.lapse(clock.now()) == 1
    assert await assert_consistent(redis_shop, event) == Counter(F=11)


async def test_more_holds_than_one_command_ends_all_end_in_one_visit(
    holds, db, clock, redis_shop, monkeypatch
):
    monkeypatch.setattr(holds_lapse, "LAPSE_MAX", 3)
    event = await build_event(db, big_zones(10, 10, 1))
    for order in range(1, 9):
        await holds.hold(event, order, BEK, [order])
    clock.advance(600)
    assert await holds.lapse(clock.now()) == 8
    assert await assert_consistent(redis_shop, event) == Counter(F=100)


async def test_a_hold_of_ten_seconds_made_after_a_visit_ends_in_time(holds, db, clock):
    event = await build_event(db, hold_seconds=10)
    await holds.hold(event, 10, BEK, [1])
    await holds.lapse(clock.now())
    for second in range(1, 31):
        clock.advance(1)
        if second == 5:
            await holds.hold(event, 11, ERMEK, [2])
        ended = await holds.lapse(clock.now())
        assert ended == (1 if second in {10, 15} else 0), second


async def test_a_frozen_hold_that_postgresql_knows_stays_and_is_asked_about_again(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    await claim_seats(db, event, 10, BEK, [1, 2])
    clock.advance(901)
    assert await holds.lapse(clock.now()) == 0
    hold = await holds.of_order(event, 10)
    assert hold.frozen
    assert hold.expires_at_ms == clock.ms() + 900_000
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=2)


async def test_a_checkout_that_died_before_its_commit_gives_its_seats_back(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    clock.advance(899)
    assert await holds.lapse(clock.now()) == 0
    clock.advance(1)
    assert await holds.lapse(clock.now()) == 1
    assert await assert_consistent(redis_shop, event) == Counter(F=11)


async def test_a_paid_order_whose_notice_is_late_is_found_sold(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    await claim_seats(db, event, 10, BEK, [1], sold=True)
    clock.advance(901)
    assert await holds.lapse(clock.now()) == 0
    assert await assert_consistent(redis_shop, event) == Counter(F=10, S=1)


async def test_an_event_without_holds_is_not_visited_for_ever(holds, db, clock, redis_shop: Redis):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    assert await redis_shop.zcard(HOLDING) == 1
    clock.advance(6 * 3600)
    assert await holds.lapse(clock.now()) == 1
    assert await redis_shop.zcard(HOLDING) == 0
    assert await holds.lapse(clock.now()) == 0
    await holds.hold(event, 11, BEK, [1])
    clock.advance(600)
    assert await holds.lapse(clock.now()) == 1


async def test_after_a_loss_of_redis_the_ticker_still_finds_every_event(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await redis_shop.flushall()
    await holds.hold(event, 11, BEK, [1])
    clock.advance(600)
    assert await holds.lapse(clock.now()) == 1
    assert await assert_consistent(redis_shop, event) == Counter(F=11)
