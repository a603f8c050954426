"""The door of the waiting room: refusals over the wire, and proofs of work where a room asks."""

import re
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HTML, Site
from waitingroom.proof import WAIT_S, zero_bits

ROOM, PAGE = f"/rooms/{EVENT}", f"/queue/{EVENT}"


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


def work(asked: dict[str, object]) -> dict[str, str]:
    proofs = (f"{asked['challenge']}.{n}" for n in range(1_000_000))
    return {
        "proof": next(
            p for p in proofs if zero_bits(sha256(p.encode()).digest()) >= int(str(asked["bits"]))
        )
    }


async def test_ten_thousand_joins_by_one_account_are_one_place_and_soon_refused(site: Site):
    await site.open()
    aru, bek = site.visitor(account=7), site.visitor(account=8)
    answers = [await aru.post(f"{ROOM}/entries") for _ in range(400)]
    assert {answer.status_code for answer in answers} == {200, 201, 429}
    refused = answers[-1]
    assert (refused.json()["code"], refused.json()["reason"]) == ("too-many-joins", "join-subject")
    assert int(refused.headers["retry-after"]) >= 1
    assert (await aru.get(f"{ROOM}/entries/me")).json()["number"] == 1
    assert (await bek.post(f"{ROOM}/entries")).json()["number"] == 2


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-site"}], ids=["hot", "routed"])
async def test_a_storm_of_heartbeats_costs_neither_the_place_nor_the_claim(
    site: Site, headers: dict[str, str]
):
    await site.open(rate_per_minute=600)
    aru = site.visitor(account=7)
    await aru.post(f"{ROOM}/entries")
    beats = [await aru.post(f"{ROOM}/heartbeats", headers=headers) for _ in range(70)]
    assert beats[0].status_code == 204
    assert (beats[-1].status_code, beats[-1].json()["code"]) == (429, "too-many-heartbeats")
    await site.move(2)
    assert (await aru.post(f"{ROOM}/claims", headers=headers)).status_code == 201


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-site"}], ids=["hot", "routed"])
async def test_claims_before_the_call_are_refused_when_there_are_too_many(
    site: Site, headers: dict[str, str]
):
    await site.open(state="paused")
    aru = site.visitor(account=7)
    await aru.post(f"{ROOM}/entries")
    claims = [await aru.post(f"{ROOM}/claims", headers=headers) for _ in range(130)]
    assert (claims[0].status_code, claims[0].json()["code"]) == (409, "not-called")
    assert (claims[-1].status_code, claims[-1].json()["code"]) == (429, "too-many-claims")


async def test_a_room_that_asks_for_work_gives_no_number_without_it(site: Site):
    await site.open(proof_bits=8)
    aru = site.visitor()
    asked = await aru.post(f"{ROOM}/entries")
    assert (asked.status_code, asked.json()["code"]) == (403, "proof-required")
    assert (await aru.post(f"{ROOM}/entries", json={"proof": "x.1"})).status_code == 403
    joined = await aru.post(f"{ROOM}/entries", json=work(asked.json()))
    assert (joined.status_code, joined.json()["number"]) == (201, 1)
    again = await aru.post(f"{ROOM}/entries")
    assert (again.status_code, again.json()["number"]) == (200, 1)


async def test_the_work_of_one_browser_is_no_good_in_another(site: Site):
    await site.open(proof_bits=8)
    aru, ermek = site.visitor(), site.visitor()
    proof = work((await aru.post(f"{ROOM}/entries")).json())
    await ermek.post(f"{ROOM}/entries")
    refused = await ermek.post(f"{ROOM}/entries", json=proof)
    assert (refused.status_code, refused.json()["reason"]) == (403, "foreign")


async def test_who_has_signed_in_is_asked_for_no_work(site: Site):
    await site.open(proof_bits=8)
    assert (await site.visitor(account=7).post(f"{ROOM}/entries")).status_code == 201


async def test_a_browser_without_scripts_waits_instead(site: Site, clock: ManualClock):
    await site.open(proof_bits=8)
    aru = site.visitor()
    page = await aru.get(PAGE, headers=HTML)
    early = await press_join(aru, page)
    assert early.status_code == 303
    page = await aru.get(early.headers["location"], headers=HTML)
    assert 'data-shows="before"' in page.text
    assert f"через {WAIT_S} с" in page.text
    clock.advance(WAIT_S)
    assert (await press_join(aru, page)).status_code == 303
    assert 'data-shows="waiting"' in (await aru.get(PAGE, headers=HTML)).text


async def press_join(visitor: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
    proof = re.search(r'name="proof" value="([\w.-]+)"', page.text)
    assert proof
    return await visitor.post(f"{PAGE}/join", data={"proof": proof[1]}, headers=HTML)
