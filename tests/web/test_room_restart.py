"""What the queue page says after the line started anew: true, and one click from a new place."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, Site
from tests.web.test_room_page import press, shows

HOUR_MS = 3_600_000


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


async def test_an_older_number_is_told_that_the_line_started_anew(site: Site):
    await site.open()
    aru = site.visitor()
    await press(aru, "join")
    await site.rooms.configure(EVENT, {"message": "Её заняли программы."}, "Dana")
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    state, text = await shows(aru)
    assert state == "restarted"
    assert "Номер 1 больше не действует" in text
    assert "Её заняли программы." in text, "the operator says why"
    await press(aru, "join")
    assert (await shows(aru))[0] == "waiting"


@pytest.mark.parametrize(
    ("began", "now", "expected", "words"),
    [
        ({}, {"state": "closed"}, "closed", "Новых мест в очереди не выдаём"),
        ({}, {"state": "drained"}, "closed", "Новых мест в очереди не выдаём"),
        ({}, {"places_max": 1}, "crowded", "Номер вам не выдан"),
        ({}, {"mode": "off"}, "off", "Вход сейчас свободный"),
        ({"opens_at": 2}, {}, "restarted", "Ваше прежнее место больше не действует"),
        ({"opens_at": 2}, {"prequeue_at": 1}, "countdown", "До предочереди"),
    ],
)
async def test_a_new_place_is_offered_only_where_one_is_given(
    site: Site, began, now, expected, words
):
    """`began` and `now` in hours from now, where they are moments."""
    then = site.clock.ms()
    began, now = (
        {k: then + v * HOUR_MS if k.endswith("_at") else v for k, v in fields.items()}
        for fields in (began, now)
    )
    if began:
        began |= {"mode": "scheduled", "prequeue_at": then - 1}
    await site.open(**began)
    aru = site.visitor()
    await press(aru, "join")
    await site.rooms.reset(EVENT, "Dana")
    if now:
        await site.rooms.configure(EVENT, now, "Dana")
    if "places_max" in now:
        await site.rooms.join(EVENT, "bek")
    await site.rooms.reader.refresh()
    state, text = await shows(aru)
    assert (state, words in text) == (expected, True)
