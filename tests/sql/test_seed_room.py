"""The star concert's room at each start."""

import pytest

from biletter.seed.room import ensure_star_room
from biletter.settings import Settings
from kernel.keyring import Keyring
from waitingroom.room import Rooms


@pytest.fixture
def rooms(redis_rooms, clock, tmp_path):
    return Rooms(redis_rooms, clock=clock, keyring=Keyring(tmp_path / "keys"))


async def test_the_first_start_opens_a_room_that_asks_for_passes(rooms):
    room = await ensure_star_room(rooms, Settings())
    assert (room.mode, room.state) == ("on", "open")
    assert "Морейра" in room.title


async def test_the_environment_sets_mode_rate_and_ceiling(rooms):
    room = await ensure_star_room(
        rooms, Settings(room_mode="off", room_rate_per_minute=120, room_ceiling=50)
    )
    assert (room.mode, room.rate_per_minute, room.ceiling) == ("off", 120, 50)


async def test_what_operators_set_stays_where_the_environment_is_silent(rooms):
    await ensure_star_room(rooms, Settings())
    await rooms.configure(1, {"rate_per_minute": 77, "message": "Скоро"}, "account:1")
    room = await ensure_star_room(rooms, Settings(room_ceiling=9))
    assert (room.rate_per_minute, room.message, room.ceiling) == (77, "Скоро", 9)
    again = await ensure_star_room(rooms, Settings(room_ceiling=9))
    assert again.version == room.version, "a start that changes nothing is no change"
