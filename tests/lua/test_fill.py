"""Redis is lost, old or replaced: what PostgreSQL knows is never offered again."""

import asyncio
import contextlib
from collections import Counter

import asyncpg
import pytest

from kernel.lua import LuaScripts, word
from sales.catalogue import Catalogue
from sales.epochs import FRESH_MS, Epochs
from sales.holds import Holds
from sales.holds_refusals import SeatTaken
from sales.keys import EPOCH, VERSION, key, keys_of
from sales.seatstore import HERE, SeatsUnsettled
from tests.halls import assert_consistent, big_zones, build_event, claim_seats

BEK, ERMEK = 1, 2


async def raise_epoch(db: asyncpg.Pool) -> None:
    await db.execute("UPDATE epoch SET epoch = epoch + 1")


async def test_claimed_and_sold_seats_are_not_held_after_redis_was_lost(holds, db, redis_shop):
    event = await build_event(db, person_limit=3)
    await holds.hold(event, 9, ERMEK, [0])
    await claim_seats(db, event, 10, BEK, [1, 2])
    await claim_seats(db, event, 11, ERMEK, [3, 4], sold=True)
    await redis_shop.flushall()
    for seat in (1, 2, 3, 4):
        with pytest.raises(SeatTaken):
            await holds.hold(event, 12, 3, [seat])
    assert await assert_consistent(redis_shop, event) == Counter(F=7, H=2, S=2)
    # Who was only choosing must choose again; who is paying notices nothing.
    assert await holds.of_order(event, 9) is None
    assert (await holds.of_order(event, 10)).frozen
    assert len((await holds.hold(event, 13, ERMEK, [0])).seats) == 1


async def test_redis_lost_in_the_middle_of_a_fight_never_gives_a_claimed_seat(
    holds, db, redis_shop
):
    event = await build_event(db, big_zones(5, 10, 1))
    claimed = list(range(0, 50, 2))
    await claim_seats(db, event, 1000, BEK, claimed)
    stop = asyncio.Event()
    wrong: list[int] = []

    async def fight(order: int) -> None:
        seat = order
        while not stop.is_set():
            seat = (seat + 7) % 50
            # A machine so busy that Redis is lost anew before it is filled says: try again.
            with contextlib.suppress(SeatTaken, SeatsUnsettled):
                hold = await holds.hold(event, order, order, [seat], order_limit=1)
                wrong.extend(set(hold.seats) & set(claimed))
                await holds.release(event, order, order)

    fighters = [asyncio.create_task(fight(order)) for order in range(1, 9)]
    for _ in range(10):
        await asyncio.sleep(0.02)
        await redis_shop.flushall()
    stop.set()
    await asyncio.gather(*fighters)
    assert wrong == []
    # Nobody may have come after the last loss: whoever comes now has the seats refilled.
    await holds.holder(event, 0)
    counts = await assert_consistent(redis_shop, event)
    assert counts["H"] >= 25


async def test_a_raised_epoch_voids_every_hold(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 2])
    version = int(await redis_shop.get(key(VERSION, event)))
    await raise_epoch(db)
    clock.advance(1)
    assert await holds.of_order(event, 10) is None
    assert await assert_consistent(redis_shop, event) == Counter(F=11)
    assert int(await redis_shop.get(key(VERSION, event))) > version


async def test_whoever_raised_the_epoch_need_not_wait(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await raise_epoch(db)
    holds.forget_epoch()
    assert (await holds.hold(event, 11, ERMEK, [1])).seats == [1]
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)


async def test_a_process_that_has_not_heard_of_the_new_epoch_learns_it(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await raise_epoch(db)
    other = Holds(redis_shop, db, Catalogue(db, clock), clock)
    await other.hold(event, 11, ERMEK, [1])
    with pytest.raises(SeatTaken):
        await holds.hold(event, 10, BEK, [1])
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=1)


async def test_a_redis_back_from_its_file_keeps_the_holds_that_harm_nobody(
    holds, db, clock, redis_shop
):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0, 1])
    await holds.hold(event, 11, ERMEK, [2, 3])
    await holds.hold(event, 12, ERMEK, [4])
    await holds.freeze(event, 12, ERMEK, clock.ms() + 900_000)
    # Meanwhile the file is older than what PostgreSQL has committed since.
    await claim_seats(db, event, 13, 3, [3])
    await claim_seats(db, event, 14, 3, [5], sold=True)
    epoch = (await redis_shop.get(key(EPOCH, event))).partition(b"-")[0]
    await redis_shop.set(key(EPOCH, event), epoch + b"-another-run")
    assert (await holds.of_order(event, 10)).seats == [0, 1]
    assert await holds.of_order(event, 11) is None
    assert (await holds.of_order(event, 12)).frozen
    assert (await holds.holder(event, 3)).order_id == 13
    assert (await holds.holder(event, 5)).sold
    assert await assert_consistent(redis_shop, event) == Counter(F=6, H=4, S=1)


async def test_an_order_that_postgresql_knows_is_as_postgresql_says(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0, 1])
    await claim_seats(db, event, 10, BEK, [6], sold=True)
    await redis_shop.set(key(EPOCH, event), b"1-another-run")
    assert await holds.of_order(event, 10) is None
    assert await assert_consistent(redis_shop, event) == Counter(F=10, S=1)


async def test_of_two_fills_the_first_counts_and_an_older_one_never(holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    await holds.store.refill(event)
    assert (await holds.of_order(event, 10)).seats == [1]
    scripts = LuaScripts(redis_shop, HERE / "lua")
    reply = await scripts.run("fill", keys_of("fill", event), ["0-old", clock.ms(), b"F" * 11, ""])
    assert word(reply) == "kept"
    reply = await scripts.run("fill", keys_of("fill", event), ["2-new", clock.ms(), b"F" * 11, ""])
    assert word(reply) == "filled"


async def test_a_crowd_that_finds_redis_empty_fills_it_once(holds, db, redis_shop):
    event = await build_event(db, big_zones(5, 10, 1))
    await holds.of_order(event, 1)
    await redis_shop.flushall()
    await redis_shop.config_resetstat()
    await asyncio.gather(*(holds.hold(event, n, n, [n]) for n in range(1, 41)))
    stats = await redis_shop.info("commandstats")
    assert stats["cmdstat_zadd"]["calls"] >= 40
    # One fill writes the whole string once; every hold writes one byte of it.
    assert stats["cmdstat_set"]["calls"] == 3
    assert await assert_consistent(redis_shop, event) == Counter(F=10, H=40)


async def test_an_epoch_that_never_settles_is_a_clear_refusal(holds, db, redis_shop, monkeypatch):
    event = await build_event(db)

    async def nothing(self, event_id):
        await redis_shop.flushall()

    monkeypatch.setattr(type(holds.store), "refill", nothing)
    with pytest.raises(SeatsUnsettled) as refused:
        await holds.hold(event, 10, BEK, [1])
    assert refused.value.status == 503


async def test_many_who_ask_for_the_epoch_share_one_look(redis_shop, db, clock, monkeypatch):
    epochs, looks = Epochs(redis_shop, db, clock), []
    renew = epochs._renew

    async def counted():
        looks.append(1)
        return await renew()

    monkeypatch.setattr(epochs, "_renew", counted)
    assert set(await asyncio.gather(*(epochs.epoch() for _ in range(20)))) == {1}
    clock.advance(FRESH_MS / 1000)
    await epochs.epoch()
    assert len(looks) == 2


async def test_a_run_is_asked_for_once_a_connection(holds, db, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [0])
    await redis_shop.config_resetstat()
    for seat in (1, 2):
        await holds.hold(event, 10, BEK, [seat])
    assert "cmdstat_info" not in await redis_shop.info("commandstats")
