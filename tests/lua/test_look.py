"""Reading: holds of orders and accounts, the holder of a seat, and the map's string."""

import pytest

from kernel.lua import word
from sales.geometry import SeatUnknown
from tests.halls import build_event

BEK, ERMEK = 1, 2


async def test_holds_of_several_orders_come_together_and_those_that_are_over_do_not(
    holds, db, clock
):
    one, other = await build_event(db), await build_event(db)
    await holds.hold(one, 10, BEK, [1])
    clock.advance(300)
    await holds.hold(one, 11, BEK, [2])
    await holds.hold(other, 12, BEK, [3])
    clock.advance(300)
    found = await holds.of_orders([(one, 10), (one, 11), (other, 12), (other, 13)])
    assert {order: hold.seats for order, hold in found.items()} == {11: [2], 12: [3]}


async def test_bek_sees_his_holds_newest_order_first(holds, db, clock):
    event = await build_event(db)
    orders = [
        await db.fetchval(
            "INSERT INTO orders (account_id, event_id, state, epoch, created_at, updated_at)"
            " VALUES ($1, $2, $3, 1, now(), now()) RETURNING id",
            account,
            event,
            state,
        )
        for account, state in ((BEK, "open"), (BEK, "open"), (BEK, "expired"), (ERMEK, "open"))
    ]
    await holds.hold(event, orders[0], BEK, [1])
    await holds.hold(event, orders[1], BEK, [2])
    await holds.hold(event, orders[3], ERMEK, [3])
    assert [hold.order_id for hold in await holds.of_account(BEK)] == [orders[1], orders[0]]
    assert await holds.of_account(3) == []


async def test_the_holder_of_a_seat(holds, db):
    event = await build_event(db)
    assert await holds.holder(event, 1) is None
    await holds.hold(event, 10, BEK, [1])
    holder = await holds.holder(event, 1)
    assert (holder.order_id, holder.account_id, holder.sold) == (10, BEK, False)
    with pytest.raises(SeatUnknown):
        await holds.holder(event, 11)


async def test_the_map_is_sent_only_when_it_changed(holds, db, redis_shop):
    event = await build_event(db)
    answer, version, seats = await holds.store.run("read", event, 0)
    assert (answer, seats) == (b"map", b"F" * 11)
    assert word(await holds.store.run("read", event, version)) == "same"
    await holds.hold(event, 10, BEK, [1])
    answer, newer, seats = await holds.store.run("read", event, version)
    assert (answer, seats) == (b"map", b"FH" + b"F" * 9)
    assert int(newer) == int(version) + 1


@pytest.mark.parametrize("command", ["look", "holder", "read"])
async def test_a_lost_redis_is_refilled_for_a_reader_too(holds, db, redis_shop, command):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await redis_shop.flushall()
    reply = await holds.store.run(command, event, 10 if command == "look" else 1)
    assert word(reply) in {"found", "free", "map"}
