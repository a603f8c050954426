"""What a room is given that makes no sense: clocks that jump, a leader that dies in the middle of a
tick, absurd settings, storms. No number is burned and nobody's order moves.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.keyring import Keyring
from waitingroom import keys
from waitingroom.claims import GateFull, NotCalled
from waitingroom.entries import Entry
from waitingroom.room import Rooms
from waitingroom.settings import BadSetting, RoomSettings
from waitingroom.store import RoomAway

EVENT, HOUR_S = 1, 3_600
STORM = 10_000


@pytest.fixture
async def rooms(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Rooms:
    return another(redis_rooms, clock, tmp_path)


def another(redis: "Redis", clock: ManualClock, folder: Path) -> Rooms:
    """A process of its own."""
    keyring = Keyring(folder / "keys")
    return Rooms(redis, clock=clock, keyring=keyring, chance=Random(1), gate_clock=clock)


async def crowd(rooms: Rooms, count: int, **fields: Any) -> list[Entry]:
    await rooms.open(EVENT, RoomSettings(**fields))
    await rooms.reader.refresh()
    return [(await rooms.join(EVENT, f"v{n}")).entry for n in range(count)]


async def pass_in(
    rooms: Rooms, clock: ManualClock, waiting: list[Entry], seconds: int
) -> list[tuple[Entry, int]]:
    """Everybody asks and claims as pages do; who came in when, in order."""
    came: list[tuple[Entry, int]] = []
    for step in range(seconds * 4):
        clock.advance(0.25)
        await rooms.tick_all("one")
        await rooms.reader.refresh()
        for entry in list(waiting):
            if step % 4 == 0:
                await rooms.place(entry)
            try:
                await rooms.claim(entry)
            except (NotCalled, GateFull):
                continue
            came.append((entry, clock.ms()))
            waiting.remove(entry)
        await rooms.signs.flush()
    return came


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 400 * 24 * HOUR_S])
async def test_a_clock_that_jumps_moves_nobody_and_banks_nothing(
    rooms: Rooms, clock: ManualClock, jump_s: int
):
    waiting = await crowd(rooms, 8, rate_per_minute=60, grace_seconds=30)
    first = await pass_in(rooms, clock, waiting, 2)
    at_ms = clock.ms()
    clock.advance(jump_s)
    for entry in waiting:
        assert (await rooms.join(EVENT, entry.subject)).entry.number == entry.number
    then = await pass_in(rooms, clock, waiting, 8)
    assert [entry.number for entry, _ in first + then] == list(range(1, 9)), "all, in order"
    assert first[-1][1] <= at_ms
    at_once = [ms for _, ms in then if ms <= then[0][1] + 500]
    assert len(at_once) == 1, "what the clock jumped over is no credit"
    assert rooms.snapshot(EVENT).issued == 8


@pytest.mark.parametrize("dies_after", range(7))
async def test_a_leader_killed_in_the_middle_of_a_tick_calls_nobody_twice_or_out_of_turn(
    redis_rooms: Redis, clock: ManualClock, tmp_path: Path, dies_after: int
):
    """Of the six commands of a tick with a lane so many run; another leader goes on."""
    one, two = (another(redis_rooms, clock, tmp_path) for _ in range(2))
    waiting = await crowd(one, 10, rate_per_minute=240)
    card = one.invitations.read(
        EVENT, one.invitations.write(EVENT, lane="fans", until_s=clock.ms() // 1000 + 60), "guest"
    )
    guest = (await one.join(EVENT, "guest", invite=card)).entry
    fence = await one.lead("one")
    assert fence is not None
    for _ in range(2):
        clock.advance(0.25)
        await one.tick(EVENT, fence)
    store, ran = one.signs._store, 0
    whole = store.run

    async def run(*asked: Any) -> Any:
        nonlocal ran
        ran += 1
        if ran > dies_after:
            raise RoomAway
        return await whole(*asked)

    store.run = run  # type: ignore[assignment,method-assign]  # it dies
    clock.advance(0.25)
    if dies_after < 6:
        with pytest.raises(RoomAway):
            await one.tick(EVENT, fence)
    else:
        await one.tick(EVENT, fence)
    await redis_rooms.delete(keys.LEADER)  # its life is over
    await two.reader.refresh()
    came = await pass_in(two, clock, [*waiting, guest], 4)
    assert [entry.number for entry, _ in came if not entry.lane] == list(range(1, 11))
    assert guest in [entry for entry, _ in came]
    line = await redis_rooms.hgetall(keys.line(EVENT, guest.generation))
    bits = await redis_rooms.bitcount(keys.called(EVENT, guest.generation))
    assert int(line[b"calls"]) + int(line[b"recalls"]) == bits == 10, "each was called once"
    store.run = whole  # type: ignore[method-assign]  # it was only slow
    assert (await one.tick(EVENT, fence)).fenced


async def test_absurd_settings_are_refused_and_the_line_stays_as_it_was(rooms: Rooms):
    waiting = await crowd(rooms, 3, state="paused")
    before = await rooms.settings(EVENT)
    numbers = ("rate_per_minute", "ceiling", "lane_share", "places_max", "arm_requests")
    spans = ("lease_seconds", "pass_seconds", "grace_seconds", "disarm_seconds")
    absurd: tuple[Any, ...] = (
        0,
        -1,
        10**12,
        10**30,
        1.5,
        "600",
        True,
        float("nan"),
        float("inf"),
        [],
        {},
    )
    wrong: list[tuple[str, Any]] = [(name, value) for name in numbers + spans for value in absurd]
    wrong += [("proof_bits", 21), ("generation", 1), ("version", 9), ("nonsense", 1)]
    wrong += [("opens_at", -1), ("closes_at", 10**18), ("state", "broken"), ("mode", None)]
    for name, value in wrong:
        with pytest.raises(BadSetting) as refused:
            await rooms.configure(EVENT, {name: value}, "Dana")
        assert (refused.value.status, refused.value.code) == (422, "bad-setting"), (name, value)
        with pytest.raises(BadSetting):
            await rooms.configure(EVENT, {"ceiling": 7, name: value}, "Dana")
    with pytest.raises(BadSetting):
        await rooms.open(2, RoomSettings(rate_per_minute=0))
    assert await rooms.settings(EVENT) == before, "all or nothing"
    again = [(await rooms.join(EVENT, entry.subject)).entry.number for entry in waiting]
    assert again == [1, 2, 3]


async def test_a_storm_of_one_account_is_one_number_and_hardly_any_work(
    rooms: Rooms, redis_rooms: Redis
):
    """Behind the door, which refuses most of it (test_room_door)."""
    [aru] = await crowd(rooms, 1, state="paused")
    await rooms.heartbeat(aru)
    before = await _commands(redis_rooms)
    beats = [rooms.heartbeat(aru) for _ in range(STORM // 10)]
    await asyncio.gather(*beats)
    assert await _commands(redis_rooms) - before <= 1, "beats of one minute end in memory"
    joins = await asyncio.gather(*(rooms.join(EVENT, "bek") for _ in range(STORM)))
    assert {joined.entry.number for joined in joins} == {2}
    assert sum(joined.is_new for joined in joins) == 1
    await rooms.reader.refresh()
    assert rooms.snapshot(EVENT).issued == 2
    assert (await rooms.join(EVENT, "dana")).entry.number == 3


async def _commands(redis: Any) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])
