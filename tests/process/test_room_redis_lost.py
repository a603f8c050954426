"""The room's Redis is killed in the middle of a sale and comes back: whole, empty, or old."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from biletter.redis_address import open_redis
from kernel.clock import ManualClock
from kernel.errors import Refusal
from tests.process.machine import Machine
from tests.web.room_site import EVENT, HTML, Site
from waitingroom.recovery import ISSUED_GAP
from waitingroom.store import RoomAway

pytestmark = pytest.mark.process
ROOM = f"/rooms/{EVENT}"
LAPSE_S = 900


@pytest.fixture
async def redis(machine: Machine) -> AsyncIterator[Redis]:
    client = open_redis(await machine.start())
    yield client
    await client.aclose()


@pytest.fixture
async def site(redis: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis, clock, tmp_path)


async def crowd(site: Site, count: int, first: int = 1):
    """People with accounts, each with a place."""
    people = [site.visitor(account) for account in range(first, first + count)]
    for person in people:
        assert (await person.post(f"{ROOM}/entries")).status_code == 201
    return people


async def let_in_during(site: Site, people, seconds: int):
    """Time goes by; those of these people who were let in."""
    inside: list[httpx.AsyncClient] = []
    for _ in range(seconds):
        await site.move(1.0)
        for person in people:
            if person not in inside and (await person.post(f"{ROOM}/claims")).status_code == 201:
                inside.append(person)
    return inside


async def number_of(person) -> int:
    return int((await person.get(f"{ROOM}/entries/me")).json()["number"])


async def test_while_redis_is_away_places_are_told_and_nobody_is_let_in(
    machine: Machine, site: Site
):
    await site.open(rate_per_minute=60)
    aru, bek = await crowd(site, 2)
    await site.move(1.5)
    token = (await aru.post(f"{ROOM}/claims")).json()["pass"]
    machine.kill()
    for _ in range(8):
        site.clock.advance(0.25)
        with suppress(RoomAway):
            await site.rooms.tick_all("ticker")
        await site.rooms.reader.refresh()
    place = await bek.get(f"{ROOM}/entries/me")
    assert (place.status_code, place.json()["number"]) == (200, 2)
    assert place.json()["age_s"] >= 1
    assert (await bek.get(f"{ROOM}/status")).json()["age_s"] >= 1
    for method, call in (("POST", "entries"), ("POST", "claims"), ("POST", "heartbeats")):
        answer = await bek.request(method, f"{ROOM}/{call}")
        assert (answer.status_code, answer.json()["code"]) == (503, "room-away")
        assert "сохранён" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) >= 1
    page = await bek.get(f"/queue/{EVENT}", headers=HTML)
    assert page.status_code == 200
    assert "2" in page.text
    # Inside nobody notices: passes and keys are checked without Redis.
    header = {"x-queue-pass": token}
    assert (await aru.get("/authorize?event=1", headers=header)).status_code == 204
    await machine.start()
    await site.move(1.0)
    assert (await bek.post(f"{ROOM}/heartbeats")).status_code == 204


@pytest.mark.parametrize("loss", ["empty", "old"])
async def test_after_a_loss_no_number_is_given_twice_and_everybody_keeps_theirs(
    machine: Machine, site: Site, loss: str
):
    await site.open(rate_per_minute=60)
    early = await crowd(site, 6)
    await machine.keep_copy()
    late = await crowd(site, 5, first=7)
    await site.move(4.0)
    serving = site.rooms.snapshot(EVENT).serving
    assert serving >= 3
    machine.kill()
    machine.empty() if loss == "empty" else machine.bring_back_copy()
    await machine.start()
    # Whoever comes first, before anything was noticed: a new number above all of the old ones.
    ermek = site.visitor(99)
    joined = await ermek.post(f"{ROOM}/entries")
    assert joined.json()["number"] == 11 + ISSUED_GAP + 1
    await site.rooms.reader.refresh()
    for number, person in enumerate([*early, *late], start=1):
        assert await number_of(person) == number
        again = await person.post(f"{ROOM}/entries")
        assert (again.status_code, again.json()["number"]) == (200, number)
    assert site.rooms.snapshot(EVENT).serving >= serving
    # The gap is nobody's: it stands in nobody's way and isn't counted.
    place = (await ermek.get(f"{ROOM}/entries/me")).json()
    assert place["ahead"] == 11 - site.rooms.snapshot(EVENT).serving


@pytest.mark.parametrize("loss", ["empty", "old"])
async def test_after_a_loss_the_gate_is_not_breached(machine: Machine, site: Site, loss: str):
    await site.open(rate_per_minute=60, ceiling=4, grace_seconds=600)
    people = await crowd(site, 12)
    await machine.keep_copy()
    inside = await let_in_during(site, people, 12)
    assert len(inside) == 4
    tokens = [person.cookies[f"biletter_entry_{EVENT}"] for person in inside]
    subjects = [site.rooms.book.read(token, EVENT).subject for token in tokens]
    for subject in subjects:
        assert await site.rooms.keep(EVENT, subject, site.clock.ms() + LAPSE_S * 1000)
    await site.rooms.reader.refresh()
    machine.kill()
    machine.empty() if loss == "empty" else machine.bring_back_copy()
    await machine.start()
    await site.rooms.reader.refresh()
    assert site.rooms.snapshot(EVENT).in_flight == 4
    # The full house stays full, and a used number opens nothing a second time.
    assert await let_in_during(site, [p for p in people if p not in inside], 10) == []
    if loss == "empty":
        assert await let_in_during(site, inside, 1) == []
    # One of those inside goes home, and their visit was told twice.
    assert await site.rooms.free(EVENT, subjects[0], "jti-0")
    assert not await site.rooms.free(EVENT, subjects[0], "jti-0")
    assert len(await let_in_during(site, people[4:], 70)) == 1


async def test_after_a_loss_the_gate_opens_slowly(machine: Machine, site: Site):
    await site.open(rate_per_minute=600, ceiling=1000)
    people = await crowd(site, 40)
    await site.move(2.0)
    machine.kill()
    machine.empty()
    await machine.start()
    await site.rooms.reader.refresh()
    let_in: list[int] = []
    inside: set[int] = set()
    for second in range(16):
        await site.move(1.0)
        for index, person in enumerate(people):
            if index in inside:
                continue
            with suppress(Refusal):
                if (await person.post(f"{ROOM}/claims")).status_code == 201:
                    inside.add(index)
                    let_in.append(second)
    # Ten a second is the rate; the first ten seconds together give less than two seconds' worth.
    first_ten = sum(second < 10 for second in let_in)
    assert 5 <= first_ten <= 25
    assert sum(second < 1 for second in let_in) <= 2


async def test_a_room_that_was_reset_stays_reset(machine: Machine, site: Site):
    await site.open(rate_per_minute=60)
    aru = (await crowd(site, 1))[0]
    await machine.keep_copy()
    site.clock.advance(5)
    settings = await site.rooms.reset(EVENT, "Dana")
    await site.rooms.configure(EVENT, {"rate_per_minute": 77}, "Dana")
    await site.rooms.reader.refresh()
    machine.kill()
    machine.bring_back_copy()
    await machine.start()
    await site.rooms.reader.refresh()
    after = await site.rooms.settings(EVENT)
    assert (after.generation, after.rate_per_minute) == (settings.generation, 77)
    answer = await aru.get(f"{ROOM}/entries/me")
    assert (answer.status_code, answer.json()["code"]) == (410, "generation-over")


async def test_the_leader_after_a_loss_has_a_higher_fence(machine: Machine, site: Site):
    await site.open()
    before = await site.rooms.lead("one")
    machine.kill()
    machine.empty()
    await machine.start()
    site.clock.advance(1)
    after = await site.rooms.lead("two")
    assert before is not None
    assert after is not None
    assert after > before
