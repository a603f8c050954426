"""The map from memory: what it says, how rarely it asks, and the contract's list of seats."""

import asyncio
from collections import Counter

import pytest

from sales.catalogue import EventUnknown
from sales.geometry import ZoneUnknown
from sales.seatmap import FRESH_MS, SeatMaps
from tests.halls import big_zones, build_event

BEK = 1


@pytest.fixture
def maps(holds, clock):
    return SeatMaps(holds.store, clock)


async def asked(redis_shop) -> int:
    stats = await redis_shop.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


async def test_however_many_look_redis_is_asked_once(maps, holds, db, clock, redis_shop):
    event = await build_event(db)
    await maps.counts(event)
    clock.advance(FRESH_MS / 1000)
    await redis_shop.config_resetstat()
    await asyncio.gather(*(maps.zone_map(event, 1) for _ in range(100)))
    assert await asked(redis_shop) == 1
    clock.advance((FRESH_MS - 1) / 1000)
    await maps.counts(event)
    assert await asked(redis_shop) == 1
    clock.advance(0.001)
    await maps.counts(event)
    assert await asked(redis_shop) == 2


async def test_a_change_is_seen_soon_and_by_its_author_at_once(maps, holds, db, clock):
    event = await build_event(db)
    before, _ = await maps.zone_states(event, 1)
    await holds.hold(event, 10, BEK, [1])
    assert (await maps.zone_states(event, 1))[1] == bytes(7)
    version, states = await maps.zone_states(event, 1, fresh=True)
    assert states == bytes([0, 1, 0, 0, 0, 0, 0])
    assert version > before
    await holds.sell(event, 10, [1])
    clock.advance(FRESH_MS / 1000)
    assert (await maps.zone_states(event, 1))[1][1] == 2


async def test_rows_for_a_grid(maps, holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [2, 3, 7])
    rows = await maps.rows(event, 1, 0, 99)
    assert [(one.row, one.first_seat, list(one.states)) for one in rows] == [
        (1, 0, [0, 0, 1]),
        (2, 3, [1, 0, 0, 0]),
    ]
    assert [one.row for one in await maps.rows(event, 1, 2, 2, fresh=True)] == [2]
    assert await maps.rows(event, 2, 1, 2) == []


async def test_a_lost_or_reset_redis_shows_no_old_map(maps, holds, db, clock, redis_shop):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1])
    old, _ = await maps.zone_map(event, 1)
    await redis_shop.flushall()
    clock.advance(FRESH_MS / 1000)
    new, states = await maps.zone_map(event, 1)
    assert new > old
    assert states == bytes(2)


async def test_unknown_zones_and_events(maps, db):
    event = await build_event(db)
    with pytest.raises(ZoneUnknown):
        await maps.zone_map(event, 3)
    for unknown in (0, 999_999, 2**70):
        with pytest.raises(EventUnknown):
            await maps.counts(unknown)


async def test_an_event_without_seats_has_an_empty_map_and_no_keys(maps, db, redis_shop):
    event = await build_event(db, ())
    assert await maps.counts(event) == []
    assert await maps.free_slice(event, "bek", 1, 20) == []
    assert await redis_shop.keys() == []


async def test_the_list_has_free_seats_first_and_each_seat_once(maps, holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 8])
    await holds.hold(event, 11, BEK, [4])
    await holds.sell(event, 11, [4])
    listed = [one for page in range(1, 6) for one in await maps.free_slice(event, "bek", page, 3)]
    assert [one.status for one in listed] == ["FREE"] * 8 + ["RESERVED"] * 2 + ["SOLD"]
    assert sorted(one.seat for one in listed) == list(range(11))
    assert [one.seat for one in listed[8:]] == [1, 8, 4]
    assert all(one.place.row == (1 if one.seat < 3 else 2) for one in listed if one.seat < 7)


async def test_one_status_and_one_row(maps, holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [4, 5, 8])
    free = await maps.free_slice(event, "bek", 1, 20, row=2, status="FREE")
    assert sorted(one.seat for one in free) == [3, 6]
    held = await maps.free_slice(event, "bek", 1, 20, status="RESERVED")
    assert [one.seat for one in held] == [4, 5, 8]
    assert await maps.free_slice(event, "bek", 1, 20, row=99) == []
    assert await maps.free_slice(event, "bek", 10**30, 20) == []
    assert await maps.free_slice(event, "bek", 1, 20, status="SOLD") == []


async def test_callers_begin_at_different_seats_and_each_keeps_his_order(maps, db, clock):
    event = await build_event(db, big_zones())
    firsts: Counter[int] = Counter()
    for caller in range(200):
        page = await maps.free_slice(event, str(caller), 1, 5, status="FREE")
        clock.advance(0.01)
        again = await maps.free_slice(event, str(caller), 1, 5, status="FREE")
        assert page == again
        firsts[page[0].seat] += 1
    assert len(firsts) >= 195
    second = await maps.free_slice(event, "7", 2, 5)
    first = await maps.free_slice(event, "7", 1, 5)
    assert second[0].seat == (first[-1].seat + 1) % 100_000


async def test_ten_buyers_who_take_the_first_of_their_list_hardly_ever_meet(maps, holds, db, clock):
    """The contract's own load test: a list of five free seats, then its first."""
    event = await build_event(db, big_zones())
    met = 0
    for turn in range(20):
        lists = [await maps.free_slice(event, str(buyer), 1, 5) for buyer in range(10)]
        met += 10 - len({seats[0].seat for seats in lists})
        for buyer, seats in enumerate(lists):
            if (await holds.holder(event, seats[0].seat)) is None:
                await holds.hold(event, 1 + turn * 10 + buyer, buyer + 1, [seats[0].seat])
        clock.advance(2)
    assert met <= 2
