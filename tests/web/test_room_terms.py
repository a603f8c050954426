"""What a room's own terms change at its door: staff, networks, rules that only count."""

from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.subjects import subject_of
from tests.web.room_site import EVENT, HTML, Site
from tests.web.test_room_calls import code_of
from waitingroom.settings import BadSetting
from waitingroom.tallies import tell_tallies

ROOM, PAGE = f"/rooms/{EVENT}", f"/queue/{EVENT}"
DANA = 42


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


def subject(site: Site, account: int) -> str:
    return subject_of(site.keyring.secret("subject"), "account", account)


async def put(site: Site, **changes: object) -> None:
    await site.rooms.configure(EVENT, changes, "Dana")
    await site.rooms.reader.refresh()


async def test_staff_are_let_in_at_once_past_everybody_who_waits(site: Site):
    await site.open(rate_per_minute=60, ceiling=2, proof_bits=8)
    await put(site, staff=subject(site, DANA))
    for account in range(1, 6):
        await site.visitor(account).post(f"{ROOM}/entries")
    dana = site.visitor(DANA)
    joined = await dana.post(f"{ROOM}/entries")
    assert (joined.status_code, joined.json()["stage"]) == (201, "called")
    assert 'data-shows="called"' in (await dana.get(PAGE, headers=HTML)).text
    assert (await dana.post(f"{ROOM}/claims")).status_code == 201
    assert (await dana.get(f"{ROOM}/entries/me")).json()["stage"] == "inside"
    await site.move(1.5)
    snapshot = site.rooms.snapshot(EVENT)
    assert snapshot.lane
    assert (snapshot.in_flight, snapshot.lane.waiting) == (1, 0)
    # Nobody lost a place or a turn.
    first = await site.visitor(1).post(f"{ROOM}/entries")
    assert (first.json()["number"], first.json()["stage"]) == (1, "called")


async def test_the_gate_counts_staff_like_everybody(site: Site):
    await site.open(rate_per_minute=60, ceiling=1)
    await put(site, staff=f"{subject(site, DANA)} {subject(site, 43)}")
    dana, second = site.visitor(DANA), site.visitor(43)
    for visitor in (dana, second):
        await visitor.post(f"{ROOM}/entries")
    assert (await dana.post(f"{ROOM}/claims")).status_code == 201
    refused = await second.post(f"{ROOM}/claims")
    assert (code_of(refused), refused.json()["reason"]) == ((409, "gate-full"), "ceiling")
    await put(site, ceiling=5)
    refused = await second.post(f"{ROOM}/claims")
    assert (code_of(refused), refused.json()["reason"]) == ((409, "gate-full"), "rate")
    await site.move(1)
    assert (await second.post(f"{ROOM}/claims")).status_code == 201
    await put(site, state="held")
    third = site.visitor(44)
    await put(site, staff=subject(site, 44))
    await third.post(f"{ROOM}/entries")
    assert code_of(await third.post(f"{ROOM}/claims")) == (409, "gate-full")


async def test_who_is_no_longer_staff_waits_like_everybody(site: Site):
    await site.open(rate_per_minute=60, state="paused")
    await put(site, staff=subject(site, DANA))
    dana = site.visitor(DANA)
    await dana.post(f"{ROOM}/entries")
    await put(site, staff="")
    assert (await dana.get(f"{ROOM}/entries/me")).json()["stage"] == "waiting"
    assert code_of(await dana.post(f"{ROOM}/claims")) == (409, "not-called")


def caller(site: Site, address: str, account: int | None = None) -> httpx.AsyncClient:
    visitor = site.visitor(account)
    visitor._transport = httpx.ASGITransport(site.app, client=(address, 1))
    return visitor


async def test_networks_of_the_room_meet_no_budget_and_no_proof(site: Site):
    await site.open(proof_bits=8)
    await put(site, allowed_networks="198.51.100.0/24 2001:db8::/48")
    probe = caller(site, "198.51.100.7")
    assert (await probe.post(f"{ROOM}/entries")).status_code == 201
    storm = [await probe.post(f"{ROOM}/entries") for _ in range(400)]
    assert {answer.status_code for answer in storm} == {200}
    stranger = caller(site, "203.0.113.7")
    assert code_of(await stranger.post(f"{ROOM}/entries")) == (403, "proof-required")
    # Nobody there is called before their turn.
    assert (await probe.get(f"{ROOM}/entries/me")).json()["stage"] == "waiting"


async def test_looking_takes_no_place_however_often(site: Site):
    await site.open()
    probe = site.visitor()
    probe.headers["user-agent"] = "uptime-probe/1.0"
    for path in (PAGE, f"{PAGE}?return_to=/events/1", f"{PAGE}/place", f"{ROOM}/status"):
        for _ in range(3):
            assert (await probe.get(path, headers=HTML)).status_code == 200
    await probe.head(PAGE)
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).issued == 0


async def test_a_rule_is_made_to_count_only_in_one_room(site: Site):
    await site.open()
    await site.open(2)
    await put(site, count_only="join-subject")
    aru = site.visitor(account=7)
    for event, codes in ((EVENT, {200}), (2, {200, 429})):
        await aru.post(f"/rooms/{event}/entries")
        answers = [await aru.post(f"/rooms/{event}/entries") for _ in range(400)]
        assert {answer.status_code for answer in answers} == codes
        # One account has one budget, wherever it asks.
        site.clock.advance(400)


async def test_what_the_door_did_is_told_room_by_room(site: Site, monkeypatch: pytest.MonkeyPatch):
    await site.open()
    aru = site.visitor(account=7)
    for _ in range(310):
        await aru.post(f"{ROOM}/entries")

    class Enough(Exception):
        pass

    calls = 0

    async def once(_: float) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise Enough

    monkeypatch.setattr("waitingroom.tallies.asyncio.sleep", once)
    with pytest.raises(Enough):
        await tell_tallies(site.rooms.door, site.rooms)
    told = await site.rooms.tally(EVENT)
    assert (told["join-subject passed"], told["join-subject refused"]) == (300, 10)
    assert site.rooms.door.take_tallies() == {}


async def test_one_device_with_many_accounts_has_one_budget(site: Site):
    await site.open()
    device = {"cookie": f"biletter_device={'d' * 22}"}
    answers = [
        await site.visitor(account).post(f"{ROOM}/entries", headers=device)
        for account in range(100, 100 + 650)
    ]
    assert {answer.status_code for answer in answers[:600]} == {201}
    assert (code_of(answers[-1]), answers[-1].json()["reason"]) == (
        (429, "too-many-joins"),
        "join-device",
    )
    assert (await site.visitor(account=7).post(f"{ROOM}/entries")).status_code == 201


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("staff", "dana@mail.kz"),
        ("staff", " ".join(["A" * 22] * 51)),
        ("allowed_networks", "everybody"),
        ("allowed_networks", "0.0.0.0/0"),
        ("allowed_networks", "::/0"),
        ("allowed_networks", "10.0.0.1/8"),
        ("allowed_networks", " ".join(["192.0.2.0/24"] * 51)),
        ("count_only", "join-everybody"),
        ("lane_share", 0),
        ("lane_share", 101),
        ("lane_share", "50"),
    ],
)
async def test_terms_that_make_no_sense_are_refused(site: Site, field: str, wrong: object):
    await site.open()
    with pytest.raises(BadSetting) as refused:
        await put(site, **{field: wrong})
    assert refused.value.extra["setting"] == field
