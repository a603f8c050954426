"""The queue page in its states, without its script, and while Redis is away."""

import re
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HTML, Site

PAGE = f"/queue/{EVENT}"
EVENT_PAGE = "http://localhost:18200/events/1"


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


async def shows(visitor: httpx.AsyncClient, path: str = PAGE) -> tuple[str, str]:
    """The state that the page shows, and its text."""
    answer = await visitor.get(path, headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    found = re.search(r'data-shows="(\w+)"', answer.text)
    assert found
    return found[1], answer.text


async def press(visitor: httpx.AsyncClient, verb: str, back: str = "") -> httpx.Response:
    form = {"return_to": back} if back else {}
    return await visitor.post(f"{PAGE}/{verb}", data=form, headers=HTML)


class Cord:
    """A connection to Redis that can be pulled out and put back; without retries, as in service."""

    def __init__(self, redis: "Redis") -> None:
        self._path = redis.connection_pool.connection_kwargs["path"]
        self.redis = Redis(unix_socket_path=self._path, retry=Retry(NoBackoff(), 0))

    async def pull_out(self) -> None:
        await self._lead_to("/nowhere/redis.sock")

    async def put_back(self) -> None:
        await self._lead_to(self._path)

    async def _lead_to(self, path: str) -> None:
        pool = self.redis.connection_pool
        await pool.disconnect()
        pool.reset()
        pool.connection_kwargs["path"] = path


async def test_a_whole_way_through_without_scripts(site: Site):
    await site.open(rate_per_minute=60, title="Селеста Морейра")
    aru, bek = site.visitor(), site.visitor()
    state, text = await shows(aru)
    assert state == "before"
    assert "Селеста Морейра" in text
    await press(bek, "join")
    joined = await press(aru, "join", EVENT_PAGE)
    assert joined.status_code == 303
    state, text = await shows(aru, joined.headers["location"])
    assert state == "waiting"
    assert "<noscript><meta http-equiv=" in text
    await site.move(3)
    state, text = await shows(aru)
    assert state == "called"
    assert "http-equiv" not in text
    entered = await press(aru, "claim", EVENT_PAGE)
    assert entered.status_code == 200
    assert 'action="http://localhost:18200/enter"' in entered.text
    assert f'name="return_to" value="{EVENT_PAGE}"' in entered.text
    token = re.search(r'name="pass" value="([\w.-]+)"', entered.text)
    assert token
    now_s = site.clock.ms() / 1000
    assert site.keyring.verify("pass", token[1], typ="pass+jwt", audience="1", now_s=now_s)
    assert (await shows(aru))[0] == "inside"
    aru.cookies.set(f"biletter_pass_{EVENT}", token[1])
    state, text = await shows(aru)
    assert state == "inside"
    assert "/queue/1/claim" not in text


async def test_no_button_is_offered_for_a_pass_that_has_been_used_elsewhere(site: Site):
    await site.open(rate_per_minute=60, pass_seconds=30)
    phone = site.visitor(account=7)
    await press(phone, "join")
    await site.move(2)
    await press(phone, "claim")
    entry = site.rooms.book.read(phone.cookies[f"biletter_entry_{EVENT}"], EVENT)
    await site.rooms.keep(EVENT, entry.subject, site.clock.ms() + 600_000)
    tablet = site.visitor(account=7)
    await press(tablet, "join")
    state, text = await shows(tablet)
    assert state == "inside"
    assert "/queue/1/claim" in text
    site.clock.advance(31)
    await site.rooms.reader.refresh()
    state, text = await shows(tablet)
    assert state == "inside"
    assert "/queue/1/claim" not in text
    assert f'href="{EVENT_PAGE}"' in text


async def test_leaving_by_the_button_is_told_and_can_be_undone_at_the_end_of_the_line(site: Site):
    await site.open(rate_per_minute=1)
    aru = site.visitor()
    await press(aru, "join")
    left = await press(aru, "leave")
    assert left.status_code == 303
    assert (await shows(aru, left.headers["location"]))[0] == "left"
    await press(aru, "join")
    _, text = await shows(aru)
    assert "<strong>2</strong>" in text


async def test_a_page_in_another_tab_never_shows_an_error_for_what_has_changed(site: Site):
    await site.open(rate_per_minute=1)
    aru = site.visitor()
    await press(aru, "join")
    early = await press(aru, "claim")
    assert (early.status_code, early.headers["location"]) == (303, PAGE)
    await press(aru, "leave")
    assert (await press(aru, "leave")).status_code == 303


@pytest.mark.parametrize(("state", "shown"), [("paused", "paused"), ("held", "paused")])
async def test_a_pause_says_that_the_place_is_kept(site: Site, state: str, shown: str):
    await site.open(state=state)
    aru = site.visitor()
    await press(aru, "join")
    await site.move(1)
    seen, text = await shows(aru)
    assert seen == shown
    assert "место сохраняется" in text
    assert re.search(r'id="queue-eta">—<', text)


async def test_a_full_gate_shows_that_the_turn_is_kept(site: Site):
    await site.open(rate_per_minute=6000, ceiling=2)
    aru, bek = site.visitor(), site.visitor()
    await press(bek, "join")
    await press(aru, "join")
    await site.move(1)
    await site.rooms.configure(EVENT, {"ceiling": 1}, "Dana")
    assert (await press(bek, "claim")).status_code == 200
    full = await press(aru, "claim")
    assert 'data-shows="full"' in full.text
    assert "Ваша очередь сохраняется" in full.text
    assert '<meta http-equiv="refresh"' in full.text


async def test_who_came_too_late_is_told_so_and_may_join_again(site: Site):
    await site.open(rate_per_minute=600, grace_seconds=30)
    aru = site.visitor()
    await press(aru, "join")
    await site.move(40)
    assert (await shows(aru))[0] == "lapsed"
    assert (await press(aru, "claim")).status_code == 303
    await press(aru, "join")
    assert (await shows(aru))[0] == "waiting"


async def test_a_visit_that_ended_is_told_so(site: Site):
    await site.open(rate_per_minute=600)
    aru = site.visitor()
    await press(aru, "join")
    await site.move(1)
    await press(aru, "claim")
    subject = site.rooms.book.read(aru.cookies[f"biletter_entry_{EVENT}"], EVENT).subject
    await site.rooms.free(EVENT, subject)
    assert (await shows(aru))[0] == "over"


async def test_a_room_that_is_off_leads_straight_to_the_event(site: Site):
    await site.open(mode="off")
    state, text = await shows(site.visitor(), f"{PAGE}?return_to=/events/1/seats")
    assert state == "off"
    assert 'href="http://localhost:18200/events/1/seats"' in text


@pytest.mark.parametrize("state", ["closed", "drained"])
async def test_a_closed_room_says_so(site: Site, state: str):
    await site.open(state=state)
    assert (await shows(site.visitor()))[0] == "closed"


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "x" * 3000, "\\\\evil"],
)
async def test_nobody_is_sent_to_an_unknown_host(site: Site, address: str):
    await site.open(mode="off")
    answer = await site.visitor().get(PAGE, params={"return_to": address}, headers=HTML)
    assert f'href="{EVENT_PAGE}"' in answer.text
    assert f'href="{address}"' not in answer.text


async def test_what_an_operator_writes_is_text_and_no_markup(site: Site):
    await site.open(title="<b>Звезда</b>", message="<script>alert(1)</script>")
    _, text = await shows(site.visitor())
    assert "<script>alert" not in text
    assert "&lt;b&gt;Звезда" in text


async def test_an_unknown_room_is_an_error_page(site: Site):
    await site.open()
    answer = await site.visitor().get("/queue/2", headers=HTML)
    assert answer.status_code == 404
    assert "room-unknown" in answer.text


async def test_who_signed_in_may_bind_the_place_to_the_account(site: Site):
    await site.open(rate_per_minute=1)
    aru = site.visitor()
    await press(aru, "join")
    assert "sign-in?next=" in (await shows(aru))[1]
    aru.headers["x-account"] = "7"
    assert "Закрепить место за мной" in (await shows(aru))[1]
    await press(aru, "join")
    _, text = await shows(aru)
    assert "Закрепить" not in text
    assert "<strong>1</strong>" in text


async def test_while_redis_is_away_the_numbers_are_kept_and_nobody_is_lied_to(
    redis_rooms: Redis, clock: ManualClock, tmp_path: Path
):
    cord = Cord(redis_rooms)
    site = Site(cord.redis, clock, tmp_path)
    await site.open(rate_per_minute=1)
    aru, bek, ermek = site.visitor(), site.visitor(), site.visitor()
    for one in (aru, bek):
        await press(one, "join")
    await site.move(1.25)
    await cord.pull_out()
    site.clock.advance(5)
    assert not await site.rooms.reader.refresh()
    status = (await ermek.get(f"/rooms/{EVENT}/status")).json()
    assert (status["issued"], status["age_s"]) == (2, 5)
    place = (await bek.get(f"/rooms/{EVENT}/entries/me")).json()
    assert (place["number"], place["age_s"]) == (2, 5)
    state, text = await shows(bek)
    assert state == "waiting"
    assert "Ваш номер сохранён" in text
    state, text = await shows(aru)
    assert state == "away"
    assert "Ваш номер 1 сохранён" in text
    assert (await shows(ermek))[0] == "away"
    for path, method in (("entries", "POST"), ("claims", "POST"), ("heartbeats", "POST")):
        answer = await aru.request(method, f"/rooms/{EVENT}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (503, "room-away")
        assert int(answer.headers["retry-after"]) >= 1
    await cord.put_back()
    assert await site.rooms.reader.refresh()
    assert (await bek.get(f"/rooms/{EVENT}/entries/me")).json()["age_s"] == 0
    assert (await aru.post(f"/rooms/{EVENT}/claims")).status_code == 201
    await cord.redis.aclose()


async def test_a_process_that_has_never_seen_redis_still_knows_the_number_by_its_signature(
    site: Site, clock: ManualClock, tmp_path: Path
):
    await site.open()
    aru = site.visitor()
    await press(aru, "join")
    other = Site(
        Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0)), clock, tmp_path
    )
    visitor = other.visitor()
    visitor.cookies = aru.cookies
    state, text = await shows(visitor)
    assert state == "away"
    assert "Ваш номер 1 сохранён" in text
    assert (await visitor.get(f"/rooms/{EVENT}/status")).status_code == 503
