"""The gate in front of somebody else's site: a bare ASGI app behind it, a real room beside it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar, Request, get
from litestar.middleware import DefineMiddleware
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, Site
from waitingroom.gate import MemoryUsedPasses, QueueGate
from waitingroom.gate.roomwatch import RoomWatch

SHOP = "https://shop.example"
ROOM = "http://localhost:18201"
PAGE = {"accept": "text/html"}


async def hall(scope, receive, send):
    """A site that knows nothing of queues."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    visit = scope.get("queue_visit")
    body = f"inside {visit.num if visit else '-'}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


class Street:
    """The room, and the way from the gate to it, which can be cut."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_cut = False
        self.asked: list[str] = []
        self.time_s = 0.0

    async def fetch(self, address: str) -> bytes:
        self.asked.append(urlsplit(address).path)
        if self.is_cut:
            raise OSError("nobody there")
        answer = await self.site.visitor().get(urlsplit(address).path)
        if not answer.is_success:
            raise OSError(answer.status_code)
        return answer.content

    def gate(self, **more) -> QueueGate:
        options = {"room": ROOM, "protect": {"/concert": EVENT}, "secret": "s", "site": SHOP}
        gate = QueueGate(
            hall, **(options | more), fetch=self.fetch, now=lambda: self.site.clock.ms() / 1000
        )
        gate._room = RoomWatch(
            ROOM, more.get("keys"), fetch=self.fetch, monotonic=lambda: self.time_s
        )
        return gate

    async def later(self, seconds: float, gate=None) -> None:
        """Time goes by for the gate; with one, somebody comes, and it asks the room."""
        self.time_s += seconds
        if gate is not None:
            await person(gate).get("/concert")
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def new_pass(self, **visitor) -> str:
        """Somebody waits, is called and let in."""
        person = self.site.visitor(**visitor)
        assert (await person.post(f"/rooms/{EVENT}/entries")).is_success
        await self.site.move(1.0)
        claimed = await person.post(f"/rooms/{EVENT}/claims")
        assert claimed.status_code == 201
        return claimed.json()["pass"]


def person(gate, **headers) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(gate, client=("10.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url=SHOP, headers=headers)


@pytest.fixture
async def street(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Street:
    street = Street(Site(redis_rooms, clock, tmp_path))
    await street.site.open(rate_per_minute=6000)
    return street


def said(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["code"]


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
        jwt.encode(claims, None, algorithm="none", headers={"kid": kid, "typ": "pass+jwt"}),
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


async def test_made_up_keys_are_no_flood_of_questions(street):
    gate, token = street.gate(), await street.new_pass()
    claims = jwt.decode(token, options={"verify_signature": False})
    own = Ed25519PrivateKey.generate()
    for number in range(20):
        head = {"kid": f"pass-{number}", "typ": "pass+jwt"}
        wrong = jwt.encode(claims, own, algorithm="EdDSA", headers=head)
        await person(gate).get("/concert", headers={"x-queue-pass": wrong})
    assert street.asked.count("/.well-known/jwks.json") == 1


async def test_a_new_key_is_learnt_and_a_dropped_one_forgotten(street):
    gate, old = street.gate(), await street.new_pass(account=1)
    assert (await person(gate).get("/concert", headers={"x-queue-pass": old})).text == "inside 1"
    street.site.keyring.rotate("pass")
    street.time_s += 6
    new = await street.new_pass(account=2)
    assert (await person(gate).get("/concert", headers={"x-queue-pass": new})).text == "inside 2"
    assert (await person(gate).get("/concert", headers={"x-queue-pass": old})).text == "inside 1"
    street.site.keyring.rotate("pass")
    street.time_s += 61
    await person(gate).get("/concert", headers={"x-queue-pass": new})  # asks in the background
    await street.later(0)
    answer = await person(gate).get("/concert", headers={"x-queue-pass": old})
    assert said(answer) == (403, "pass-forged")


async def test_a_room_that_is_off_lets_everybody_by_within_two_seconds(street):
    gate = street.gate()
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    await street.site.rooms.configure(EVENT, {"mode": "off"}, "Dana")
    await street.site.rooms.reader.refresh()
    await street.later(2.1, gate)
    assert (await person(gate).get("/concert")).text == "inside -"


async def test_with_the_room_away_passes_and_visits_go_on(street):
    gate, token = street.gate(), await street.new_pass(account=1)
    late = await street.new_pass(account=2)
    aru = person(gate)
    await aru.get("/concert", headers={"x-queue-pass": token})
    street.is_cut = True
    street.time_s += 600
    assert (await aru.get("/concert")).text == "inside 1"
    # Called before the room went away: the key is known.
    assert (await person(gate).get("/concert", headers={"x-queue-pass": late})).text == "inside 2"
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")


async def test_a_gate_that_never_reached_the_room_is_shut_and_says_that_the_place_is_kept(street):
    token = await street.new_pass()
    street.is_cut = True
    gate = street.gate()
    headers = {"x-queue-pass": token}
    assert said(await person(gate).get("/concert", headers=headers)) == (503, "room-away")
    page = await person(gate).get("/concert", headers=headers | PAGE)
    assert page.status_code == 503
    assert "Ваше место сохраняется" in page.text
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    street.is_cut = False
    street.time_s += 61
    assert (await person(gate).get("/concert", headers=headers)).text == "inside 1"


async def test_who_declares_it_opens_the_gate_while_the_room_is_away(street):
    gate = street.gate(when_away="open")
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    street.is_cut = True
    for _ in range(8):
        await street.later(2.1, gate)
    assert (await person(gate).get("/concert")).text == "inside -"
    street.is_cut = False
    await street.later(2.1, gate)
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")


async def test_with_given_keys_the_room_is_never_asked(street):
    keys = street.site.keyring.jwks("pass")
    gate, token = street.gate(keys=keys), await street.new_pass()
    assert said(await person(gate).get("/concert")) == (429, "pass-needed")
    assert (await person(gate).get("/concert", headers={"x-queue-pass": token})).text == "inside 1"
    assert street.asked == []


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
    async def concert(request: Request) -> str:
        return f"hello {request.scope['queue_visit'].num}"  # type: ignore[typeddict-item]  # the gate's own

    gate = DefineMiddleware(
        QueueGate, room=ROOM, protect={"/concert": EVENT}, keys=street.site.keyring.jwks("pass")
    )
    app = Litestar([concert], middleware=[gate], openapi_config=None)
    assert said(await person(app).get("/concert")) == (429, "pass-needed")
    street.site.clock.advance(10**8)  # its own clock is the real one: far enough that it is late
    assert (await person(app).get("/nowhere")).status_code == 404


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
