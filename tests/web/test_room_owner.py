"""A place has one owner: who gave it away has nothing, also after Redis has forgotten it all."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, Site
from waitingroom import keys

ROOM = f"/rooms/{EVENT}"
OVER = (404, "no-entry", "handed-over")


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    site = Site(redis_rooms, clock, tmp_path)
    await site.open(rate_per_minute=600, state="paused")
    return site


class Holder:
    """Somebody with a place, or with one that was given to them; whatever happens, they keep the
    entry that they have, as a program does.
    """

    def __init__(self, site: Site, browser: httpx.AsyncClient, entry: str) -> None:
        self.site, self.browser = site, browser
        self.header = {"authorization": f"Entry {entry}"}

    @classmethod
    async def join(cls, site: Site, account: int | None = None) -> "Holder":
        browser = site.visitor(account)
        return cls(site, browser, (await browser.post(f"{ROOM}/entries")).json()["entry"])

    async def give(self, account: int | None = None) -> "Holder":
        offered = await self.ask("POST", "handovers")
        browser = self.site.visitor(account)
        body = {"token": offered.json()["token"]}
        taken = await browser.post(f"{ROOM}/takeovers", json=body)
        assert taken.status_code == 200, taken.text
        return Holder(self.site, browser, taken.json()["entry"])

    async def ask(self, method: str, path: str, site: Site | None = None) -> httpx.Response:
        room = (site or self.site).visitor()
        return await room.request(method, f"{ROOM}/{path}", headers=self.header)

    async def word(self, method: str, path: str, site: Site | None = None) -> Any:
        """The status, and where there is one the number or the refusal."""
        answer = await self.ask(method, path, site)
        if not answer.content:
            return answer.status_code
        told = answer.json()
        if answer.is_success:
            return answer.status_code, told.get("number")
        return answer.status_code, told["code"], told.get("reason")


async def lose(site: Site, *, owners_too: bool = False) -> None:
    """Redis forgets everything; `owners_too`: and so does every process, of who owns what."""
    if owners_too:
        known = site.rooms.reader.memory.of(EVENT)
        assert known
        known.owners.clear()
    await site.redis.flushall()
    await site.rooms.reader.refresh()


async def test_the_entry_of_whoever_gave_the_place_is_no_sign_of_life(site: Site):
    giver = await Holder.join(site)
    taker = await giver.give()
    for method, path in (("POST", "heartbeats"), ("GET", "entries/me"), ("POST", "claims")):
        assert await giver.word(method, path) == OVER, path
    for method, path in (("DELETE", "entries/me"), ("POST", "handovers")):
        assert await giver.word(method, path) == OVER, path
    assert await taker.word("POST", "heartbeats") == 204
    assert await taker.word("GET", "entries/me") == (200, 1)


async def test_another_process_hears_of_it_with_its_next_reading(
    site: Site, redis_rooms: Redis, clock: ManualClock, tmp_path: Path
):
    other = Site(redis_rooms, clock, tmp_path)
    giver = await Holder.join(site)
    await other.rooms.reader.refresh()
    assert await giver.word("POST", "heartbeats", other) == 204
    taker = await giver.give()
    await other.rooms.reader.refresh()
    assert await giver.word("POST", "heartbeats", other) == OVER
    assert await giver.word("GET", "entries/me", other) == OVER
    assert await taker.word("GET", "entries/me", other) == (200, 1)


async def test_a_device_whose_place_became_its_accounts_owns_it_no_more(site: Site):
    device = await Holder.join(site)
    device.browser.headers["x-account"] = "7"
    joined = (await device.browser.post(f"{ROOM}/entries")).json()
    assert joined["number"] == 1
    account = Holder(site, device.browser, joined["entry"])
    assert await device.word("POST", "heartbeats") == OVER
    await lose(site)
    assert await device.word("GET", "entries/me") == OVER
    assert await account.word("GET", "entries/me") == (200, 1)


async def test_a_lost_redis_makes_nobody_owner_again_of_what_they_gave_away(site: Site):
    giver, bystander = await Holder.join(site), await Holder.join(site)
    taker = await giver.give()
    await site.rooms.reader.refresh()
    await lose(site)
    await site.rooms.configure(EVENT, {"state": "open"}, "Dana")
    await site.move(70)
    # The giver comes first, and to a process that has only heard of it by Redis.
    assert await giver.word("POST", "claims") == OVER
    assert await taker.word("POST", "claims") == (201, None)
    assert await bystander.word("POST", "claims") == (201, None)


async def test_where_nobody_remembers_the_newest_entry_that_is_shown_is_the_owners(site: Site):
    first = await Holder.join(site)
    second = await first.give()
    third = await second.give(account=3)
    await lose(site, owners_too=True)
    await site.move(1)
    # Nothing is known of others yet: the place is shown to whoever has an entry of it.
    assert await first.word("GET", "entries/me") == (200, 1)
    again = await first.browser.post(f"{ROOM}/entries", headers=first.header)
    assert again.json()["number"] == 1
    joined = await third.browser.post(f"{ROOM}/entries", headers=third.header)
    assert joined.json()["number"] == 1
    await site.rooms.configure(EVENT, {"state": "open"}, "Dana")
    await site.move(70)
    for former in (first, second):
        assert await former.word("POST", "claims") == OVER
    assert await third.word("POST", "claims") == (201, None)
    # And who gave it away stands at the end of the line, not in somebody's place.
    fresh = await first.browser.post(f"{ROOM}/entries")
    assert (fresh.status_code, fresh.json()["number"] > 1) == (201, True)


async def test_an_owner_who_joins_again_keeps_the_newer_entry(site: Site):
    giver = await Holder.join(site)
    taker = await giver.give()
    entry = (await taker.browser.post(f"{ROOM}/entries")).json()["entry"]
    assert site.rooms.book.read(entry, EVENT).hands == 1
    fresh = Holder(site, taker.browser, entry)
    await lose(site, owners_too=True)
    await site.move(1)
    again = await giver.browser.post(f"{ROOM}/entries", headers=giver.header)
    assert again.json()["number"] == 1
    shown = await fresh.browser.post(f"{ROOM}/entries", headers=fresh.header)
    assert shown.json()["number"] == 1
    await site.rooms.reader.refresh()
    assert await giver.word("POST", "heartbeats") == OVER


async def test_owners_follow_the_draw(redis_rooms: Redis, clock: ManualClock, tmp_path: Path):
    site = Site(redis_rooms, clock, tmp_path)
    now_ms = clock.ms()
    await site.open(mode="scheduled", prequeue_at=now_ms, opens_at=now_ms + 5_000)
    giver, _ = await Holder.join(site), await Holder.join(site)
    taker = await giver.give()
    await site.move(6)
    number = (await taker.ask("GET", "entries/me")).json()["number"]
    generation = site.rooms.snapshot(EVENT).settings.generation
    owner: Any = await site.redis.hget(keys.owners(EVENT, generation), str(number))
    assert owner.startswith(b"1:")
    assert await giver.word("GET", "entries/me") == OVER
    await lose(site)
    await taker.ask("POST", "heartbeats")
    await site.move(70)
    await taker.ask("POST", "claims")  # who was called is forgotten: the next call is theirs
    await site.move(1)
    assert await giver.word("POST", "claims") == OVER
    assert await taker.word("POST", "claims") == (201, None)
