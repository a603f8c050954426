"""The console and rooms that open by themselves: by their schedule, or when the crowd comes."""

from datetime import UTC, datetime

import pytest

from tests.web.admin_site import HTML

JSON = {"accept": "application/json"}
THRESHOLDS = {"arm_requests": "400", "disarm_requests": "50", "disarm_seconds": "60"}
PLAN = {
    "mode": "scheduled",
    "time_zone": "Asia/Almaty",
    "prequeue_at": "2030-06-01T11:00",
    "opens_at": "2030-06-01T12:00",
    "closes_at": "",
    "outside_source": "drand, раунд 42",
    "outside": "",
}
# What is posted, and the field it is refused at.
ABSURD = [
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
    (PLAN | {"opens_at": "завтра"}, "opens_at"),
    (PLAN | {"opens_at": ""}, "opens_at"),
    (PLAN | {"prequeue_at": "2030-06-01T13:00"}, "prequeue_at"),
    (PLAN | {"closes_at": "2030-06-01T11:00"}, "closes_at"),
    (PLAN | {"closes_at": "0001-01-01T00:00"}, "closes_at"),
    # In a zone that nobody knows the first moment already means nothing.
    (PLAN | {"time_zone": "Mars/Olympus"}, "prequeue_at"),
]


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


async def test_a_room_is_planned_by_the_venues_clock(desk):
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", data=PLAN)
        assert answer.status_code == 303
        settings = desk.rooms.snapshot(1).settings
        opens = datetime(2030, 6, 1, 7, tzinfo=UTC)
        assert settings.opens_at == opens.timestamp() * 1000
        assert (settings.mode, settings.closes_at) == ("scheduled", None)
        page = await browser.get("/rooms/1", headers=HTML)
        assert 'value="2030-06-01T12:00"' in page.text
        assert "ждёт открытия" in page.text
        told = (await browser.get("/rooms/1/live.json")).json()
        # The value of the named source is not given yet: nothing opens without it.
        assert [step["state"] for step in told["plan"]] == ["closed", "prequeue"]
        assert "не начнётся, а будет ждать" in page.text
        await browser.post("/rooms/1/settings", data={"outside": "f00d"})
        told = (await browser.get("/rooms/1/live.json")).json()
        assert [step["state"] for step in told["plan"]] == ["closed", "prequeue", "open"]
        assert "1 июня, 12:00" in (await browser.get("/rooms/1", headers=HTML)).text


async def test_what_makes_no_sense_is_refused_with_a_code_and_a_word_at_the_field(desk):
    before = await desk.rooms.settings(1)
    async with desk.operator() as browser:
        for form, field in ABSURD:
            answer = await browser.post("/rooms/1/settings", json=form, headers=JSON)
            told = answer.json()
            assert (answer.status_code, told["code"]) == (422, "bad-setting"), form
            assert told["setting"] == field, form
            page = await browser.post("/rooms/1/settings", data=form, headers=HTML)
            assert page.status_code == 422, form
            assert 'class="field-wrong"' in page.text or 'role="alert"' in page.text, form
            assert await desk.rooms.settings(1) == before, form


@pytest.mark.parametrize(
    ("way", "outside"), [({"outside": "f00d"}, "f00d"), ({"without_outside": "yes"}, "")]
)
async def test_a_lottery_that_waits_for_its_value_shows_both_ways_on(desk, clock, way, outside):
    async with desk.operator() as browser:
        now = datetime.fromtimestamp(clock.ms() / 1000, UTC)
        times = {"prequeue_at": now.isoformat(), "opens_at": now.isoformat(), "time_zone": "UTC"}
        form = {**PLAN, **times, "mode": "scheduled"}
        assert (await browser.post("/rooms/1/settings", json=form, headers=JSON)).status_code == 200
        await desk.rooms.tick_all("ticker")
        await desk.rooms.reader.refresh()
        page = (await browser.get("/rooms/1", headers=HTML)).text
        assert "Провести без внешнего значения" in page
        assert "участников подсчитали: 0" in page
        opened = {"mode": "on"}
        refused = await browser.post("/rooms/1/settings", json=opened, headers=JSON)
        assert (refused.status_code, refused.json()["setting"]) == (422, "outside")
        renamed = {"outside_source": ""}
        refused = await browser.post("/rooms/1/settings", json=renamed, headers=JSON)
        assert (refused.status_code, refused.json()["setting"]) == (422, "outside_source")
        assert desk.rooms.snapshot(1).state == "prequeue"
        assert (await browser.post("/rooms/1/settings", data=way)).status_code == 303
        await desk.rooms.tick_all("ticker")
        await desk.rooms.reader.refresh()
        assert desk.rooms.snapshot(1).state == "open"
        drawn = desk.rooms.snapshot(1).drawn
        assert (drawn.lottery.outside, drawn.source) == (outside, PLAN["outside_source"])
        page = (await browser.get("/rooms/1", headers=HTML)).text
        assert "Провести без внешнего значения" not in page
