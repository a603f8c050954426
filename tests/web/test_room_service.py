"""What sales tells and asks the waiting room over HTTP, and who else may not."""

import asyncio
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from biletter.room_desk import HttpRoomDesk
from biletter.room_modes import PolledRoomModes
from kernel.clock import ManualClock
from kernel.keyring import Keyring
from kernel.service_tokens import ServiceTokens
from kernel.subjects import subject_of
from kernel.values import EventId
from sales.room_desk import Busy, Let, RoomAway
from tests.web.room_site import EVENT, HOST, Site
from waitingroom import keys
from waitingroom.store import RoomAway as RedisAway

THRESHOLDS = {"arm_requests": 50, "disarm_requests": 10, "disarm_seconds": 30}
STAR = EventId(EVENT)


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    made = Site(redis_rooms, clock, tmp_path)
    await made.open(mode="auto", **THRESHOLDS)
    return made


def tokens_of(site: Site, keyring: Keyring | None = None) -> ServiceTokens:
    return ServiceTokens(keyring or site.keyring, lambda: site.clock.ms() / 1000)


def modes_of(site: Site, teller: str = "sales:1") -> PolledRoomModes:
    return PolledRoomModes(HOST, tokens_of(site), teller)


def desk_of(site: Site) -> HttpRoomDesk:
    desk = HttpRoomDesk(HOST, tokens_of(site))
    desk._client = site.visitor()
    return desk


def account(site: Site, number: int) -> str:
    return subject_of(site.keyring.secret("subject"), "account", number)


async def arm(site: Site) -> None:
    await site.rooms.hear(EVENT, "sales:1", [(0, 50)])
    await site.move(0.5)


async def test_sales_processes_tell_what_came_and_learn_when_the_room_arms(site: Site):
    one, two, http = modes_of(site), modes_of(site, "sales:2"), site.visitor()
    for modes in (one, two):
        await modes.talk(http, [STAR])
        assert (modes.is_open(STAR), modes.armed_at(STAR)) == (True, None)
        for _ in range(25):
            modes.came(STAR)
            modes.came(EventId(77))
    for modes in (one, two):
        await modes.talk(http, [STAR])
    await site.move(0.5)
    armed_at = site.rooms.snapshot(EVENT).settings.armed_at
    for modes in (one, two):
        await modes.talk(http, [STAR])
        assert not modes.is_open(STAR)
        seen = modes.armed_at(STAR)
        assert seen is not None
        assert seen.timestamp() * 1000 == armed_at


async def test_silence_is_told_too_so_that_a_calm_room_disarms(site: Site):
    await arm(site)
    modes, http = modes_of(site), site.visitor()
    for _ in range(36):
        await modes.talk(http, [STAR])
        await site.move(1)
    await modes.talk(http, [STAR])
    assert modes.is_open(STAR)


async def test_a_room_that_is_on_is_nobodys_to_open(site: Site):
    await site.rooms.configure(EVENT, {"mode": "on"}, "Dana")
    await site.rooms.reader.refresh()
    modes = modes_of(site)
    await modes.talk(site.visitor(), [STAR])
    assert (modes.is_open(STAR), modes.armed_at(STAR)) == (False, None)


async def test_an_unknown_room_is_a_closed_door_and_a_lost_one_stays_as_it_was(site: Site):
    modes, http = modes_of(site), site.visitor()
    await modes.talk(http, [STAR, EventId(77)])
    assert (modes.is_open(STAR), modes.is_open(EventId(77))) == (True, False)
    lost = httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url=HOST)
    with pytest.raises(httpx.ConnectError):
        await modes.talk(lost, [STAR])
    assert modes.is_open(STAR)


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)


async def test_a_program_is_let_in_by_the_gate(site: Site):
    await arm(site)
    desk = desk_of(site)
    let = await desk.admit(EVENT, account(site, 1), None)
    assert isinstance(let, Let)
    claims = site.keyring.verify("pass", let.token, typ="pass+jwt", audience="1", now_s=None)
    assert (claims["sub"], claims["jti"], claims["num"]) == (account(site, 1), let.jti, 0)
    assert await desk.admit(EVENT, account(site, 1), None) == let
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).in_flight == 1


async def test_a_visit_that_sales_knows_to_be_over_ends_here_too(site: Site):
    await arm(site)
    desk = desk_of(site)
    first = await desk.admit(EVENT, account(site, 1), None)
    assert isinstance(first, Let)
    second = await desk.admit(EVENT, account(site, 1), first.jti)
    assert isinstance(second, Let)
    assert second.jti != first.jti
    assert await desk.admit(EVENT, account(site, 1), first.jti) == second
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).in_flight == 1


async def test_while_somebody_waits_programs_are_told_so(site: Site):
    await arm(site)
    await site.rooms.configure(EVENT, {"ceiling": 1}, "Dana")
    desk = desk_of(site)
    assert isinstance(await desk.admit(EVENT, account(site, 1), None), Let)
    assert await desk.admit(EVENT, account(site, 2), None) == Busy("ceiling", 3000)
    await site.visitor().post(f"/rooms/{EVENT}/entries")
    assert await desk.admit(EVENT, account(site, 2), None) == Busy("waiting", 1000)
    await site.rooms.configure(EVENT, {"state": "held"}, "Dana")
    assert await desk.admit(EVENT, account(site, 2), None) == Busy("held", 1000)


async def test_the_rate_is_the_gates(site: Site):
    await site.rooms.configure(EVENT, {"rate_per_minute": 60}, "Dana")
    await arm(site)
    desk = desk_of(site)
    said = [await desk.admit(EVENT, account(site, n), None) for n in range(3)]
    assert isinstance(said[0], Let)
    assert said[1:] == [Busy("rate", 1000)] * 2


async def test_a_room_of_another_mode_lets_nobody_in_or_everybody(site: Site):
    desk = desk_of(site)
    assert await desk.admit(EVENT, account(site, 1), None) is None
    await site.rooms.configure(EVENT, {"mode": "on"}, "Dana")
    assert await desk.admit(EVENT, account(site, 1), None) == Busy("queue-only", 1000)


async def test_when_redis_or_the_room_is_away_the_answer_is_no_answer(site: Site, monkeypatch):
    await arm(site)

    async def gone(*_: object) -> None:
        raise RedisAway

    monkeypatch.setattr(site.rooms, "admit", gone)
    desk = desk_of(site)
    with pytest.raises(RoomAway):
        await desk.admit(EVENT, account(site, 1), None)
    with pytest.raises(RoomAway):
        await desk.admit(77, account(site, 1), None)
    desk._client = httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url=HOST)
    with pytest.raises(RoomAway):
        await desk.admit(EVENT, account(site, 1), None)


@pytest.mark.parametrize("path", ["/service/traffic", "/service/admissions"])
async def test_nobody_but_our_own_processes_may_call(site: Site, tmp_path: Path, path: str):
    stranger = tokens_of(site, Keyring(tmp_path / "stranger")).header("waitingroom")
    elsewhere = tokens_of(site).header("admin")
    old = tokens_of(site).header("waitingroom")
    site.clock.advance(600)
    a_pass = site.keyring.sign("pass", {"aud": "waitingroom", "nbf": 0, "exp": 2**40}, typ="x")
    for headers in ({}, stranger, elsewhere, old, {"authorization": f"Bearer {a_pass}"}):
        answer = await site.visitor().post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-a-service")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("traffic", {"teller": "a b", "events": {}}),
        ("traffic", {"teller": "sales", "events": {"1": [[0, -1]]}}),
        ("traffic", {"teller": "sales", "events": {"1": [[0, 10**7]]}}),
        ("traffic", {"teller": "sales", "events": {"1": [[0, 1]] * 21}}),
        ("traffic", {"teller": "sales", "events": [], "more": 1}),
        ("admissions", {"event": 0, "subject": "s" * 22}),
        ("admissions", {"event": 1, "subject": "s" * 23}),
        ("admissions", {"event": 1, "subject": "nameless:1"}),
        ("admissions", {"event": 1, "subject": "s" * 22, "over": ""}),
        ("admissions", []),
    ],
)
async def test_malformed_words_are_refused_and_change_nothing(site: Site, path: str, body: object):
    header = tokens_of(site).header("waitingroom")
    answer = await site.visitor().post(f"/service/{path}", json=body, headers=header)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-input")
    assert await site.redis.exists(keys.traffic(EVENT), keys.leases(EVENT)) == 0


async def test_events_without_a_room_are_passed_over(site: Site):
    header = tokens_of(site).header("waitingroom")
    body = {"teller": "sales", "events": {"77": [[0, 5]], "x": [], "1": [[0, 5]], "9" * 40: []}}
    answer = await site.visitor().post("/service/traffic", json=body, headers=header)
    assert answer.status_code == 204
    assert await site.redis.exists(keys.traffic(77)) == 0
    assert await site.redis.exists(keys.traffic(EVENT)) == 1


async def test_what_is_told_every_second_is_no_line_of_the_log_unless_it_is_refused(site: Site):
    header = tokens_of(site).header("waitingroom")
    body = {"teller": "sales", "events": {"1": [[0, 5]]}}
    with capture_logs() as lines:
        await site.visitor().post("/service/traffic", json=body, headers=header)
        assert lines == []
        await site.visitor().post("/service/traffic", json=body)
    assert [(line["path"], line["refused"]) for line in lines] == [
        ("/service/traffic", "not-a-service")
    ]


async def test_fifty_programs_at_once_get_what_the_gate_gives(site: Site):
    await site.rooms.configure(EVENT, {"rate_per_minute": 600, "ceiling": 7}, "Dana")
    await arm(site)
    desk = desk_of(site)
    said = await asyncio.gather(*(desk.admit(EVENT, account(site, n), None) for n in range(50)))
    assert sum(isinstance(one, Let) for one in said) == 7
