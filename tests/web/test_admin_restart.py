"""Starting a room's line anew: asked twice, written down, and what the waiting see of it."""

import asyncio

import pytest

from biletter.cli.main import main
from tests.web.admin_site import OPS
from waitingroom import keys

PAGE = "/rooms/1/restart"
REASON = "очередь заняли программы"


async def given(desk, **fields):
    generation = (await desk.rooms.settings(1)).generation
    return {"number": "1", "reason": REASON, "generation": str(generation)} | fields


async def test_who_and_how_many_are_named_before_it_is_done(desk, db, clock):
    for who in ("aru", "bek", "dana"):
        await desk.rooms.join(1, who)
    async with desk.operator() as browser:
        assert PAGE in (await browser.get("/rooms/1")).text
        page = (await browser.get(PAGE)).text
        assert "Селеста Морейра" in page
        assert '<dd class="stat">3</dd>' in page
        before = await desk.rooms.settings(1)
        answer = await browser.post(PAGE, data=await given(desk))
        assert (answer.status_code, answer.headers["location"]) == (303, "/rooms/1?done=restart")
        page = (await browser.get("/rooms/1?done=restart")).text
        assert "Прежние номера больше не действуют" in page
        assert REASON in page, "the history tells why"
        assert "место потеряли: 3" in page
    after = await desk.rooms.settings(1)
    assert after.generation > before.generation
    assert (await desk.rooms.join(1, "dana")).entry.number == 1
    [line] = await db.fetch("SELECT * FROM audit WHERE action = 'room.restart'")
    assert (line["subject"], line["detail"]) == (
        "room:1",
        {"by": OPS, "waiting": 3, "reason": REASON, "outcome": "done"},
    )


async def test_without_consent_nobody_loses_a_place(desk, db):
    await desk.rooms.join(1, "aru")
    async with desk.operator() as browser:
        for wrong, status, words in (
            ({"number": "2"}, 422, "Введите номер"),
            ({"number": ""}, 422, "Введите номер"),
            ({"reason": " x "}, 422, "Напишите причину"),
            ({"reason": "х" * 301}, 422, "Напишите причину"),
            ({"generation": "1"}, 409, "только что изменил"),
            ({"generation": ""}, 400, "какую очередь"),
            ({"generation": "-1"}, 400, "какую очередь"),
            ({"generation": "9" * 40}, 400, "какую очередь"),
        ):
            answer = await browser.post(PAGE, data=await given(desk, **wrong))
            assert (answer.status_code, words in answer.text) == (status, True), wrong
    assert (await desk.rooms.join(1, "aru")).is_new is False
    outcomes = await db.fetch("SELECT detail FROM audit WHERE action = 'room.restart'")
    assert [line["detail"]["outcome"] for line in outcomes] == ["room-changed"]


async def test_a_second_press_does_not_void_the_new_line(desk):
    asked = await given(desk)
    async with desk.operator() as browser:
        assert (await browser.post(PAGE, data=asked)).status_code == 303
        await desk.rooms.join(1, "aru")
        assert (await browser.post(PAGE, data=asked)).status_code == 409
    assert (await desk.rooms.join(1, "aru")).is_new is False


async def test_programs_and_strangers(desk):
    asked = await given(desk)
    async with desk.browser(headers={"accept": "application/json"}) as browser:
        assert (await browser.post(PAGE, json=asked)).status_code == 401
        assert (await browser.get(PAGE)).status_code == 401
    async with desk.operator() as browser:
        browser.headers["accept"] = "application/json"
        answer = await browser.post(PAGE, json=asked | {"number": 1})
        assert (answer.status_code, answer.json()["waiting"]) == (200, 0)
        refused = await browser.post(PAGE, json=asked)
        assert (refused.status_code, refused.json()["code"]) == (409, "room-changed")
        nowhere = await browser.post("/rooms/99/restart", json=asked | {"number": "99"})
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "room-unknown")


async def test_those_inside_stay_and_are_not_let_in_twice(desk, clock):
    joined = await desk.rooms.join(1, "aru")
    await desk.rooms.tick(1, 1)
    admitted = await desk.rooms.claim(joined.entry)
    async with desk.operator() as browser:
        await browser.post(PAGE, data=await given(desk))
    assert desk.rooms.snapshot(1).in_flight == 1
    again = await desk.rooms.join(1, "aru")
    for _ in range(8):
        clock.advance(0.25)
        await desk.rooms.tick(1, 1)
    assert (await desk.rooms.claim(again.entry)).visit == admitted.visit
    assert await desk.rooms.free(1, "aru", admitted.visit.jti)


async def test_redis_lost_halfway_leaves_a_whole_new_line(desk, redis_rooms, monkeypatch):
    """The old line's keys are left behind; nobody is told that it went wrong, for it did not."""
    for who in ("aru", "bek"):
        await desk.rooms.join(1, who)
    old = (await desk.rooms.settings(1)).generation

    async def unlink(*_names: str) -> int:
        raise ConnectionError

    monkeypatch.setattr(redis_rooms, "unlink", unlink)
    async with desk.operator() as browser:
        assert (await browser.post(PAGE, data=await given(desk))).status_code == 303
    assert (await desk.rooms.join(1, "bek")).entry.number == 1
    assert await redis_rooms.exists(keys.line(1, old))


@pytest.fixture
def say(db_url, rooms_engine, shop_engine, monkeypatch, tmp_path, capsys):
    """Runs `biletter room …`: its status, and what it said."""
    monkeypatch.setenv("BILETTER_DATA", str(tmp_path))
    monkeypatch.setenv("REDIS_ROOMS_URL", rooms_engine.url)
    monkeypatch.setenv("REDIS_SHOP_URL", shop_engine.url)
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("BILETTER_SITES", "https://shop.example")

    async def say(*words: str) -> tuple[int, str]:
        status = await asyncio.to_thread(main, ["room", *words])
        out = capsys.readouterr()
        return status, out.out + out.err

    return say


async def test_the_command_tells_first_and_does_it_when_told(desk, db, say):
    for who in ("aru", "bek"):
        await desk.rooms.join(1, who)
    assert "Селеста Морейра: open" in (await say("show", "1"))[1]
    status, told = await say("restart", "1", "--reason", REASON)
    assert (status, "2 wait" in told, "Nothing is done yet" in told) == (1, True, True)
    assert (await desk.rooms.join(1, "bek")).is_new is False
    assert (await say("restart", "1", "--reason", "x", "--yes"))[0] == 1
    status, told = await say("restart", "1", "--reason", REASON, "--yes")
    assert (status, "2 lost their place" in told, "0 wait" in told) == (0, True, True)
    assert "room-unknown" in (await say("show", "77"))[1]
    await desk.rooms.reader.refresh()
    assert (await desk.rooms.join(1, "bek")).entry.number == 1
    [line] = await db.fetch("SELECT actor, detail FROM audit WHERE action = 'room.restart'")
    assert (line["actor"], line["detail"]["outcome"]) == ("cli", "done")


async def test_rooms_of_other_sites_events_are_opened_and_changed_by_command(desk, db, say):
    status, told = await say("open", "70", "--title", "Gala", "--rate", "60", "--ceiling", "50")
    assert (status, "/queue/70" in told) == (0, True)
    settings = await desk.rooms.settings(70)
    assert (settings.title, settings.rate_per_minute, settings.ceiling) == ("Gala", 60, 50)
    assert (await say("open", "70"))[0] == 1
    absurd = [["open", "0"], ["open", "71", "--rate", "0"], ["set", "70", "rate_per_minute=-1"]]
    for wrong in absurd:
        assert (await say(*wrong))[0] == 1, wrong
    assert await desk.rooms.all_events() == {1, 2, 70}
    changes = ["rate_per_minute=120", "message=В полдень", "state=paused"]
    assert (await say("set", "70", *changes))[0] == 0
    settings = await desk.rooms.settings(70)
    assert (settings.rate_per_minute, settings.state) == (120, "paused")
    assert settings.message == "В полдень"
    for url, status in (("https://shop.example/gala", 0), ("https://else.example/gala", 1)):
        assert (await say("set", "70", f"site_url={url}"))[0] == status
    assert (await say("open", "72", "--site", "https://else.example/gala"))[0] == 1
    assert (await say("open", "72", "--site", "https://shop.example/gala"))[0] == 0
    for event in (70, 72):
        assert (await desk.rooms.settings(event)).site_url == "https://shop.example/gala"
    assert "no lottery is to come" in (await say("outside", "70", "--none"))[1]
    later = ["mode=scheduled", "opens_at=2030-06-01T12:00", "outside_source=drand 42"]
    assert (await say("set", "70", *later))[0] == 0
    assert (await say("outside", "70", "--value", "f00d"))[0] == 0
    settings = await desk.rooms.settings(70)
    assert (settings.outside, settings.awaits_value) == ("f00d", False)
    lines = await db.fetch("SELECT action FROM audit WHERE actor = 'cli' ORDER BY id")
    assert [line["action"] for line in lines] == [
        "room.open",
        *["room.configure"] * 2,
        "room.open",
        *["room.configure"] * 2,
    ]
