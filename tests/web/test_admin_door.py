"""The page of a room's door: its fields, its rules and what they did, the preview."""

from datetime import UTC, datetime

import pytest

from kernel.subjects import subject_of
from tests.web.admin_site import BEK, HTML, OPS
from waitingroom.rules import RULES

DOOR = "/rooms/1/door"
JSON = {"accept": "application/json"}


def settings(desk):
    return desk.rooms.snapshot(1).settings


async def detail(db):
    return await db.fetchval("SELECT detail FROM audit WHERE subject = 'room:1'")


@pytest.mark.parametrize(
    ("form", "field", "before", "after"),
    [
        ({"lane_share": "25"}, "lane_share", 50, 25),
        ({"proof_bits": "12"}, "proof_bits", 0, 12),
        ({"theme": "3"}, "theme", None, 3),
        (
            {"allowed_networks": "192.0.2.0/24\r\n2001:db8::/48\r\n192.0.2.0/24"},
            "allowed_networks",
            "",
            "192.0.2.0/24 2001:db8::/48",
        ),
        ({"rule": "join-prefix", "mild": "1"}, "count_only", "", "join-prefix"),
    ],
)
async def test_each_field_is_in_force_at_once_and_audited(desk, db, form, field, before, after):
    async with desk.operator() as browser:
        answer = await browser.post(DOOR, data=form)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, DOOR)
        assert getattr(settings(desk), field) == after
        assert await detail(db) == {
            "by": OPS,
            "before": {field: before},
            "after": {field: after},
            "outcome": "done",
        }
        assert (await browser.get(DOOR)).status_code == 200


async def test_staff_are_named_by_their_addresses(desk, db):
    async with desk.operator() as browser:
        assert (
            await browser.post(DOOR, data={"staff": f"{OPS}\n{BEK.upper()}"})
        ).status_code == 303
        secret = desk.rooms.keyring.secret("subject")
        ids = {row["email"]: row["id"] for row in await db.fetch("SELECT id, email FROM account")}
        bek, ops = (subject_of(secret, "account", ids[who]) for who in (BEK, OPS))
        assert settings(desk).staff == f"{ops} {bek}"
        page = (await browser.get(DOOR)).text
        # Those who work here are told by address; of others only the room knows.
        assert f"{OPS}\n{bek}</textarea>" in page
        again = {"staff": f"{OPS}\n{bek}"}
        await browser.post(DOOR, data=again)
        assert settings(desk).staff == f"{ops} {bek}"
        await browser.post(DOOR, data={"staff": ""})
        assert settings(desk).staff == ""


NONSENSE = [
    ({"lane_share": "0"}, "lane_share", "от 1 до 100"),
    ({"lane_share": "101"}, "lane_share", "от 1 до 100"),
    ({"lane_share": "1e1"}, "lane_share", "от 1 до 100"),
    ({"proof_bits": "21"}, "proof_bits", "от 0 до 20"),
    ({"proof_bits": "-1"}, "proof_bits", "от 0 до 20"),
    ({"proof_bits": "١٢"}, "proof_bits", "от 0 до 20"),
    ({"theme": "8"}, "theme", ""),
    ({"staff": "nobody@mail.kz"}, "staff", "nobody@mail.kz"),
    ({"staff": "не адрес"}, "staff", "Такой учётной записи нет."),
    ({"allowed_networks": "0.0.0.0/0"}, "allowed_networks", "не шире /8"),
    ({"allowed_networks": "сеть"}, "allowed_networks", "не шире /8"),
    ({"rule": "join-everybody", "mild": "1"}, "count_only", "Такого правила нет."),
    ({"rule": "join-prefix", "mild": "да"}, "count_only", "Такого правила нет."),
    ({"rate_per_minute": "5"}, "rate_per_minute", ""),
]


async def test_what_makes_no_sense_is_refused_beside_its_field(desk, db):
    before = settings(desk)
    async with desk.operator() as browser:
        for form, field, words in NONSENSE:
            page = await browser.post(DOOR, data=form, headers=HTML)
            answer = await browser.post(DOOR, json=form, headers=JSON)
            assert (page.status_code, answer.status_code) == (422, 422), form
            told = answer.json()
            assert (told["code"], told["setting"]) == ("bad-setting", field), form
            assert words in page.text, form
            assert settings(desk) == before, form
    assert await detail(db) is None


async def test_whom_only_the_room_knows_is_named_by_the_rooms_own_word(desk):
    async with desk.operator() as browser:
        page = await browser.post(DOOR, data={"staff": "A" * 22}, headers=HTML)
        answer = await browser.post(DOOR, json={"staff": "A" * 22}, headers=JSON)
        assert (page.status_code, answer.status_code) == (303, 200)


async def test_a_rule_is_turned_there_and_back(desk):
    async with desk.operator() as browser:
        for rule in ("claim-device", "join-subject"):
            await browser.post(DOOR, json={"rule": rule, "mild": "1"}, headers=JSON)
        assert settings(desk).count_only == "join-subject claim-device"
        told = (
            await browser.post(DOOR, json={"rule": "join-subject", "mild": "0"}, headers=JSON)
        ).json()
        assert [rule["name"] for rule in told["rules"] if rule["is_mild"]] == ["claim-device"]
        page = (await browser.get(DOOR)).text
        assert page.count("badge-sun") == 1
        for name in RULES:
            assert f'<code class="small">{name}</code>' in page


async def test_what_the_doors_did_stands_beside_the_rules(desk):
    await desk.rooms.tell_tally(1, {"join-prefix counted": 1234, "join-prefix passed": 7})
    async with desk.operator() as browser:
        told = (await browser.get("/rooms/1/door.json")).json()
        assert (told["join-prefix counted"], told["join-prefix refused"]) == (1234, 0)
        assert "1\u00a0234" in (await browser.get(DOOR)).text
        assert "1\u00a0234" not in (await browser.get("/rooms/2/door")).text


async def test_the_preview_tells_what_will_be_in_force(desk, clock):
    now_ms = clock.ms()
    plan = {"mode": "scheduled", "prequeue_at": now_ms + 3_600_000, "opens_at": now_ms + 7_200_000}
    await desk.rooms.configure(1, plan | {"closes_at": now_ms + 86_400_000}, "Dana")
    await desk.rooms.reader.refresh()
    opens = datetime.fromtimestamp(now_ms / 1000, UTC)
    assert opens.hour == 12, "17:00 in Almaty"
    async with desk.operator() as browser:
        for at, state, mode in (
            ("2026-06-01T17:30", "closed", "scheduled"),
            ("2026-06-01T18:30", "prequeue", "scheduled"),
            ("2026-06-01T19:00", "open", "on"),
            ("2026-06-03T00:00", "closed", "on"),
        ):
            told = (await browser.get("/rooms/1/preview", params={"at": at})).json()
            assert (told["state"], told["settings"]["mode"]) == (state, mode), at
        page = await browser.get(DOOR, params={"at": "2026-06-01T19:00"})
        assert "1 июня, 19:00" in page.text
        assert "preview-new" in page.text
        past = await browser.get(DOOR, params={"at": "2026-05-01T19:00"})
        assert "уже прошёл" in past.text


async def test_a_moment_that_is_none_is_told_at_the_field(desk):
    async with desk.operator() as browser:
        for at in ("", "завтра", "2026-13-01T00:00", "0001-01-01T00:00", "9" * 400):
            page = await browser.get(DOOR, params={"at": at})
            assert page.status_code == 422, at
            assert 'aria-invalid="true"' in page.text, at
            answer = await browser.get("/rooms/1/preview", params={"at": at}, headers=JSON)
            assert (answer.status_code, answer.json()["setting"]) == (422, "at"), at


async def test_only_staff_see_the_door_and_an_unknown_room_has_none(desk):
    async with desk.browser() as stranger, desk.operator() as browser:
        for path in (DOOR, "/rooms/1/door.json", "/rooms/1/preview?at=2030-01-01T00:00"):
            assert (await stranger.get(path, headers=JSON)).status_code == 401
        assert (await stranger.post(DOOR, json={"theme": "1"}, headers=JSON)).status_code == 401
        assert (await browser.get("/rooms/404/door", headers=JSON)).status_code == 404
