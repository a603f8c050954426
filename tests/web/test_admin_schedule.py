"""The console plans a room: its times are the venue's, and what will follow is shown."""

from datetime import UTC, datetime

import pytest

from tests.web.admin_site import HTML, Desk

FORM = {
    "mode": "scheduled",
    "time_zone": "Asia/Almaty",
    "prequeue_at": "2030-06-01T11:00",
    "opens_at": "2030-06-01T12:00",
    "closes_at": "",
    "outside_source": "drand, раунд 42",
    "outside": "",
}
JSON = {"accept": "application/json"}


@pytest.fixture
async def desk(db, redis_rooms, clock, tmp_path):
    made = Desk(db, redis_rooms, clock, tmp_path / "keys")
    await made.open()
    yield made
    made.passwords.close()


async def test_a_room_is_planned_by_the_venues_clock(desk):
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", data=FORM)
        assert answer.status_code == 303
        settings = desk.rooms.snapshot(1).settings
        opens = datetime(2030, 6, 1, 7, tzinfo=UTC)
        assert settings.opens_at == opens.timestamp() * 1000
        assert (settings.mode, settings.closes_at) == ("scheduled", None)
        page = await browser.get("/rooms/1", headers=HTML)
        assert 'value="2030-06-01T12:00"' in page.text
        assert "1 июня, 12:00" in page.text
        assert "ждёт открытия" in page.text
        told = (await browser.get("/rooms/1/live.json")).json()
        assert [step["state"] for step in told["plan"]] == ["closed", "prequeue", "open"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"opens_at": "завтра"}, "opens_at"),
        ({"opens_at": ""}, "opens_at"),
        ({"prequeue_at": "2030-06-01T13:00"}, "prequeue_at"),
        ({"closes_at": "2030-06-01T11:00"}, "closes_at"),
        ({"closes_at": "0001-01-01T00:00"}, "closes_at"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
async def test_a_plan_that_makes_no_sense_changes_nothing(desk, wrong, field):
    before = await desk.rooms.settings(1)
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", json=FORM | wrong, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-setting")
        if field != "time_zone":
            assert answer.json()["setting"] == field
        page = await browser.post("/rooms/1/settings", data=FORM | wrong, headers=HTML)
        assert page.status_code == 422
    assert await desk.rooms.settings(1) == before
