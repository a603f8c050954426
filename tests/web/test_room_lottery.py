"""A scheduled room as visitors meet it: countdown, pre-queue, draw, line; and what is published."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from biletter.cli.main import main
from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HTML, Site
from tests.web.test_room_calls import code_of
from tests.web.test_room_page import press, shows

ROOM, PAGE = f"/rooms/{EVENT}", f"/queue/{EVENT}"
HOUR_MS = 3_600_000


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


async def scheduled(
    site: Site, begins_in_s: float = -60, opens_in_s: float = 10, **more: Any
) -> None:
    now_ms = site.clock.ms()
    times = {
        "prequeue_at": now_ms + int(begins_in_s * 1000),
        "opens_at": now_ms + int(opens_in_s * 1000),
    }
    await site.open(mode="scheduled", rate_per_minute=60, **times | more)


async def test_before_the_pre_queue_there_is_a_countdown_and_no_place(site: Site):
    await scheduled(site, begins_in_s=1800, opens_in_s=3600, title="Селеста Морейра")
    aru = site.visitor()
    status = (await aru.get(f"{ROOM}/status")).json()
    assert status["state"] == "closed"
    assert status["prequeue_at"] < status["opens_at"]
    refused = await aru.post(f"{ROOM}/entries")
    assert code_of(refused) == (409, "room-soon")
    assert refused.headers["retry-after"] == "1800"
    state, text = await shows(aru)
    assert state == "countdown"
    assert 'data-left="1800"' in text
    assert "Алматы" in text
    assert (await press(aru, "join")).status_code == 303
    assert (await shows(aru))[0] == "countdown"


async def test_the_pre_queue_gives_no_number_and_the_draw_does(site: Site):
    await scheduled(site)
    crowd = [site.visitor() for _ in range(6)]
    for visitor in crowd:
        joined = await visitor.post(f"{ROOM}/entries")
        assert joined.status_code == 201
        told = joined.json()
        assert (told["number"], told["position"], told["state"]) == (None, None, "prequeue")
    await site.move(1)
    assert (await crowd[0].get(f"{ROOM}/status")).json()["state"] == "prequeue"
    assert code_of(await crowd[0].post(f"{ROOM}/claims")) == (409, "not-called")
    assert (await crowd[0].post(f"{ROOM}/heartbeats")).status_code == 204
    await site.move(9)
    numbers = [(await visitor.get(f"{ROOM}/entries/me")).json() for visitor in crowd]
    assert sorted(told["number"] for told in numbers) == [1, 2, 3, 4, 5, 6]
    assert [told["entrant"] for told in numbers] == [1, 2, 3, 4, 5, 6]
    late = (await site.visitor().post(f"{ROOM}/entries")).json()
    assert (late["number"], late["entrant"]) == (7, None)
    again = await crowd[2].post(f"{ROOM}/entries")
    assert (again.status_code, again.json()["number"]) == (200, numbers[2]["number"])
    assert again.json()["entrant"] == 3
    await site.move(10)
    for visitor in crowd:
        await site.move(1)
        assert (await visitor.post(f"{ROOM}/claims")).status_code == 201


async def test_it_opens_to_the_second(site: Site):
    await scheduled(site, opens_in_s=10)
    await site.visitor().post(f"{ROOM}/entries")
    await site.move(9.75)
    assert (await site.visitor().get(f"{ROOM}/status")).json()["state"] == "prequeue"
    await site.move(0.25)
    assert (await site.visitor().get(f"{ROOM}/status")).json()["state"] == "open"


async def test_what_is_published_proves_every_place(site: Site, tmp_path: Path, capsys: Any):
    await scheduled(site, outside_source="drand, раунд 42", outside="f00d")
    crowd = [site.visitor() for _ in range(9)]
    for visitor in crowd:
        await visitor.post(f"{ROOM}/entries")
    await site.move(1)
    before = (await crowd[0].get(f"{ROOM}/lottery")).json()
    assert (before["seed"], before["count"], before["outside"]) == (None, None, None)
    assert re.fullmatch("[0-9a-f]{64}", before["commitment"])
    await site.move(9)
    after = await crowd[0].get(f"{ROOM}/lottery")
    assert after.json()["commitment"] == before["commitment"]
    assert (after.json()["count"], after.json()["outside"]) == (9, "f00d")
    file = tmp_path / "lottery.json"
    file.write_bytes(after.content)
    asked = ["lottery", "verify", str(file), "--commitment", before["commitment"], "--places"]
    capsys.readouterr()
    assert main(asked) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    computed = {int(entrant): int(place) for entrant, place in lines}
    for entrant, visitor in enumerate(crowd, start=1):
        told = (await visitor.get(f"{ROOM}/entries/me")).json()
        assert computed[entrant] == told["number"]


async def test_a_room_without_a_schedule_has_no_lottery(site: Site):
    await site.open()
    assert code_of(await site.visitor().get(f"{ROOM}/lottery")) == (404, "no-lottery")
    assert (await site.visitor().get(f"{PAGE}/lottery", headers=HTML)).status_code == 404


async def test_the_pages_of_a_whole_lottery(site: Site):
    await scheduled(site)
    aru, bek = site.visitor(), site.visitor()
    state, text = await shows(aru)
    assert state == "before"
    assert "Участвовать" in text
    for visitor in (aru, bek):
        await press(visitor, "join")
    await site.move(1)
    state, text = await shows(bek)
    assert state == "prequeue"
    assert "Ваш номер участника: 2" in text
    page = await bek.get(f"{PAGE}/lottery", headers=HTML)
    assert "Жеребьёвка ещё впереди" in page.text
    await site.rooms.configure(EVENT, {"state": "paused"}, "Dana")
    await site.move(9)
    state, text = await shows(bek)
    number = (await bek.get(f"{ROOM}/entries/me")).json()["number"]
    assert state == "paused"
    assert "участник 2" in text
    page = await bek.get(f"{PAGE}/lottery?entrant=2", headers=HTML)
    assert f"Участник 2 получил номер {number}" in page.text
    for wrong in ("0", "3", "x", "9" * 30, "-1"):
        page = await bek.get(f"{PAGE}/lottery?entrant={wrong}", headers=HTML)
        assert "Такого участника не было" in page.text


async def test_who_leaves_the_pre_queue_is_not_drawn_for(site: Site):
    await scheduled(site, state="paused")
    aru, bek, dana = (site.visitor() for _ in range(3))
    for visitor in (aru, bek, dana):
        await visitor.post(f"{ROOM}/entries")
    assert (await aru.delete(f"{ROOM}/entries/me")).status_code == 204
    await site.move(11)
    ahead = [(await who.get(f"{ROOM}/entries/me")).json()["ahead"] for who in (bek, dana)]
    assert sorted(ahead) == [0, 1]
    again = await aru.post(f"{ROOM}/entries")
    assert (again.status_code, again.json()["number"]) == (201, 4)


async def test_the_places_of_those_who_are_heard_from_are_known_after_the_draw(site: Site):
    await scheduled(site, opens_in_s=200, state="paused")
    crowd = [site.visitor() for _ in range(8)]
    for visitor in crowd:
        await visitor.post(f"{ROOM}/entries")
    await site.move(150)
    for visitor in crowd[:3]:
        await visitor.post(f"{ROOM}/heartbeats")
    await site.move(51)
    assert site.rooms.snapshot(EVENT).settings.is_drawn
    assert site.rooms.snapshot(EVENT).living == 3


async def test_a_clock_that_jumps_back_neither_draws_again_nor_closes(site: Site):
    await scheduled(site, opens_in_s=10, closes_at=site.clock.ms() + HOUR_MS)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.visitor().post(f"{ROOM}/entries")
    await site.move(10)
    drawn = (await aru.get(f"{ROOM}/lottery")).json()
    site.clock.advance(-1000)
    await site.move(1)
    assert (await aru.get(f"{ROOM}/lottery")).json() == drawn
    assert (await aru.get(f"{ROOM}/status")).json()["state"] == "open"
    site.clock.advance(HOUR_MS / 1000 + 2000)
    await site.move(0.25)
    assert (await aru.get(f"{ROOM}/status")).json()["state"] == "closed"
    await site.rooms.configure(EVENT, {"state": "open"}, "Dana")
    site.clock.advance(-HOUR_MS / 1000)
    await site.move(0.25)
    site.clock.advance(2 * HOUR_MS / 1000)
    await site.move(0.25)
    assert (await aru.get(f"{ROOM}/status")).json()["state"] == "open"


async def test_after_a_reset_the_drawn_numbers_are_over(site: Site):
    await scheduled(site)
    aru, bek = site.visitor(), site.visitor()
    await aru.post(f"{ROOM}/entries")
    await bek.post(f"{ROOM}/entries")
    await site.move(10)
    await bek.post(f"{ROOM}/entries")
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    for visitor in (aru, bek):
        assert code_of(await visitor.get(f"{ROOM}/entries/me")) == (410, "generation-over")
    again = (await aru.post(f"{ROOM}/entries")).json()
    assert (again["number"], again["entrant"]) == (1, None)
    assert code_of(await aru.get(f"{ROOM}/lottery")) == (404, "no-lottery")


async def test_the_stream_tells_the_number_when_it_is_drawn(site: Site):
    await scheduled(site)
    aru = site.visitor()
    entry = (await aru.post(f"{ROOM}/entries")).json()["entry"]
    await site.move(10)
    told = await aru.get(f"{ROOM}/entries/me", headers={"authorization": f"Entry {entry}"})
    assert json.loads(told.content)["number"] == 1


async def test_drawn_numbers_survive_a_loss_of_redis(site: Site, tmp_path: Path):
    await scheduled(site, state="paused")
    crowd = [site.visitor() for _ in range(5)]
    for visitor in crowd:
        await visitor.post(f"{ROOM}/entries")
    await site.move(10)
    numbers = [(await who.get(f"{ROOM}/entries/me")).json()["number"] for who in crowd]
    drawn = (await crowd[0].get(f"{ROOM}/lottery")).json()
    await site.redis.flushall()
    await site.move(1)
    again = [(await who.post(f"{ROOM}/entries")).json()["number"] for who in crowd]
    assert again == numbers
    # A process that begins only now knows it as well.
    other = Site(site.redis, site.clock, tmp_path)
    await other.rooms.reader.refresh()
    assert (await other.visitor().get(f"{ROOM}/lottery")).json() == drawn


@pytest.mark.parametrize("goes_without", [False, True])
async def test_a_lottery_waits_for_the_value_that_was_announced(
    site: Site, tmp_path: Path, capsys: Any, *, goes_without: bool
):
    await scheduled(site, outside_source="drand, раунд 42")
    aru, bek, late = site.visitor(), site.visitor(), site.visitor()
    for visitor in (aru, bek):
        await visitor.post(f"{ROOM}/entries")
    await site.move(15)
    status = (await aru.get(f"{ROOM}/status")).json()
    assert (status["state"], status["awaits"]) == ("prequeue", "outside")
    place = (await aru.get(f"{ROOM}/entries/me")).json()
    assert (place["number"], place["called"]) == (None, False)
    assert place["poll_after_ms"] > 5_000
    assert "жеребьёвка ждёт внешнее значение" in (await shows(aru))[1]
    assert "Кто придёт сейчас, встанет за ними" in (await shows(late))[1]
    await late.post(f"{ROOM}/entries")
    assert "Вы пришли после подсчёта" in (await shows(late))[1]
    told = (await aru.get(f"{ROOM}/lottery")).json()
    assert (told["awaits"], told["count"], told["seed"]) == ("outside", 2, None)
    assert "ждёт внешнее значение" in (await aru.get(f"{PAGE}/lottery", headers=HTML)).text
    changes: dict[str, Any] = {"without_outside": True} if goes_without else {"outside": "f00d"}
    await site.rooms.configure(EVENT, changes, "Dana")
    await site.move(1)
    numbers = [(await one.get(f"{ROOM}/entries/me")).json()["number"] for one in (aru, bek, late)]
    assert sorted(numbers[:2]) + numbers[2:] == [1, 2, 3]
    # What was announced can't be hidden afterwards.
    await site.rooms.configure(EVENT, {"outside_source": "", "without_outside": False}, "Dana")
    await site.move(1)
    after = await aru.get(f"{ROOM}/lottery")
    assert after.json()["outside_source"] == "drand, раунд 42"
    assert after.json()["without_outside"] is goes_without
    page = (await aru.get(f"{PAGE}/lottery", headers=HTML)).text
    assert ("организатор провёл жеребьёвку без него" in page) is goes_without
    file = tmp_path / "lottery.json"
    file.write_bytes(after.content)
    capsys.readouterr()
    assert main(["lottery", "verify", str(file), "--entrant", "1"]) == 0
    said = capsys.readouterr().out
    assert ("drawn WITHOUT the value" in said) is goes_without
    assert f"entrant 1 has place {numbers[0]}" in said


async def test_a_line_that_starts_anew_waits_for_a_value_of_its_own(site: Site):
    await scheduled(site, outside_source="drand", outside="f00d")
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    settings = site.rooms.snapshot(EVENT).settings
    assert (settings.outside, settings.without_outside, settings.awaits_value) == ("", False, True)
