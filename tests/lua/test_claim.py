"""What PostgreSQL decided, carried to Redis: claim and sell, and each answer of claim.lua."""

from collections import Counter

import pytest

from kernel.lua import word
from sales.holds_refusals import SeatTaken
from sales.keys import VERSION, key
from tests.halls import assert_consistent, build_event, claim_seats

BEK, ERMEK = 1, 2


async def test_a_paid_hold_becomes_sold_and_saying_so_again_changes_nothing(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    await holds.sell(event, 10, [1, 2])
    version = await redis_shop.get(key(VERSION, event))
    await holds.sell(event, 10, [1, 2])
    assert await redis_shop.get(key(VERSION, event)) == version
    assert await holds.of_order(event, 10) is None
    holder = await holds.holder(event, 1)
    assert (holder.order_id, holder.account_id, holder.sold) == (10, BEK, True)
    assert await assert_consistent(redis_shop, event) == Counter(F=9, S=2)


async def test_what_is_sold_is_sold_also_when_the_hold_has_vanished(holds, db, redis_shop):
    event = await build_event(db)
    await claim_seats(db, event, 10, BEK, [1, 2], sold=True)
    await holds.hold(event, 11, ERMEK, [3])  # filled: the claims are known
    await holds.free(event, 10, [1, 2])  # and lost again
    await holds.sell(event, 10, [1, 2])
    assert (await holds.holder(event, 2)).account_id == BEK
    assert await assert_consistent(redis_shop, event) == Counter(F=8, H=1, S=2)


async def test_a_seat_that_postgresql_gives_to_nobody_is_not_sold(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 11, ERMEK, [1])
    await holds.sell(event, 10, [1, 2])
    assert (await holds.holder(event, 1)).order_id == 11
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)


async def test_a_claim_takes_its_seat_from_whoever_holds_it_and_leaves_him_the_rest(
    holds, db, clock, redis_shop
):
    """Redis was lost between freezing and commit, and offered the seat again."""
    event = await build_event(db)
    await holds.hold(event, 11, ERMEK, [1, 2, 3])
    await holds.hold(event, 12, ERMEK, [4])
    until = clock.ms() + 900_000
    await holds.claim(event, 10, BEK, [0, 1, 3, 4], until)
    assert (await holds.of_order(event, 11)).seats == [2]
    assert await holds.of_order(event, 12) is None
    hold = await holds.of_order(event, 10)
    assert (hold.seats, hold.frozen, hold.expires_at_ms) == ([0, 1, 3, 4], True, until)
    assert await assert_consistent(redis_shop, event) == Counter(F=6, H=5)
    with pytest.raises(SeatTaken):
        await holds.hold(event, 11, ERMEK, [1])


async def test_a_claim_of_what_is_held_already_only_freezes_it(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    version = await redis_shop.get(key(VERSION, event))
    await holds.claim(event, 10, BEK, [1, 2], clock.ms() + 900_000)
    assert (await holds.of_order(event, 10)).frozen
    assert await redis_shop.get(key(VERSION, event)) == version
    await assert_consistent(redis_shop, event)


async def test_seats_decided_one_by_one_leave_the_rest_of_the_order_alone(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2, 3])
    until = clock.ms() + 900_000
    await holds.claim(event, 10, BEK, [2], until)
    hold = await holds.of_order(event, 10)
    assert (sorted(hold.seats), hold.frozen, hold.expires_at_ms) == ([1, 2, 3], True, until)
    await holds.sell(event, 10, [1])
    hold = await holds.of_order(event, 10)
    assert (sorted(hold.seats), hold.frozen, hold.expires_at_ms) == ([2, 3], True, until)
    assert await assert_consistent(redis_shop, event) == Counter(F=8, H=2, S=1)


async def test_a_seat_frozen_but_never_claimed_goes_free_when_the_order_is_asked_about(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2, 3])
    await holds.freeze(event, 10, BEK, clock.ms() + 900_000)
    await claim_seats(db, event, 10, BEK, [1])
    await claim_seats(db, event, 10, BEK, [2], sold=True)
    clock.advance(900)
    await holds.lapse(clock.now())
    hold = await holds.of_order(event, 10)
    assert (hold.seats, hold.expires_at_ms) == ([1], clock.ms() + 900_000)
    assert await assert_consistent(redis_shop, event) == Counter(F=9, H=1, S=1)


async def test_a_late_claim_never_makes_a_sold_seat_claimed_again(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    await holds.sell(event, 10, [1, 2])
    await holds.claim(event, 10, BEK, [1, 2], clock.ms() + 900_000)
    assert await holds.of_order(event, 10) is None
    assert await assert_consistent(redis_shop, event) == Counter(F=9, S=2)


async def test_a_seat_returned_and_sold_again_belongs_to_the_later_order(holds, db, redis_shop):
    """The notice of the return comes after the notice of the new sale."""
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await holds.sell(event, 10, [1])
    await claim_seats(db, event, 11, ERMEK, [1], sold=True)
    await holds.sell(event, 11, [1])
    assert await holds.free(event, 10, [1]) == []
    assert (await holds.holder(event, 1)).order_id == 11
    assert await assert_consistent(redis_shop, event) == Counter(F=10, S=1)


async def test_the_command_answers_whose_unknown_and_stale(holds, db, redis_shop):
    event = await build_event(db)
    reply = await holds.store.run("claim", event, 10, "", "S", 0, 1)
    assert word(reply) == "whose"
    reply = await holds.store.run("claim", event, 10, BEK, "S", 0, 11)
    assert word(reply) == "unknown"
    await redis_shop.flushall()
    await holds.claim(event, 10, BEK, [1], 0)
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)
