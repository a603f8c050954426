"""An automatic room as its visitors meet it, and a room that gives no more places."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HTML, Site
from waitingroom import keys
from waitingroom.settings import BadSetting
from waitingroom.web.counts import Counts

PAGE, ROOM = f"/queue/{EVENT}", f"/rooms/{EVENT}"
THRESHOLDS = {"arm_requests": 50, "disarm_requests": 10, "disarm_seconds": 30}


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


async def crowd(site: Site, requests: int, seconds: int = 1) -> None:
    """So many requests in each of these seconds, told as sales tell them."""
    for _ in range(seconds):
        await site.rooms.hear(EVENT, "sales", [(0, requests)])
        await site.move(1)


async def test_it_is_off_until_the_crowd_comes_and_again_when_it_has_gone(site: Site):
    await site.open(mode="auto", **THRESHOLDS)
    aru = site.visitor()
    status = (await aru.get(f"{ROOM}/status")).json()
    assert (status["state"], status["mode"], status["armed_at"]) == ("off", "auto", None)
    assert (await aru.post(f"{ROOM}/entries")).json()["code"] == "room-off"
    assert "Очереди нет" in (await aru.get(PAGE, headers=HTML)).text
    await crowd(site, 50)
    status = (await aru.get(f"{ROOM}/status")).json()
    assert status["state"] == "open"
    assert status["armed_at"] is not None
    assert (await aru.post(f"{ROOM}/entries")).status_code == 201
    await site.move(1)
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201
    await crowd(site, 1, seconds=36)
    assert (await aru.get(f"{ROOM}/status")).json()["state"] == "off"


async def test_arming_and_disarming_are_written_down(site: Site):
    await site.open(mode="auto", **THRESHOLDS)
    await crowd(site, 60)
    await crowd(site, 0, seconds=36)
    first, second = reversed(await site.rooms.changes(EVENT))
    assert (first.actor, first.changes) == ("auto", {"armed": True, "requests": 60})
    assert second.changes == {"armed": False, "requests": 0}


async def test_a_line_goes_on_when_its_room_becomes_automatic(site: Site):
    await site.open(mode="on", **THRESHOLDS)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.rooms.configure(EVENT, {"mode": "auto"}, "Dana")
    await site.move(1)
    assert site.rooms.snapshot(EVENT).state == "open"
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201


async def test_a_stop_is_in_force_at_once_also_where_nobody_queued(site: Site):
    await site.open(mode="auto", **THRESHOLDS)
    settings = await site.rooms.configure(EVENT, {"state": "held"}, "Dana")
    assert settings.armed_at == site.clock.ms()
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).state == "held"


async def test_a_room_that_is_closed_by_its_schedule_is_closed(site: Site):
    closes_at = site.clock.ms() + 2_000
    await site.open(mode="auto", closes_at=closes_at, **THRESHOLDS)
    await site.move(1)
    assert site.rooms.snapshot(EVENT).state == "off"
    await site.move(2)
    assert site.rooms.snapshot(EVENT).state == "closed"


async def test_leaving_the_automatic_mode_disarms(site: Site):
    await site.open(mode="auto", **THRESHOLDS)
    await crowd(site, 50)
    off = await site.rooms.configure(EVENT, {"mode": "off"}, "Dana")
    auto = await site.rooms.configure(EVENT, {"mode": "auto"}, "Dana")
    assert (off.armed_at, auto.armed_at) == (0, 0)


async def test_places_that_await_their_draw_are_never_called_as_they_came(site: Site):
    opens_at = site.clock.ms() + 60_000
    await site.open(mode="scheduled", prequeue_at=site.clock.ms(), opens_at=opens_at)
    await site.visitor().post(f"{ROOM}/entries")
    with pytest.raises(BadSetting):
        await site.rooms.configure(EVENT, {"mode": "auto"}, "Dana")


@pytest.fixture
async def full(site: Site) -> Site:
    await site.open(places_max=1, state="paused")
    await site.visitor().post(f"{ROOM}/entries")
    await site.rooms.reader.refresh()
    return site


async def test_a_full_room_refuses_with_a_code_and_burns_no_number(full: Site):
    answer = await full.visitor().post(f"{ROOM}/entries")
    assert (answer.status_code, answer.json()["code"]) == (409, "room-full")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["places_max"] == 1
    await full.rooms.reader.refresh()
    assert full.rooms.snapshot(EVENT).issued == 1


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
async def test_a_full_room_has_a_page_of_its_own(full: Site, language: str):
    said = {"ru": "Очередь заполнена", "kk": "Кезек толы", "en": "The queue is full"}
    aru = full.visitor()
    headers = HTML | {"cookie": f"biletter_lang={language}"}
    text = (await aru.get(f"{PAGE}?return_to=/events/{EVENT}", headers=headers)).text
    assert said[language] in text
    assert f'href="http://localhost:18200/events/{EVENT}"' in text
    assert 'data-shows="crowded"' in text
    assert "data-joins" not in text, "it doesn't knock by itself"


async def test_a_join_that_came_a_moment_too_late_leads_to_that_page(full: Site):
    await full.rooms.configure(EVENT, {"places_max": 2}, "Dana")
    await full.rooms.reader.refresh()
    await full.rooms.configure(EVENT, {"places_max": 1}, "Dana")
    aru = full.visitor()
    answer = await aru.post(f"{PAGE}/join", data={"return_to": f"/events/{EVENT}"}, headers=HTML)
    assert answer.status_code == 303
    assert 'data-shows="crowded"' in (await aru.get(answer.headers["location"], headers=HTML)).text


async def test_who_has_a_place_keeps_it_and_who_leaves_makes_room(site: Site):
    await site.open(places_max=1, state="paused")
    aru, bek = site.visitor(), site.visitor()
    assert (await aru.post(f"{ROOM}/entries")).status_code == 201
    assert (await bek.post(f"{ROOM}/entries")).status_code == 409
    assert (await aru.post(f"{ROOM}/entries")).status_code == 200
    await aru.delete(f"{ROOM}/entries/me")
    assert (await bek.post(f"{ROOM}/entries")).json()["number"] == 2


async def test_the_console_of_the_room_refuses_absurd_capacities(site: Site):
    await site.open()
    for value in (0, -5, 10**12):
        with pytest.raises(BadSetting):
            await site.rooms.configure(EVENT, {"places_max": value}, "Dana")


async def test_another_site_arms_its_room_by_what_nginx_asks(site: Site):
    await site.open(mode="auto", **THRESHOLDS)
    nginx, counts = site.visitor(), Counts(site.rooms, "room:1")
    await counts.tell()
    assert await site.redis.exists(keys.traffic(EVENT)) == 0, "nobody asks: no teller"
    for _ in range(50):
        assert (await nginx.get(f"/authorize?event={EVENT}")).status_code == 204
    await counts.tell()
    await site.move(0.5)
    assert (await nginx.get(f"/authorize?event={EVENT}")).status_code == 401
    for _ in range(40):
        await counts.tell()
        await site.move(1)
    assert (await nginx.get(f"/authorize?event={EVENT}")).status_code == 204
