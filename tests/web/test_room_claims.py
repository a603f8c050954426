"""The waiting room's contract: being let in, and what others may ask."""

from pathlib import Path
from typing import Any

import pytest
from litestar.datastructures import State
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HOST, HTML, SHOP, Site
from waitingroom.web.live import tell

ROOM = f"/rooms/{EVENT}"


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


def code_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.status_code, answer.json()["code"]


async def test_a_claim_before_the_call_is_refused_and_costs_nothing(site: Site):
    await site.open(rate_per_minute=1)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    answer = await aru.post(f"{ROOM}/claims")
    assert code_of(answer) == (409, "not-called")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await aru.get(f"{ROOM}/entries/me")).json()["number"] == 1


async def test_who_was_called_gets_a_pass_and_a_repeat_gets_the_same(site: Site):
    await site.open(rate_per_minute=600, pass_seconds=180)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.move(1.0)
    first = await aru.post(f"{ROOM}/claims")
    assert first.status_code == 201
    told = first.json()
    assert told["enter_url"] == "http://localhost:18200/enter"
    assert told["expires_at"] == "2026-06-01T12:03:01.000Z"
    site.clock.advance(20)
    again = await aru.post(f"{ROOM}/claims")
    assert (again.status_code, again.json()["pass"]) == (201, told["pass"])
    now_s = site.clock.ms() / 1000
    claims = site.keyring.verify("pass", told["pass"], typ="pass+jwt", audience="1", now_s=now_s)
    assert {"iss", "aud", "sub", "jti", "iat", "nbf", "exp", "gen", "num", "lease"} <= set(claims)
    assert (claims["iss"], claims["num"]) == ("biletter-room", 1)
    assert claims["lease"] - claims["iat"] == 900


async def test_a_full_gate_keeps_the_place(site: Site):
    await site.open(rate_per_minute=6000, ceiling=1)
    aru, bek = site.visitor(), site.visitor()
    for visitor in (aru, bek):
        await visitor.post(f"{ROOM}/entries")
    await site.rooms.configure(EVENT, {"ceiling": 5}, "Dana")
    await site.move(1.0)
    await site.rooms.configure(EVENT, {"ceiling": 1}, "Dana")
    assert (await bek.post(f"{ROOM}/claims")).status_code == 201
    refused = await aru.post(f"{ROOM}/claims")
    assert code_of(refused) == (409, "gate-full")
    assert int(refused.headers["retry-after"]) >= 1
    subject = site.rooms.book.read(bek.cookies[f"biletter_entry_{EVENT}"], EVENT).subject
    assert await site.rooms.free(EVENT, subject)
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201


async def test_who_comes_after_the_grace_has_lapsed(site: Site):
    await site.open(rate_per_minute=600, grace_seconds=30)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.move(40.0)
    assert code_of(await aru.post(f"{ROOM}/claims")) == (410, "lapsed")
    assert code_of(await aru.get(f"{ROOM}/entries/me")) == (410, "lapsed")
    again = await aru.post(f"{ROOM}/entries")
    assert (again.status_code, again.json()["number"]) == (201, 2)


async def test_leaving_frees_the_place_and_a_new_join_gets_a_new_number(site: Site):
    await site.open()
    aru = site.visitor()
    token = (await aru.post(f"{ROOM}/entries")).json()["entry"]
    left = await aru.delete(f"{ROOM}/entries/me")
    assert left.status_code == 204
    assert f"biletter_entry_{EVENT}" not in aru.cookies
    await site.rooms.reader.refresh()
    header = {"authorization": f"Entry {token}"}
    for method, call in (
        ("GET", "entries/me"),
        ("POST", "claims"),
        ("POST", "heartbeats"),
        ("DELETE", "entries/me"),
    ):
        answer = await site.visitor().request(method, f"{ROOM}/{call}", headers=header)
        assert code_of(answer) == (404, "no-entry")
    assert (await aru.post(f"{ROOM}/entries")).json()["number"] == 2


async def test_who_is_inside_is_told_how_to_leave(site: Site):
    await site.open(rate_per_minute=600)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.move(1.0)
    await aru.post(f"{ROOM}/claims")
    answer = await aru.delete(f"{ROOM}/entries/me")
    assert code_of(answer) == (409, "inside")
    assert answer.json()["leave_url"] == "http://localhost:18200/leave"
    assert (await aru.post(f"{ROOM}/claims")).status_code == 201
    shown = await aru.post(f"/queue/{EVENT}/leave", headers=HTML)
    assert 'data-shows="inside"' in (await aru.get(shown.headers["location"], headers=HTML)).text
    subject = site.rooms.book.read(aru.cookies[f"biletter_entry_{EVENT}"], EVENT).subject
    await site.rooms.free(EVENT, subject)
    assert code_of(await aru.delete(f"{ROOM}/entries/me")) == (404, "no-entry")


async def test_heartbeats_make_the_living(site: Site):
    await site.open(state="paused")
    aru, bek = site.visitor(), site.visitor()
    for visitor in (aru, bek):
        await visitor.post(f"{ROOM}/entries")
    await site.move(0.25)
    assert (await aru.get(f"{ROOM}/status")).json()["living"] == 2
    site.clock.advance(130)
    assert (await bek.post(f"{ROOM}/heartbeats")).status_code == 204
    await site.move(0.25)
    assert (await aru.get(f"{ROOM}/status")).json()["living"] == 1


async def test_a_room_that_is_off_lets_everybody_past_it(site: Site):
    await site.open(mode="off")
    aru = site.visitor()
    assert (await aru.get(f"{ROOM}/status")).json()["state"] == "off"
    answer = await aru.post(f"{ROOM}/entries")
    assert code_of(answer) == (409, "room-off")
    assert answer.json()["enter_url"] == "http://localhost:18200/events/1"
    assert (await aru.get("/authorize", params={"event": 1})).status_code == 204


@pytest.mark.parametrize("state", ["closed", "drained"])
async def test_a_closed_room_gives_no_numbers(site: Site, state: str):
    await site.open(state=state)
    assert code_of(await site.visitor().post(f"{ROOM}/entries")) == (409, "room-closed")


async def test_a_paused_room_has_no_eta(site: Site):
    await site.open(state="paused")
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.move(2.0)
    place = (await aru.get(f"{ROOM}/entries/me")).json()
    assert (place["eta"], place["state"], place["called"]) == (None, "paused", False)


@pytest.mark.parametrize(
    ("method", "call"),
    [("POST", "entries"), ("POST", "claims"), ("POST", "heartbeats"), ("DELETE", "entries/me")],
)
async def test_other_sites_cannot_act_for_a_visitor(site: Site, method: str, call: str):
    await site.open()
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await aru.request(method, f"{ROOM}/{call}", headers=headers)
        assert code_of(answer) == (403, "cross-site")
    assert (await aru.get(f"{ROOM}/entries/me")).status_code == 200


async def test_there_is_no_lottery_here(site: Site):
    await site.open()
    assert code_of(await site.visitor().get(f"{ROOM}/lottery")) == (404, "no-lottery")


async def test_the_public_keys_and_the_description_are_served(site: Site):
    await site.open()
    site.keyring.jwks("pass")
    keys = (await site.visitor().get("/.well-known/jwks.json")).json()["keys"]
    assert [(key["kty"], key["crv"], key["alg"]) for key in keys] == [("OKP", "Ed25519", "EdDSA")]
    assert "d" not in keys[0]
    paths = (await site.visitor().get("/openapi/openapi.json")).json()["paths"]
    assert {"/rooms/{event}/status", "/rooms/{event}/claims", "/authorize"} <= set(paths)


async def test_authorize_answers_204_with_a_good_pass_and_else_shows_the_queue(site: Site):
    await site.open()
    await site.open(2)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    await site.move(1.0)
    token = (await aru.post(f"{ROOM}/claims")).json()["pass"]
    good = await aru.get("/authorize", params={"event": 1}, headers={"x-queue-pass": token})
    assert good.status_code == 204
    foreign = await aru.get("/authorize", params={"event": 2}, headers={"x-queue-pass": token})
    assert foreign.status_code == 401
    without = await site.visitor().get(
        "/authorize", params={"event": 1}, headers={"x-original-uri": "//evil.example/x"}
    )
    assert without.status_code == 401
    page = without.headers["location"]
    assert page.startswith("http://localhost:18201/queue/1?return_to=")
    assert "evil" not in page
    # The visit goes on when the pass has expired, and ends with its lease.
    site.clock.advance(181)
    later = await aru.get("/authorize", params={"event": 1}, headers={"x-queue-pass": token})
    assert later.status_code == 204
    site.clock.advance(720)
    late = await aru.get("/authorize", params={"event": 1}, headers={"x-queue-pass": token})
    assert late.status_code == 401


async def test_a_pass_is_led_on_only_to_a_site_that_the_room_knows(site: Site):
    await site.open()
    aru = site.visitor()
    for stranger in ("https://evil.example/", "https://shop.example.evil.example/", "//x", ""):
        form = {"pass": "p.q.r", "return_to": stranger}
        answer = await aru.post(f"/queue/{EVENT}/onward", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/queue/{EVENT}")
    form = {"pass": "p.q.r", "return_to": f"{SHOP}/concert?x=1#y"}
    answer = await aru.post(f"/queue/{EVENT}/onward", data=form)
    assert answer.headers["location"] == f"{SHOP}/concert?x=1&pass=p.q.r"
    assert answer.headers["referrer-policy"] == "no-referrer"
    page = await aru.get(
        f"/queue/{EVENT}", params={"return_to": f"{SHOP}/concert"}, headers={"accept": "text/html"}
    )
    assert f'action="/queue/{EVENT}/onward"' in page.text

    assert SHOP in page.headers["content-security-policy"].partition("form-action")[2]
    assert SHOP not in page.headers["content-security-policy"].partition("connect-src")[2]


async def test_a_waiter_may_listen_instead_of_asking(site: Site):
    await site.open(rate_per_minute=1)
    aru = site.visitor()
    entry = site.rooms.book.read((await aru.post(f"{ROOM}/entries")).json()["entry"], EVENT)
    state = State()
    stream = tell(site.rooms, entry, state, step_s=0)
    assert await anext(stream) == b"retry: 3000\n\n"
    place = await anext(stream)
    assert place.startswith(b'event: place\ndata: {"number":1,')
    assert state["live_streams"] == 1
    await aru.delete(f"{ROOM}/entries/me")
    await site.rooms.reader.refresh()
    assert await anext(stream) == b'event: end\ndata: {"code":"no-entry"}\n\n'
    assert [word async for word in stream] == []
    assert state["live_streams"] == 0
    assert code_of(await aru.get(f"{ROOM}/live")) == (404, "no-entry")


@pytest.mark.parametrize(
    ("method", "call"),
    [("POST", "claims"), ("POST", "heartbeats"), ("POST", "entries")],
)
@pytest.mark.parametrize("entry", ["good", "forged"])
async def test_the_short_way_and_the_ordinary_one_answer_the_same(
    site: Site, method: str, call: str, entry: str
):
    await site.open(rate_per_minute=1)
    aru = site.visitor()
    await aru.post(f"{ROOM}/entries")
    headers = {"authorization": "Entry x.y.z"} if entry == "forged" else {}
    # A browser that names its page, but not its relation, is looked at by the edge.
    ordinary = await aru.request(method, f"{ROOM}/{call}", headers=headers | {"origin": HOST})
    short = await aru.request(method, f"{ROOM}/{call}", headers=headers)
    assert "x-request-id" in ordinary.headers
    assert "x-request-id" not in short.headers
    assert ordinary.status_code == short.status_code
    bodies = [one.json() if one.content else {} for one in (ordinary, short)]
    for body in bodies:
        body.pop("poll_after_ms", None)
        if "entry" in body:
            assert site.rooms.book.read(body.pop("entry"), EVENT).number == 1
    assert bodies[0] == bodies[1]
