"""The waiting room's contract: status, a place in line, and what spoils neither."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, Site

ROOM = f"/rooms/{EVENT}"
STATUS_FIELDS = {"event", "state", "generation", "serving", "issued", "living", "rate_per_minute"}
STATUS_FIELDS |= {"in_flight", "ceiling", "opens_at", "message", "updated_at"}


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


def code_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.status_code, answer.json()["code"]


async def test_status_is_the_same_for_everyone_and_may_be_cached_for_a_second(site: Site):
    await site.open(rate_per_minute=120, ceiling=7, message="Скоро начнём")
    answer = await site.visitor().get(f"{ROOM}/status")
    told = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert set(told) >= STATUS_FIELDS
    assert (told["event"], told["state"], told["issued"], told["serving"]) == (EVENT, "open", 0, 0)
    assert (told["rate_per_minute"], told["ceiling"]) == (120, 7)
    assert told["message"] == "Скоро начнём"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("event", ["2", "0", "-1", "abc", "9" * 16, "9223372036854775808", "1.0"])
@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("GET", "status"),
        ("POST", "entries"),
        ("GET", "entries/me"),
        ("POST", "heartbeats"),
        ("POST", "claims"),
        ("DELETE", "entries/me"),
        ("GET", "live"),
        ("GET", "lottery"),
    ],
)
async def test_an_event_without_a_room_is_unknown(site: Site, event: str, method: str, call: str):
    await site.open()
    answer = await site.visitor().request(method, f"/rooms/{event}/{call}")
    assert code_of(answer) == (404, "room-unknown")


async def test_a_join_gives_a_number_and_a_repeat_gives_the_same_one(site: Site):
    await site.open()
    aru, bek = site.visitor(), site.visitor()
    first = await aru.post(f"{ROOM}/entries")
    again = await aru.post(f"{ROOM}/entries", json={})
    other = await bek.post(f"{ROOM}/entries")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert set(first.json()) >= {"entry", "number", "position", "state", "poll_after_ms"}
    assert [first.json()["number"], again.json()["number"], other.json()["number"]] == [1, 1, 2]
    assert [first.json()["position"], other.json()["position"]] == [1, 2]


async def test_the_same_account_has_one_place_on_two_devices(site: Site):
    await site.open()
    at_home, at_work = site.visitor(account=7), site.visitor(account=7)
    assert (await at_home.post(f"{ROOM}/entries")).json()["number"] == 1
    answer = await at_work.post(f"{ROOM}/entries")
    assert (answer.status_code, answer.json()["number"]) == (200, 1)


async def test_a_place_follows_its_visitor_who_signs_in(site: Site):
    await site.open()
    aru = site.visitor()
    await site.visitor().post(f"{ROOM}/entries")
    assert (await aru.post(f"{ROOM}/entries")).json()["number"] == 2
    aru.headers["x-account"] = "7"
    bound = await aru.post(f"{ROOM}/entries")
    assert (bound.status_code, bound.json()["number"]) == (200, 2)
    assert (await site.visitor(account=7).post(f"{ROOM}/entries")).json()["number"] == 2


async def test_a_foreign_entry_is_not_adopted_by_another_account(site: Site):
    await site.open()
    aru, ermek = site.visitor(), site.visitor(account=9)
    token = (await aru.post(f"{ROOM}/entries")).json()["entry"]
    ermek.cookies.set(f"biletter_entry_{EVENT}", token)
    assert (await ermek.post(f"{ROOM}/entries")).json()["number"] == 2
    assert (await aru.get(f"{ROOM}/entries/me")).json()["number"] == 1


async def test_the_entry_travels_in_a_cookie_that_scripts_cannot_read_or_in_a_header(site: Site):
    await site.open()
    aru = site.visitor()
    joined = await aru.post(f"{ROOM}/entries")
    cookie = joined.headers["set-cookie"]
    assert f"biletter_entry_{EVENT}=" in cookie
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    by_cookie = await aru.get(f"{ROOM}/entries/me")
    header = {"authorization": f"Entry {joined.json()['entry']}"}
    by_header = await site.visitor().get(f"{ROOM}/entries/me", headers=header)
    assert by_cookie.json()["number"] == by_header.json()["number"] == 1
    again = await site.visitor().post(f"{ROOM}/entries", headers=header)
    assert (again.status_code, again.json()["number"]) == (200, 1)


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"proof": 1}', b'{"x": 1}', b'"a"', b"x" * 5000, b"\xff"]
)
async def test_a_malformed_join_burns_no_number(site: Site, body: bytes):
    await site.open()
    answer = await site.visitor().post(f"{ROOM}/entries", content=body)
    assert code_of(answer) == (400, "bad-input")
    assert (await site.visitor().post(f"{ROOM}/entries")).json()["number"] == 1


async def test_my_place_tells_how_many_are_ahead_and_for_how_long(site: Site):
    await site.open(rate_per_minute=60)
    visitors = [site.visitor() for _ in range(20)]
    for visitor in visitors:
        await visitor.post(f"{ROOM}/entries")
    await site.move(2.0)
    place = (await visitors[-1].get(f"{ROOM}/entries/me")).json()
    assert (place["number"], place["called"], place["state"]) == (20, False, "open")
    assert place["ahead"] == 19 - place["serving"]
    assert place["position"] == place["ahead"] + 1
    assert 3 <= place["eta"]["low_s"] <= place["ahead"] < place["eta"]["high_s"] <= 60
    assert 1_000 <= place["poll_after_ms"] <= 60_000
    called = (await visitors[0].get(f"{ROOM}/entries/me")).json()
    assert (called["called"], called["position"], called["ahead"]) == (True, 0, 0)


async def test_who_left_is_not_counted_ahead(site: Site):
    await site.open(state="paused")
    aru, bek, dana = site.visitor(), site.visitor(), site.visitor()
    for visitor in (aru, bek, dana):
        await visitor.post(f"{ROOM}/entries")
    assert (await bek.delete(f"{ROOM}/entries/me")).status_code == 204
    await site.move(0.25)
    assert (await dana.get(f"{ROOM}/entries/me")).json()["ahead"] == 1


async def test_without_an_entry_there_is_no_place(site: Site):
    await site.open()
    ermek = site.visitor()
    for method, call in (
        ("GET", "entries/me"),
        ("DELETE", "entries/me"),
        ("POST", "claims"),
        ("POST", "heartbeats"),
    ):
        assert code_of(await ermek.request(method, f"{ROOM}/{call}")) == (404, "no-entry")


@pytest.mark.parametrize("spoil", [lambda t: t[:-2] + "AA", lambda _: "x.y.z", lambda t: t * 9])
async def test_a_forged_entry_is_refused_everywhere(site: Site, spoil: Any):
    await site.open()
    token = (await site.visitor().post(f"{ROOM}/entries")).json()["entry"]
    header = {"authorization": f"Entry {spoil(token)}"}
    for method, call in (
        ("GET", "entries/me"),
        ("DELETE", "entries/me"),
        ("POST", "claims"),
        ("POST", "heartbeats"),
        ("POST", "entries"),
    ):
        answer = await site.visitor().request(method, f"{ROOM}/{call}", headers=header)
        assert code_of(answer) == (403, "entry-forged")


async def test_an_entry_of_another_event_is_refused(site: Site):
    await site.open()
    await site.open(2)
    token = (await site.visitor().post("/rooms/2/entries")).json()["entry"]
    answer = await site.visitor().get(
        f"{ROOM}/entries/me", headers={"authorization": f"Entry {token}"}
    )
    assert code_of(answer) == (403, "entry-foreign")


async def test_a_reset_ends_every_number_given_before(site: Site):
    await site.open()
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    assert code_of(await aru.get(f"{ROOM}/entries/me")) == (410, "generation-over")
    assert code_of(await aru.post(f"{ROOM}/claims")) == (410, "generation-over")
    assert code_of(await aru.post(f"{ROOM}/heartbeats")) == (410, "generation-over")
    joined = await aru.post(f"{ROOM}/entries")
    assert (joined.status_code, joined.json()["number"]) == (201, 1)


async def test_many_joins_at_once_by_one_account_are_one_place(site: Site):
    await site.open()
    one = site.visitor(account=7)
    answers = await asyncio.gather(*(one.post(f"{ROOM}/entries") for _ in range(200)))
    assert {answer.json()["number"] for answer in answers} == {1}
    assert [answer.status_code for answer in answers].count(201) == 1
    await site.rooms.reader.refresh()
    assert (await one.get(f"{ROOM}/status")).json()["issued"] == 1
