"""The gate in front of somebody else's site: who passes it and who doesn't."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar, Request, get
from litestar.middleware import DefineMiddleware
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.gate_street import PAGE, ROOM, SHOP, Street, hall, person, said
from tests.web.room_site import EVENT, Site
from waitingroom.gate import MemoryUsedPasses, QueueGate


@pytest.fixture
async def street(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Street:
    street = Street(Site(redis_rooms, clock, tmp_path))
    await street.site.open(rate_per_minute=6000)
    return street


async def test_people_without_a_pass_are_shown_the_queue_and_come_back_to_where_they_were(street):
    answer = await person(street.gate()).get("/concert/1?a=b&a=ю", headers=PAGE)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert where.path == f"/queue/{EVENT}"
    back = parse_qs(where.query)["return_to"]
    assert back == [f"{SHOP}/concert/1?a=b&a=%D1%8E"]


async def test_a_form_that_was_sent_too_late_leads_to_a_page_that_can_be_looked_at(street):
    answer = await person(street.gate()).post("/concert/1/book", headers=PAGE)
    assert answer.headers["location"].endswith("return_to=https%3A%2F%2Fshop.example%2Fconcert")


async def test_programs_without_a_pass_are_told_when_and_where(street):
    answer = await person(street.gate()).get("/concert")
    assert said(answer) == (429, "pass-needed")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["link"] == f'<{ROOM}/queue/{EVENT}>; rel="queue"'


@pytest.mark.parametrize(
    "path", ["/concert", "/concert/", "//concert", "/x/../concert/1", "/./concert", "/%63oncert"]
)
async def test_no_detour_leads_past_the_gate(street, path: str):
    scope = {"type": "http", "method": "GET", "scheme": "http", "query_string": b"", "headers": []}
    sent = []

    async def send(message):
        sent.append(message)

    raw = path.replace("%63", "c")
    await street.gate()(scope | {"path": raw, "client": None}, None, send)
    assert sent[0]["status"] == 429


@pytest.mark.parametrize("path", ["/", "/concerts", "/cinema", "/a/concert"])
async def test_other_addresses_are_nobodys_business(street, path: str):
    assert (await person(street.gate()).get(path)).text == "inside -"
    assert street.asked == []


async def test_a_pass_in_the_address_becomes_a_cookie_and_leaves_the_address(street):
    gate, token = street.gate(), await street.new_pass()
    aru = person(gate, **PAGE)
    answer = await aru.get("/concert/1", params={"x": "1", "pass": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SHOP}/concert/1?x=1")
    assert answer.headers["referrer-policy"] == "no-referrer"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly; SameSite=Lax; Secure" in cookie
    assert "Max-Age=900" in cookie
    assert (await aru.get("/concert/1?x=1")).text == "inside 1"
    # The link again, by the same person: no harm.
    again = await aru.get("/concert/1", params={"pass": token})
    assert again.headers["location"] == f"{SHOP}/concert/1"


async def test_a_visit_outlives_its_pass_and_ends_with_the_lease(street):
    gate, token = street.gate(), await street.new_pass()
    aru = person(gate)
    headers = {"x-queue-pass": token}
    assert (await aru.get("/concert", headers=headers)).text == "inside 1"
    street.site.clock.advance(800)
    assert (await aru.get("/concert")).text == "inside 1"
    # A program without a cookie jar shows the header, again and again.
    assert (await person(gate).get("/concert", headers=headers)).text == "inside 1"
    street.site.clock.advance(101)
    assert said(await aru.get("/concert")) == (429, "pass-needed")
    assert said(await person(gate).get("/concert", headers=headers)) == (429, "pass-expired")


async def test_a_pass_that_nobody_used_in_time_opens_nothing(street):
    gate, token = street.gate(), await street.new_pass()
    street.site.clock.advance(181)
    answer = await person(gate).get("/concert", headers={"x-queue-pass": token})
    assert said(answer) == (429, "pass-expired")


async def test_a_pass_belongs_to_whoever_used_it_first(street):
    gate, token = street.gate(), await street.new_pass()
    aru, ermek = person(gate, authorization="Basic aru"), person(gate, authorization="Basic ermek")
    headers = {"x-queue-pass": token}
    assert (await aru.get("/concert", headers=headers)).text == "inside 1"
    assert said(await ermek.get("/concert", headers=headers)) == (403, "pass-used")
    other_browser = person(gate, **{"user-agent": "another"})
    answer = await other_browser.get("/concert", params={"pass": token})
    assert said(answer) == (403, "pass-used")


async def test_two_processes_share_what_was_used(street):
    shared = MemoryUsedPasses(lambda: street.site.clock.ms() / 1000)
    one, other = street.gate(used=shared), street.gate(used=shared)
    headers = {"x-queue-pass": await street.new_pass()}
    aru = person(one, authorization="Basic aru")
    await aru.get("/concert", headers=headers)
    ermek = person(other, authorization="Basic ermek")
    assert said(await ermek.get("/concert", headers=headers)) == (403, "pass-used")
    # The cookie of one is good at the other: they share the secret.
    cookie = f"queue_visit_1={aru.cookies['queue_visit_1']}"
    answer = await person(other, cookie=cookie).get("/concert")
    assert answer.text == "inside 1"


async def test_forged_foreign_and_mistyped_passes_open_nothing(street):
    await street.site.open(2, rate_per_minute=6000)
    gate, token = street.gate(protect={"/concert": EVENT, "/film": 2}), await street.new_pass()
    head, body, tail = token.split(".")
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, options={"verify_signature": False})
    own = Ed25519PrivateKey.generate()
    forged = [
        "nonsense",
        "a" * 5000,
        f"{head}.{body}.{tail[:-4]}AAAA",
        jwt.encode(claims, own, algorithm="EdDSA", headers={"kid": kid, "typ": "pass+jwt"}),
        jwt.encode(claims, own, algorithm="EdDSA", headers={"kid": "x", "typ": "pass+jwt"}),
        jwt.encode(claims, own, algorithm="EdDSA", headers={"kid": kid, "typ": "ticket+jwt"}),
        jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": kid, "typ": "pass+jwt"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": kid, "typ": "pass+jwt"}),
        # A visit's cookie is no pass, a pass no visit's cookie.
        street.site.keyring.sign("pass", {"aud": "1"}, typ="pass+jwt"),
    ]
    for wrong in forged:
        answer = await person(gate).get("/concert", headers={"x-queue-pass": wrong})
        assert said(answer) == (403, "pass-forged"), wrong
        answer = await person(gate, cookie=f"queue_visit_1={wrong}").get("/concert")
        assert said(answer) == (429, "pass-needed"), wrong
        page = await person(gate).get("/concert", params={"pass": wrong}, headers=PAGE)
        assert page.status_code == 303
        assert "pass" not in page.headers["location"]
    answer = await person(gate).get("/film", headers={"x-queue-pass": token})
    assert said(answer) == (403, "pass-wrong-event")
    # And a cookie of one event opens no other.
    aru = person(gate)
    await aru.get("/concert", headers={"x-queue-pass": token})
    stolen = f"queue_visit_2={aru.cookies['queue_visit_1']}"
    assert said(await person(gate, cookie=stolen).get("/film")) == (429, "pass-needed")


async def test_a_websocket_needs_a_visit_as_well(street):
    gate, sent = street.gate(), []

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/concert", "scheme": "wss", "headers": []}
    await gate(scope | {"client": None}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
    token = await street.new_pass()
    headers = [(b"x-queue-pass", token.encode())]
    await gate(scope | {"client": None, "headers": headers}, None, send)
    assert sent[1]["type"] == "websocket.accept"


async def test_a_question_before_a_cross_site_call_passes(street):
    assert (await person(street.gate()).options("/concert")).text == "inside -"


async def test_a_litestar_app_puts_it_in_front_in_three_lines(street):
    @get("/concert")
    async def concert(request: Request[Any, Any, Any]) -> str:
        return f"hello {request.scope['queue_visit'].num}"  # type: ignore[typeddict-item]  # the gate's own

    def now() -> float:
        return float(street.site.clock.ms() / 1000)

    keys = street.site.keyring.jwks("pass")
    gate = DefineMiddleware(QueueGate, room=ROOM, protect={"/concert": EVENT}, keys=keys, now=now)
    app = Litestar([concert], middleware=[gate], openapi_config=None)
    assert said(await person(app).get("/concert")) == (429, "pass-needed")
    headers = {"x-queue-pass": await street.new_pass()}
    assert (await person(app).get("/concert", headers=headers)).text == "hello 1"


@pytest.mark.parametrize(
    "wrong", [{"room": "queue.example"}, {"protect": {}}, {"protect": {"x": 1}}, {"when_away": "?"}]
)
def test_settings_that_make_no_sense_are_refused_at_the_start(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        QueueGate(hall, **({"room": ROOM, "protect": {"/x": 1}} | wrong))


def test_importing_the_gate_brings_nothing_else_of_ours():
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, waitingroom.gate; print(*sorted({m.split('.')[0] for m in sys.modules}))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"litestar", "redis", "kernel", "structlog", "httpx"} & set(found)
