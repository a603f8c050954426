"""The console and automatic rooms: thresholds, capacity, and what the room did by itself."""

import pytest

from tests.web.admin_site import Desk

JSON = {"accept": "application/json"}
THRESHOLDS = {"arm_requests": "400", "disarm_requests": "50", "disarm_seconds": "60"}


@pytest.fixture
async def desk(db, redis_rooms, clock, tmp_path):
    made = Desk(db, redis_rooms, clock, tmp_path / "keys")
    await made.open()
    yield made
    made.passwords.close()


async def test_a_room_is_made_automatic_with_its_thresholds_and_this_is_audited(desk, db):
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", data={"mode": "auto", **THRESHOLDS})
        assert answer.status_code == 303
        settings = await desk.rooms.settings(1)
        assert (settings.mode, settings.arm_requests, settings.disarm_requests) == ("auto", 400, 50)
        detail = await db.fetchval("SELECT detail FROM audit WHERE action = 'room.configure'")
        assert detail["after"] == {
            "mode": "auto", "arm_requests": 400, "disarm_requests": 50, "disarm_seconds": 60
        }  # fmt: skip
        page = (await browser.get("/rooms/1")).text
        assert "автоматическая" in page
        assert 'name="arm_requests" value="400"' in page


async def test_what_the_room_does_by_itself_stands_in_the_console(desk, clock):
    await desk.rooms.configure(2, {"mode": "off"}, "Dana")
    await desk.rooms.configure(2, {"mode": "auto", "arm_requests": 200}, "Dana")
    async with desk.operator() as browser:
        await desk.rooms.reader.refresh()
        told = (await browser.get("/rooms/2/live.json", headers=JSON)).json()
        assert (told["state"], told["state_word"], told["armed_at"]) == ("off", "наготове", 0)
        await desk.rooms.hear(2, "sales", [(0, 321)])
        await desk.rooms.tick_all("ticker")
        await desk.rooms.reader.refresh()
        told = (await browser.get("/rooms/2/live.json", headers=JSON)).json()
        assert (told["state"], told["requests"]) == ("open", 321)
        assert told["armed_at"] > 0
        page = (await browser.get("/rooms/2")).text
        assert "включилась, запросов за 5 секунд: 321" in page
        assert 'data-live="implicit"' in page


async def test_the_capacity_is_set_and_taken_away(desk):
    async with desk.operator() as browser:
        await browser.post("/rooms/1/settings", data={"places_max": "50 000"})
        assert (await desk.rooms.settings(1)).places_max == 50_000
        await browser.post("/rooms/1/settings", data={"places_max": ""})
        assert (await desk.rooms.settings(1)).places_max is None
        assert "сколько придёт" in (await browser.get("/rooms/1")).text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"places_max": "0"}, "places_max"),
        ({"places_max": "-3"}, "places_max"),
        ({"places_max": "99999999999"}, "places_max"),
        ({"arm_requests": "0"}, "arm_requests"),
        ({"arm_requests": ""}, "arm_requests"),
        ({"disarm_requests": "301"}, "disarm_requests"),
        ({"disarm_seconds": "9"}, "disarm_seconds"),
        ({"disarm_seconds": "1e3"}, "disarm_seconds"),
        ({"mode": "armed"}, "mode"),
        ({"armed_at": "5"}, "armed_at"),
    ],
)
async def test_absurd_values_are_refused_with_a_code_and_a_word_at_the_field(desk, form, field):
    before = await desk.rooms.settings(1)
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", data=form, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-setting")
        assert answer.json()["setting"] == field
        page = await browser.post("/rooms/1/settings", data=form)
        assert page.status_code == 422
        assert 'class="field-wrong"' in page.text or 'role="alert"' in page.text
    assert await desk.rooms.settings(1) == before
