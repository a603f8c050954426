"""An order lets go: a test for each answer of free.lua."""

from collections import Counter

from tests.halls import assert_consistent, build_event

BEK, ERMEK = 1, 2


async def test_an_order_that_ended_unpaid_frees_its_frozen_seats(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    assert await holds.free(event, 10, [1, 2]) == [1, 2]
    assert await holds.free(event, 10, [1, 2]) == []
    assert await assert_consistent(redis_shop, event) == Counter(F=11)


async def test_one_ticket_returned_frees_one_sold_seat(holds, db, redis_shop):
    event = await build_event(db, person_limit=2)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.sell(event, 10, [1, 2])
    assert await holds.free(event, 10, [2]) == [2]
    assert await assert_consistent(redis_shop, event) == Counter(F=10, S=1)
    await holds.hold(event, 11, BEK, [2])


async def test_without_seats_named_all_that_is_held_goes(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    assert await holds.free(event, 10) == [1, 2]
    assert await holds.free(event, 10) == []
    assert await holds.free(event, 10, []) == []
    assert await assert_consistent(redis_shop, event) == Counter(F=11)


async def test_a_part_of_a_hold_may_go(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    assert await holds.free(event, 10, [2, 3]) == [2]
    assert (await holds.of_order(event, 10)).seats == [1]
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)


async def test_a_late_notice_does_not_free_what_another_order_has_taken(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    clock.advance(601)
    await holds.hold(event, 11, ERMEK, [1])
    assert await holds.free(event, 10, [1]) == []
    assert (await holds.of_order(event, 11)).seats == [1]
    await holds.sell(event, 11, [1])
    assert await holds.free(event, 10, [1]) == []
    assert await assert_consistent(redis_shop, event) == Counter(F=10, S=1)


async def test_a_stale_redis_is_refilled_first(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await redis_shop.flushall()
    assert await holds.free(event, 10, [1]) == []
    assert await assert_consistent(redis_shop, event) == Counter(F=11)
