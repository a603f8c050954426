"""The room before somebody else's site: where it leads, and what it does not lead to.

Alone there is no shop at all; beside a shop one room's event may be of another site.
"""

import re
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from kernel.web.links import Links
from tests.web.room_site import EVENT, HOST, HTML, LINKS, SHOP, Site

PAGE, ROOM = f"/queue/{EVENT}", f"/rooms/{EVENT}"
PORTS = {"waitingroom": 18201, "admin": 18202}
OTHER = "https://other.example"
GALA = f"{SHOP}/gala?day=2"
# Whatever would lead to the shop: its port, and its pages.
OF_THE_SHOP = re.compile(r"18200|/sign-in|/orders|/about-queue")


def alone(*sites: str) -> Links:
    return Links(ports=PORTS, sites=frozenset(sites))


@pytest.fixture
def build(redis_rooms: Redis, clock: ManualClock, tmp_path: Path):
    return lambda links: Site(redis_rooms, clock, tmp_path, links)


async def text_of(browser: httpx.AsyncClient, path: str = PAGE) -> str:
    answer = await browser.get(path, headers=HTML)
    assert not OF_THE_SHOP.search(answer.text)
    return answer.text


@pytest.mark.parametrize(
    ("links", "site_url", "home"),
    [
        (alone(SHOP), "", f"{SHOP}/"),
        (alone(SHOP, OTHER), GALA, GALA),
        (alone(SHOP, OTHER), "", ""),
        (LINKS, GALA, GALA),
    ],
    ids=["the only site", "the room's site", "no site is meant", "beside a shop"],
)
async def test_the_pages_of_a_room_lead_to_its_site_and_never_to_a_shop(
    build, links: Links, site_url: str, home: str
):
    site = build(links)
    await site.open(rate_per_minute=600, places_max=2, site_url=site_url)
    aru, bek, ermek = site.visitor(), site.visitor(), site.visitor()
    shown = {"before": await text_of(aru)}
    for browser in (aru, bek):
        await browser.post(f"{PAGE}/join", data={})
    shown["waiting"] = await text_of(aru)
    assert "Место закреплено за этим браузером." in shown["waiting"]
    shown["crowded"] = await text_of(ermek)
    shown["handover"] = (await bek.post(f"{PAGE}/handovers", headers=HTML)).text
    link = re.search(r'href="(http[^"]*/handover\?[^"]*)"', shown["handover"])
    assert link
    shown["take"] = await text_of(ermek, link[1].replace("&amp;", "&"))
    await site.move(2)
    shown["called"] = await text_of(aru)
    for name, text in shown.items():
        brand = re.search(r'<a class="brand" href="([^"]*)"', text)
        assert (brand[1] if brand else "") == home, name
        assert not OF_THE_SHOP.search(text), name
    claim = await aru.post(f"{PAGE}/claim", data={}, headers=HTML)
    if home:
        assert 'action="/queue/1/onward"' in claim.text
        assert f'name="return_to" value="{home}"' in claim.text
    else:  # the turn is not used up by a page that can't lead on
        assert (claim.status_code, claim.headers["location"]) == (303, PAGE)
        assert "Мы не знаем, на какой сайт вас провести." in shown["called"]
        assert 'id="enter"' not in shown["called"]
        assert 'data-shows="called"' in await text_of(aru)
        back = f"{PAGE}?return_to={OTHER}/concert"
        assert 'action="/queue/1/onward"' in await text_of(aru, back)


@pytest.mark.parametrize(
    ("links", "site_url", "expected"),
    [
        (alone(SHOP), "", f"{SHOP}/"),
        (alone(SHOP, OTHER), GALA, GALA),
        (alone(SHOP, OTHER), "", None),
        (LINKS, GALA, GALA),
        (LINKS, "", "http://localhost:18200/enter"),
        (LINKS, f"{OTHER}/gala", "http://localhost:18200/enter"),
    ],
)
@pytest.mark.parametrize("is_hot", [True, False])
async def test_a_program_is_told_where_its_pass_is_good(
    build, links: Links, site_url: str, expected: str | None, *, is_hot: bool
):
    """A page that the room would not lead to counts as none."""
    site = build(links)
    await site.open(rate_per_minute=600, site_url=site_url)
    aru = site.visitor()
    headers = {} if is_hot else {"origin": HOST}
    await aru.post(f"{ROOM}/entries")
    await site.move(1)
    claimed = await aru.post(f"{ROOM}/claims", headers=headers)
    assert (claimed.status_code, claimed.json()["enter_url"]) == (201, expected)
    left = await aru.delete(f"{ROOM}/entries/me", headers={"accept": "application/json"})
    assert left.json().get("leave_url") == (
        "http://localhost:18200/leave" if expected and expected.endswith("/enter") else None
    )
    await site.rooms.configure(EVENT, {"mode": "off"}, "Dana")
    await site.rooms.reader.refresh()
    off = (await site.visitor().post(f"{ROOM}/entries", headers=headers)).json()
    page = (
        "http://localhost:18200/events/1" if expected and expected.endswith("/enter") else expected
    )
    assert (off["code"], off.get("enter_url")) == ("room-off", page)


async def test_an_error_and_the_bare_address_lead_to_the_only_site(build):
    visitor = build(alone(SHOP)).visitor()
    assert f'href="{SHOP}/">На сайт' in await text_of(visitor, "/queue/9")
    assert (await visitor.get("/")).headers["location"] == f"{SHOP}/"
    assert (await build(alone()).visitor().get("/")).status_code == 404


async def test_nginx_is_led_to_the_page_where_nobody_knows_the_site(build):
    site = build(alone(SHOP, OTHER))
    await site.open()
    visitor = site.visitor()
    asked = {"x-original-uri": "https://elsewhere.example/", "accept": "text/html"}
    answer = await visitor.get(f"/authorize?event={EVENT}", headers=asked)
    assert (answer.status_code, answer.headers["location"]) == (
        401,
        f"http://localhost:18201{PAGE}",
    )


@pytest.mark.parametrize(
    "url", ["gala", "ftp://shop.example/", "https://a b", "https://me@shop.example/", "https:///x"]
)
async def test_a_page_that_is_no_address_is_refused(build, url: str):
    site = build(LINKS)
    await site.open()
    answer = None
    with pytest.raises(Exception, match="Нужен адрес") as refused:
        answer = await site.rooms.configure(EVENT, {"site_url": url}, "Dana")
    assert answer is None
    assert refused.value.extra == {"setting": "site_url"}  # type: ignore[attr-defined]  # BadSetting
