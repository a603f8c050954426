"""A hot event's room on a Redis of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from biletter.redis_address import open_redis
from biletter.settings import SettingsError, read_settings
from kernel.clock import ManualClock
from kernel.keyring import Keyring
from tests.process.machine import Machine
from waitingroom.apart import RoomsApart
from waitingroom.settings import RoomSettings
from waitingroom.store import RoomAway

pytestmark = pytest.mark.process
USUAL, HOT = 1, 7


@pytest.fixture
async def hot_redis(machine: Machine) -> AsyncIterator[Redis]:
    client = open_redis(await machine.start())
    yield client
    await client.aclose()


@pytest.fixture
async def rooms(
    redis_rooms: Redis, hot_redis: Redis, clock: ManualClock, tmp_path: Path
) -> RoomsApart:
    rooms = RoomsApart(
        redis_rooms,
        {HOT: hot_redis},
        clock=clock,
        keyring=Keyring(tmp_path / "keys"),
        gate_clock=clock,
    )
    for event in (USUAL, HOT):
        assert await rooms.open(event, RoomSettings(rate_per_minute=600))
    await rooms.reader.refresh()
    return rooms


async def move(rooms: RoomsApart, clock: ManualClock, seconds: float) -> None:
    for _ in range(round(seconds * 4)):
        clock.advance(0.25)
        await rooms.tick_all("ticker")
    await rooms.reader.refresh()


async def test_each_room_lives_in_its_own_redis_and_both_work(
    rooms: RoomsApart, redis_rooms: Redis, hot_redis: Redis, clock: ManualClock
):
    for event in (USUAL, HOT):
        joined = await rooms.join(event, "aru")
        assert joined.entry.number == 1
        await rooms.heartbeat(joined.entry)
        await move(rooms, clock, 1.0)
        assert (await rooms.place(joined.entry)).called
        assert (await rooms.claim(joined.entry)).visit.number == 1
        assert await rooms.keep(event, "aru", clock.ms() + 60_000)
        assert (await rooms.configure(event, {"message": "!"}, "Dana")).message == "!"
    assert await rooms.all_events() == {USUAL, HOT}
    assert rooms.reader.events() == [USUAL, HOT]
    assert not [key async for key in redis_rooms.scan_iter("room:{7}*")]
    assert not [key async for key in hot_redis.scan_iter("room:{1}*")]
    await rooms.reader.refresh()
    assert {rooms.snapshot(event).in_flight for event in (USUAL, HOT)} == {1}
    assert await rooms.free(HOT, "aru")


async def test_the_loss_of_one_redis_stops_only_its_own_room(
    rooms: RoomsApart, machine: Machine, clock: ManualClock
):
    aru = {event: (await rooms.join(event, "aru")).entry for event in (USUAL, HOT)}
    machine.kill()
    await move(rooms, clock, 2.0)
    assert (await rooms.place(aru[USUAL])).called
    assert rooms.reader.age_of(USUAL) == 0
    assert rooms.reader.age_of(HOT) >= 2
    assert (await rooms.place(aru[HOT])).number == 1
    with pytest.raises(RoomAway):
        await rooms.join(HOT, "bek")
    machine.empty()
    await machine.start()
    await move(rooms, clock, 1.0)
    assert (await rooms.join(HOT, "aru", entry=aru[HOT])).entry.number == 1


def test_the_addresses_stand_in_the_environment():
    settings = read_settings({"REDIS_ROOM_7_URL": "redis://hot"})
    assert settings.redis_room_urls == {7: "redis://hot"}
    assert read_settings({"BILETTER_SITES": "https://a.example, http://b:81/"}).sites == {
        "https://a.example",
        "http://b:81",
    }
    with pytest.raises(SettingsError, match="REDIS_ROOM_x_URL"):
        read_settings({"REDIS_ROOM_x_URL": "redis://hot"})
    with pytest.raises(SettingsError, match="BILETTER_SITES"):
        read_settings({"BILETTER_SITES": "https://a.example/path"})


@pytest.mark.parametrize("url", ["redis+sentinel://one:26379", "redis+sentinel:///name"])
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(ValueError, match=r"\w"):
        open_redis(url)
