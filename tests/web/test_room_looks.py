"""What the queue page shows beside the place: the event's picture, the tab's title, the call."""

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HTML, Site
from waitingroom.settings import BadSetting

PAGE = f"/queue/{EVENT}"


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


async def test_the_tab_tells_the_number_and_then_the_call(site: Site):
    await site.open(rate_per_minute=600, title="Селеста Морейра")
    aru = site.visitor()
    await aru.post(f"{PAGE}/join", data={}, headers=HTML)
    text = (await aru.get(PAGE, headers=HTML)).text
    assert "<title>№ 1 · Очередь · Селеста Морейра — Biletter</title>" in text
    await site.move(1)
    text = (await aru.get(f"{PAGE}/place", headers=HTML)).text
    assert 'data-tab="Ваша очередь подошла · Селеста Морейра — Biletter"' in text


@pytest.mark.parametrize("theme", [0, 7])
async def test_the_event_brings_its_picture_and_colours(site: Site, theme: int):
    await site.open(theme=theme)
    assert site.rooms.snapshot(EVENT).settings.theme == theme
    text = (await site.visitor().get(PAGE, headers=HTML)).text
    assert re.search(r'class="[^"]*queue-themed theme-(night|ink)"', text)
    assert "posters.svg" in text


async def test_without_a_theme_there_is_no_picture(site: Site):
    await site.open()
    assert site.rooms.snapshot(EVENT).settings.theme is None
    assert "posters.svg" not in (await site.visitor().get(PAGE, headers=HTML)).text


@pytest.mark.parametrize("theme", [-1, 8, "2"])
async def test_an_absurd_theme_is_refused(site: Site, theme: object):
    await site.open()
    with pytest.raises(BadSetting):
        await site.rooms.configure(EVENT, {"theme": theme}, "Dana")


@pytest.mark.parametrize("bits", [-1, 21, None])
async def test_an_absurd_difficulty_is_refused(site: Site, bits: object):
    await site.open()
    with pytest.raises(BadSetting):
        await site.rooms.configure(EVENT, {"proof_bits": bits}, "Dana")


async def test_the_page_has_one_live_region_in_every_state(site: Site):
    await site.open(rate_per_minute=600)
    aru = site.visitor()
    for _ in range(2):
        text = (await aru.get(PAGE, headers=HTML)).text
        assert len(re.findall(r'aria-live=|role="(?:status|alert)"', text)) == 2
        assert text.count("aria-live=") == 1
        await aru.post(f"{PAGE}/join", data={}, headers=HTML)
