"""The throttle console: who may use it, what each change does, and that it is written down."""

from typing import Any

import pytest

from accounts.sessions import Sessions
from kernel.db import Db
from kernel.subjects import subject_of
from tests.web.admin_site import BEK, HTML, OPS, PASSWORD, SITE
from waitingroom.room import Rooms
from waitingroom.store import RoomAway

JSON = {"accept": "application/json"}


async def lines(db: Db) -> list[Any]:
    return await db.fetch("SELECT * FROM audit WHERE action = 'room.configure' ORDER BY id")


@pytest.mark.parametrize("path", ["/", "/rooms", "/rooms/1", "/audit"])
async def test_a_stranger_is_sent_to_sign_in(desk, path):
    async with desk.browser() as browser:
        answer = await browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", ["/rooms/live.json", "/rooms/1/live.json"])
async def test_numbers_are_not_for_strangers(desk, path):
    async with desk.browser(headers=JSON) as browser:
        assert (await browser.get(path)).status_code == 401
        answer = await browser.post("/rooms/1/settings", json={"ceiling": 5})
        assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")


async def test_a_buyer_is_not_let_in_even_with_the_right_password(desk):
    async with desk.browser() as browser:
        answer = await browser.post("/sign-in", data={"email": BEK, "password": PASSWORD})
        assert answer.status_code == 403
        assert "для сотрудников" in answer.text
        assert "biletter_staff" not in browser.cookies
        answer = await browser.post(
            "/sign-in", data={"email": BEK, "password": PASSWORD}, headers=JSON
        )
        assert answer.json()["code"] == "staff-only"


async def test_a_session_of_the_shop_opens_nothing_here(desk, db, clock):
    shop = Sessions(db, b"s" * 32, clock)
    token = await shop.start(await desk.accounts.authenticate(OPS, PASSWORD))
    cookies = {"biletter_staff": token, "biletter_session": token}
    async with desk.browser(cookies=cookies) as browser:
        assert (await browser.get("/rooms")).status_code == 303


async def test_who_is_no_longer_staff_is_shut_out_within_two_seconds(desk, db, clock):
    async with desk.operator() as browser:
        assert (await browser.get("/rooms")).status_code == 200
        await db.execute("UPDATE account SET role = 'buyer'")
        clock.advance(2)
        answer = await browser.post("/rooms/1/settings", data={"state": "closed"})
        assert answer.status_code == 403
        assert (await desk.rooms.settings(1)).state == "open"


async def test_signing_in_is_written_down_and_signing_out_ends_it(desk, db):
    async with desk.operator() as browser:
        assert OPS in (await browser.get("/audit")).text
        token = browser.cookies["biletter_staff"]
        await browser.post("/sign-out")
    async with desk.browser(cookies={"biletter_staff": token}) as thief:
        assert (await thief.get("/rooms")).status_code == 303


@pytest.mark.parametrize(
    ("form", "field", "before", "after"),
    [
        ({"rate_per_minute": "1 200"}, "rate_per_minute", 600, 1200),
        ({"ceiling": "50"}, "ceiling", 500, 50),
        ({"state": "paused"}, "state", "open", "paused"),
        ({"state": "held"}, "state", "open", "held"),
        ({"state": "drained"}, "state", "open", "drained"),
        ({"state": "closed"}, "state", "open", "closed"),
        ({"mode": "off"}, "mode", "on", "off"),
        ({"message": " Начнём\r\n в 12:00 "}, "message", "", "Начнём в 12:00"),
        ({"message": "Нач\u202eнём\u200b в \ufeff12:00"}, "message", "", "Начнём в 12:00"),
        ({"site_url": f" {SITE}/gala?day=2 "}, "site_url", "", f"{SITE}/gala?day=2"),
        ({"title": "Гала"}, "title", "Селеста Морейра", "Гала"),
    ],
)
async def test_each_change_is_in_force_at_once_and_audited(desk, db, form, field, before, after):
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/rooms/1?done={field}")
        assert getattr(desk.rooms.snapshot(1).settings, field) == after
        [line] = await lines(db)
        assert (line["subject"], line["actor"][:8]) == ("room:1", "account:")
        assert line["detail"] == {
            "by": OPS,
            "before": {field: before},
            "after": {field: after},
            "outcome": "done",
        }
        page = (await browser.get("/rooms/1")).text
        assert OPS in page
        assert "Что меняли" in page


async def test_another_process_sees_a_change_with_its_next_reading(desk, redis_rooms, clock):
    elsewhere = Rooms(redis_rooms, clock=clock, keyring=desk.rooms.keyring)
    async with desk.operator() as browser:
        await browser.post("/rooms/2/settings", data={"state": "paused"})
        await elsewhere.reader.refresh()  # it reads four times a second
        assert elsewhere.snapshot(2).state == "paused"
        assert elsewhere.snapshot(1).state == "open"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"rate_per_minute": "0"}, "от 1 до 1\u00a0000\u00a0000"),
        ({"rate_per_minute": "-5"}, "от 1 до"),
        ({"rate_per_minute": "быстро"}, "от 1 до"),
        ({"rate_per_minute": "9" * 30}, "от 1 до"),
        ({"ceiling": "1000001"}, "от 1 до"),
        ({"ceiling": "٣"}, "от 1 до"),
        ({"message": "х" * 281}, "не длиннее 280"),
        ({"site_url": "https://elsewhere.example/gala"}, "Этого сайта нет в BILETTER_SITES."),
        ({"site_url": "javascript:alert(1)"}, "Нужен адрес вида"),
        ({"state": "broken"}, "Недопустимое значение"),
        ({"lease_seconds": "100"}, "Недопустимое значение"),
        ({"ceiling": "50", "rate_per_minute": "0"}, "от 1 до"),
        ({}, "Не сказано"),
    ],
)
async def test_a_wrong_value_is_refused_and_nothing_is_changed(desk, db, form, words):
    before = await desk.rooms.settings(1)
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", data=form)
        assert answer.status_code == 422
        assert words in answer.text
    assert await desk.rooms.settings(1) == before
    assert await lines(db) == []


async def test_what_is_so_already_leaves_no_line(desk, db):
    async with desk.operator() as browser:
        await browser.post("/rooms/1/settings", data={"state": "open", "ceiling": "500"})
    assert await lines(db) == []


async def test_a_room_that_does_not_exist_is_not_found(desk):
    async with desk.operator() as browser:
        assert (await browser.get("/rooms/77")).status_code == 404
        answer = await browser.post("/rooms/77/settings", data={"state": "held"})
        assert answer.status_code == 404


async def test_programs_speak_json(desk):
    async with desk.operator() as browser:
        answer = await browser.post("/rooms/1/settings", json={"ceiling": 7}, headers=JSON)
        assert (answer.status_code, answer.json()["ceiling"]) == (200, 7)
        answer = await browser.post("/rooms/1/settings", json={"ceiling": 0}, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-setting")
        headers = JSON | {"content-type": "application/json"}
        for content in (b"{", b'{"x": "\xff"}', b'{"x": ' + b"[" * 9_000):
            answer = await browser.post("/rooms/1/settings", content=content, headers=headers)
            assert answer.status_code == 400
        told = (await browser.get("/rooms/live.json", headers=JSON)).json()["rooms"]
        assert [(room["event"], room["state_word"]) for room in told] == [
            (1, "впускает"),
            (2, "впускает"),
        ]


async def test_another_site_cannot_close_a_room(desk):
    async with desk.operator() as browser:
        answer = await browser.post(
            "/rooms/1/settings",
            data={"state": "closed"},
            headers=HTML | {"origin": "https://evil.example"},
        )
        assert answer.json()["code"] == "cross-site"
        assert (await desk.rooms.settings(1)).state == "open"


async def test_a_change_that_redis_did_not_take_is_written_as_such(desk, db, monkeypatch):
    async def away(*_given):
        raise RoomAway

    async with desk.operator() as browser:
        monkeypatch.setattr(desk.rooms, "configure", away)
        answer = await browser.post("/rooms/1/settings", data={"state": "held"})
        assert answer.status_code == 503
        [line] = await lines(db)
        assert line["detail"]["outcome"] == "room-away"
        assert "не вышло" in (await browser.get("/rooms/1")).text


async def test_the_console_tells_the_living_line(desk, clock):
    for n in range(12):
        await desk.rooms.join(1, subject_of(b"k", "account", n))
    await desk.rooms.tick(1, await desk.rooms.lead("test"))
    await desk.rooms.reader.refresh()
    async with desk.operator() as browser:
        told = (await browser.get("/rooms/1/live.json", headers=JSON)).json()
        assert told["issued"] == 12
        assert told["waiting"] == 12 - told["serving"]
        page = (await browser.get("/rooms")).text
        assert "Селеста Морейра" in page
        assert "Мероприятие 2" in page


async def test_admissions_a_minute_are_what_was_seen(desk, clock, monkeypatch):
    assert desk.tempo.per_minute(1) is None
    snapshot = desk.rooms.snapshot(1)
    for claimed in range(0, 70, 10):
        monkeypatch.setattr(snapshot.__class__, "claimed", claimed, raising=False)
        desk.tempo.sample()
        clock.advance(5)
    assert desk.tempo.per_minute(1) == 120


async def test_every_line_of_the_audit_can_be_leafed_through(desk, db):
    async with desk.operator() as browser:
        for n in range(60):
            await db.execute(
                "INSERT INTO audit (actor, action, subject) VALUES ('worker', 'order.expire', $1)",
                f"order:{n}",
            )
        first = (await browser.get("/audit?of=all")).text
        assert "заказ 59" in first
        assert "заказ 9<" not in first
        below = first.partition("below=")[2].partition('"')[0]
        second = (await browser.get(f"/audit?of=all&below={below}")).text
        assert "заказ 9<" in second
        assert "заказ 59" not in second
        assert "заказ" not in (await browser.get("/audit")).text


async def test_a_planned_opening_is_told_as_a_moment_and_every_setting_by_its_name(desk):
    fields = {"mode": "scheduled", "opens_at": "2026-06-02T12:00", "outside_source": "маяк"}
    async with desk.operator() as browser:
        await browser.post("/rooms/1/settings", data=fields | {"time_zone": "Asia/Almaty"})
        for page in ("/rooms/1", "/audit"):
            text = (await browser.get(page)).text
            assert "открытие: <s>—</s> → <b>2 июня, 12:00</b>" in text
            assert "источник внешнего значения: <s>пусто</s> → <b>маяк</b>" in text
