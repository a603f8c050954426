"""A visitor's place on another device: by signing in there, or by a link that is good once."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, HOST, HTML, Site
from waitingroom.claims import NotCalled
from waitingroom.entries import GenerationOver, NoEntry
from waitingroom.handover import LIFE_S

DRAWN = 2
ROOM, PAGE = f"/rooms/{EVENT}", f"/queue/{EVENT}"


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    site = Site(redis_rooms, clock, tmp_path)
    await site.open(rate_per_minute=600)
    return site


async def standing(site: Site, account: int | None = None) -> httpx.AsyncClient:
    """Somebody with a place."""
    visitor = site.visitor(account)
    assert (await visitor.post(f"{ROOM}/entries")).status_code == 201
    return visitor


async def link_of(visitor: httpx.AsyncClient) -> str:
    """The token of a fresh link."""
    answer = await visitor.post(f"{ROOM}/handovers")
    assert answer.status_code == 201
    url: str = answer.json()["url"]
    assert url.startswith(f"{HOST}{PAGE}/handover?token=")
    return parse_qs(urlsplit(url).query)["token"][0]


async def take(visitor: httpx.AsyncClient, token: str, event: int = EVENT) -> httpx.Response:
    return await visitor.post(
        f"/queue/{event}/handover", data={"token": token}, headers={"accept": "application/json"}
    )


async def number_of(visitor: httpx.AsyncClient) -> Any:
    answer = await visitor.get(f"{ROOM}/entries/me")
    return answer.json().get("number", answer.json().get("code"))


async def test_who_signs_in_on_another_browser_has_the_same_place_there(site: Site):
    await standing(site)
    at_home = await standing(site, account=7)
    at_work = site.visitor(account=7)
    again = await at_work.post(f"{ROOM}/entries")
    assert (again.status_code, again.json()["number"]) == (200, 2)
    await site.move(1)
    assert (await at_work.post(f"{ROOM}/claims")).status_code == 201
    assert (await at_home.post(f"{ROOM}/claims")).status_code == 201


async def test_a_link_moves_the_place_and_the_old_device_is_told(site: Site):
    laptop, phone = await standing(site), site.visitor()
    taken = await take(phone, await link_of(laptop))
    assert (taken.status_code, taken.headers["location"]) == (303, PAGE)
    assert await number_of(phone) == 1
    assert await number_of(laptop) == "no-entry"
    assert 'data-shows="moved"' in (await laptop.get(PAGE, headers=HTML)).text
    await site.move(1)
    assert (await laptop.post(f"{ROOM}/claims")).status_code == 404
    assert (await phone.post(f"{ROOM}/claims")).status_code == 201


async def test_a_link_is_good_once_even_after_the_place_came_back(site: Site):
    laptop, phone = await standing(site), site.visitor()
    token = await link_of(laptop)
    assert (await take(phone, token)).status_code == 303
    assert (await take(site.visitor(), token)).json()["code"] == "handover-used"
    assert (await take(laptop, await link_of(phone))).status_code == 303
    assert await number_of(laptop) == 1
    again = await take(site.visitor(), token)
    assert (again.status_code, again.json()["code"]) == (410, "handover-used")


async def test_a_double_press_of_the_button_is_no_error(site: Site):
    laptop, phone = await standing(site), site.visitor()
    token = await link_of(laptop)
    for _ in range(2):
        taken = await take(phone, token)
        assert (taken.status_code, taken.headers["location"]) == (303, PAGE)
    assert await number_of(phone) == 1


async def test_a_link_expires(site: Site, clock: ManualClock):
    laptop = await standing(site)
    token = await link_of(laptop)
    clock.advance(LIFE_S)
    late = await take(site.visitor(), token)
    assert (late.status_code, late.json()["code"]) == (410, "handover-expired")
    assert await number_of(laptop) == 1


async def test_a_link_of_another_event_or_line_is_refused(site: Site):
    await site.open(2)
    laptop = await standing(site)
    token = await link_of(laptop)
    foreign = await take(site.visitor(), token, event=2)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "handover-foreign")
    await site.rooms.reset(EVENT, "Dana")
    await site.rooms.reader.refresh()
    old = await take(site.visitor(), token)
    assert (old.status_code, old.json()["code"]) == (410, "generation-over")


@pytest.mark.parametrize("spoil", [lambda t: t[:-2], lambda t: "9" + t, lambda t: t * 4])
async def test_a_link_that_is_not_ours_moves_nothing(site: Site, spoil: Any):
    laptop = await standing(site)
    forged = await take(site.visitor(), spoil(await link_of(laptop)))
    assert (forged.status_code, forged.json()["code"]) == (403, "handover-forged")
    assert await number_of(laptop) == 1


async def test_a_program_takes_a_place_with_the_token_of_the_link(site: Site):
    laptop, phone = await standing(site), site.visitor(account=7)
    offered = (await laptop.post(f"{ROOM}/handovers")).json()
    assert offered["url"].endswith(f"?token={offered['token']}")
    bodies: list[Any] = [
        {},
        {"token": ""},
        {"token": "x" * 301},
        {"token": 7},
        [],
        {"token": "x", "y": 1},
    ]
    for body in bodies:
        refused = await phone.post(f"{ROOM}/takeovers", json=body)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad-input")
    forged = await phone.post(f"{ROOM}/takeovers", json={"token": offered["token"] + "A"})
    assert (forged.status_code, forged.json()["code"]) == (403, "handover-forged")
    taken = await phone.post(f"{ROOM}/takeovers", json={"token": offered["token"]})
    assert (taken.status_code, taken.json()["number"]) == (200, 1)
    bearer = {"authorization": f"Entry {taken.json()['entry']}"}
    assert (await site.visitor().get(f"{ROOM}/entries/me", headers=bearer)).json()["number"] == 1
    assert await number_of(phone) == 1
    assert await number_of(laptop) == "no-entry"
    again = await site.visitor().post(f"{ROOM}/takeovers", json={"token": offered["token"]})
    assert (again.status_code, again.json()["code"]) == (410, "handover-used")


async def test_opening_the_link_moves_nothing_until_the_button_is_pressed(site: Site):
    laptop, phone = await standing(site), site.visitor()
    token = await link_of(laptop)
    page = await phone.get(f"{PAGE}/handover", params={"token": token}, headers=HTML)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert f'name="token" value="{token}"' in page.text
    assert await number_of(laptop) == 1


async def test_who_opens_the_own_link_keeps_place_and_link(site: Site):
    laptop = await standing(site)
    token = await link_of(laptop)
    assert (await take(laptop, token)).status_code == 303
    assert await number_of(laptop) == 1
    assert (await take(site.visitor(), token)).status_code == 303


async def test_a_better_place_is_not_lost_to_a_worse_one(site: Site):
    aru, bek = await standing(site), await standing(site)
    refused = await take(aru, await link_of(bek))
    assert (refused.status_code, refused.json()["code"]) == (409, "handover-needless")
    assert [await number_of(aru), await number_of(bek)] == [1, 2]
    assert (await take(bek, await link_of(aru))).status_code == 303
    assert await number_of(bek) == 1
    await site.move(2)
    # Nobody waits any more: the worse number was given up.
    snapshot = site.rooms.snapshot(EVENT)
    assert (snapshot.serving, snapshot.waiting) == (1, 0)


async def test_a_place_that_was_used_or_left_cannot_be_handed_over(site: Site):
    aru, bek = await standing(site), await standing(site)
    token = await link_of(bek)
    await bek.delete(f"{ROOM}/entries/me")
    gone = await take(site.visitor(), token)
    assert (gone.status_code, gone.json()["code"]) == (410, "handover-gone")
    await site.move(1)
    await aru.post(f"{ROOM}/claims")
    inside = await aru.post(f"{ROOM}/handovers")
    assert (inside.status_code, inside.json()["code"]) == (410, "lapsed")
    assert (await site.visitor().post(f"{ROOM}/handovers")).status_code == 404


async def test_the_page_shows_the_link_and_its_picture(site: Site):
    laptop = await standing(site)
    assert f'action="{PAGE}/handovers"' in (await laptop.get(PAGE, headers=HTML)).text
    page = await laptop.post(f"{PAGE}/handovers", headers=HTML)
    assert re.search(rf'href="{HOST}{PAGE}/handover\?token=[\w.-]+"', page.text)
    assert 'src="data:image/svg+xml' in page.text


async def test_a_link_made_before_the_draw_hands_over_the_drawn_place(
    redis_rooms: Redis, clock: ManualClock, tmp_path: Path
):
    site = Site(redis_rooms, clock, tmp_path)
    now_ms = clock.ms()
    await site.open(
        mode="scheduled", prequeue_at=now_ms - 1, opens_at=now_ms + 10_000, rate_per_minute=1
    )
    crowd = [await standing(site) for _ in range(7)]
    laptop, phone = crowd[3], site.visitor()
    token = await link_of(laptop)
    await site.move(10.25)
    taken = await take(phone, token)
    assert taken.status_code == 303
    drawn = sorted(
        [await number_of(one) for one in [*crowd[:3], *crowd[4:]]] + [await number_of(phone)]
    )
    assert drawn == [1, 2, 3, 4, 5, 6, 7]
    assert await number_of(laptop) == "no-entry"
    again = await take(site.visitor(), token)
    assert (again.status_code, again.json()["code"]) == (410, "handover-used")
    # And a link made after the draw, of a place that came from it.
    tablet = site.visitor()
    number = await number_of(phone)
    assert (await take(tablet, await link_of(phone))).status_code == 303
    assert await number_of(tablet) == number


async def test_who_gave_a_place_away_before_the_draw_keeps_the_one_taken_since(site: Site):
    now = site.clock.ms()
    await site.open(DRAWN, mode="scheduled", prequeue_at=now - 1_000, opens_at=now + 2_000)
    given = (await site.rooms.join(DRAWN, "aru")).entry
    token, _ = await site.rooms.hand_over(given)
    await site.rooms.take_over(DRAWN, token, "bek")
    taken = (await site.rooms.join(DRAWN, "aru")).entry
    await site.rooms.configure(DRAWN, {"state": "paused"}, "Dana")
    await site.move(3)
    assert site.rooms.snapshot(DRAWN).settings.is_drawn
    with pytest.raises(NoEntry):
        await site.rooms.claim(given)
    with pytest.raises(NotCalled):
        await site.rooms.claim(taken)


async def test_of_a_line_that_began_anew_nobody_is_told_who_has_the_place(site: Site):
    """Neither of the line nor of the lane, which nobody reads any more."""
    card = site.rooms.invitations.write(
        EVENT, lane="fans", until_s=site.clock.ms() // 1000 + 60, subject=""
    )
    invite = site.rooms.invitations.read(EVENT, card, "aru")
    for who, invitation in (("aru", invite), ("dana", None)):
        given = (await site.rooms.join(EVENT, who, invite=invitation)).entry
        token, _ = await site.rooms.hand_over(given)
        await site.rooms.take_over(EVENT, token, "bek" if invitation else "ermek")
        await site.rooms.reset(EVENT, "Dana")
        await site.rooms.reader.refresh()
        for verb in (site.rooms.leave, site.rooms.claim, site.rooms.heartbeat, site.rooms.place):
            with pytest.raises(GenerationOver):
                await verb(given)
