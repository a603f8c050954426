"""Pages that anybody may read: the afisha, an event, the seat map."""

from datetime import timedelta

import pytest

from tests.flow.shop import open_shop
from tests.halls import START, big_zones, build_event
from tests.web.sales_site import HOST, SalesSite


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path, title="Вечер домбры", hall="Дворец")
    made = SalesSite(shop, clock, tmp_path)
    await made.people()
    yield made
    made.passwords.close()


async def test_the_afisha_groups_what_is_on_by_day(site):
    await build_event(site.shop.db, title="Той", starts_at=START + timedelta(days=1), kind="toi")
    page = await site.browser().see("/")
    assert [one["id"] for one in page.all("h2", **{"class": "day-stub"})] == [
        "day-2026-07-01",
        "day-2026-07-02",
    ]
    assert "Вечер домбры" in page.words
    assert "от 3 000 ₸" in page.words
    assert f"/events/{site.shop.event_id}" in page.links()


async def test_a_search_keeps_its_words_in_every_link(site):
    page = await site.browser().see("/?query=домбр&kind=concert")
    assert "Вечер домбры" in page.words
    assert "/?query=%D0%B4%D0%BE%D0%BC%D0%B1%D1%80&date=2026-06-01&kind=concert" in page.links()


async def test_a_search_for_nothing_leads_back(site):
    page = await site.browser().see("/?query=зебра")
    assert "Ничего не нашлось" in page.words


async def test_a_day_that_is_none_is_told_and_the_rest_still_works(site):
    page = await site.browser().see("/?date=2026-02-31&query=домбр&page=x")
    assert "Такой даты нет" in page.words
    assert "Вечер домбры" in page.words


async def test_more_events_than_a_page_are_leafed_through(site):
    for day in range(24):
        await build_event(site.shop.db, title=f"Показ {day}", starts_at=START + timedelta(days=day))
    first = await site.browser().see("/")
    assert "/?page=2" in first.links()
    second = await site.browser().see("/?page=2")
    assert "Показ 23" in second.words
    assert "/?page=3" not in second.links()


async def test_an_event_tells_zones_prices_and_what_is_free(site):
    page = await site.browser().see(f"/events/{site.shop.event_id}")
    assert "свободно 7 из 7" in page.words
    assert "5 000 ₸" in page.words
    assert f"/events/{site.shop.event_id}/zones/2" in page.links()
    assert "очередь" not in page.words.replace("Как работает очередь", "").lower()


async def test_in_the_plan_each_zone_is_named_along_its_own_band(site):
    page = await site.browser().see(f"/events/{site.shop.event_id}")
    spines = {one["id"]: one["d"] or "" for one in page.all("path") if "id" in one}
    assert [one["href"] for one in page.all("textpath")] == [f"#{name}" for name in spines]
    assert len(spines) == 2
    inner, outer = (spine.partition("A")[2].split()[0] for spine in spines.values())
    assert float(inner) < float(outer)


async def test_an_unknown_event_is_a_page_that_says_so(site):
    page = await site.browser().see("/events/999999", 404)
    assert "event-unknown" in page.words


async def test_an_event_that_is_over_or_cancelled_offers_no_seats(site):
    for columns, words in (
        ({"state": "cancelled"}, "Мероприятие отменено"),
        ({"state": "closed"}, "Продажа билетов закрыта"),
        ({"starts_at": START - timedelta(days=60)}, "уже прошло"),
    ):
        event_id = await build_event(site.shop.db, **columns)
        page = await site.browser().see(f"/events/{event_id}")
        assert words in page.words
        assert f"/events/{event_id}/zones/1" not in page.links()
        # The map may still be looked at, and nothing can be marked.
        assert not (await site.browser().see(f"/events/{event_id}/zones/1")).seats("free")


async def test_a_guarded_event_explains_the_queue_and_leads_there(site):
    event_id = await build_event(site.shop.db, guarded=True)
    page = await site.browser().see(f"/events/{event_id}")
    queue = f"http://localhost:18601/queue/{event_id}?return_to=http%3A//localhost%3A18600/events/"
    assert any(link.startswith(queue) for link in page.links())
    seats = await site.browser().see(f"/events/{event_id}/zones/1")
    assert not seats.seats("free")
    assert "встаньте в очередь" in seats.words


async def test_a_guarded_event_whose_room_is_off_is_sold_like_any_other(site):
    event_id = await build_event(site.shop.db, guarded=True)
    site.shop.modes.off.add(event_id)
    assert "Встать в очередь" not in (await site.browser().see(f"/events/{event_id}")).words
    assert len((await site.browser().see(f"/events/{event_id}/zones/1")).seats("free")) == 7


async def test_the_map_of_a_small_zone_shows_all_its_seats(site):
    shop = site.shop
    await shop.hold(0, 1, buyer=9)
    page = await site.browser().see(f"/events/{shop.event_id}/zones/1")
    assert page.seats("taken") == [0, 1]
    assert page.seats("free") == [2, 3, 4, 5, 6]


async def test_the_map_of_a_stadium_shows_one_block_and_the_way_to_the_others(site):
    event_id = await build_event(site.shop.db, big_zones())
    page = await site.browser().see(f"/events/{event_id}/zones/2?block=6")
    assert len(page.seats("free")) == 500
    assert page.seats("free")[0] == 200 * 100 + 20 * 100 + 25
    assert len([one for one in page.all("a") if "data-span" in one]) == 40


async def test_an_unknown_zone_is_told(site):
    page = await site.browser().see(f"/events/{site.shop.event_id}/zones/7", 404)
    assert "zone-unknown" in page.words


@pytest.mark.parametrize("asked", ["seats=1,x", "seats=" + ",".join(map(str, range(200)))])
async def test_a_choice_that_is_none_is_refused_in_a_sentence(site, asked):
    page = await site.browser().see(f"/events/{site.shop.event_id}/zones/1?{asked}", 400)
    assert "bad-input" in page.words


async def test_a_choice_of_seats_that_do_not_exist_marks_nothing(site):
    page = await site.browser().see(f"/events/{site.shop.event_id}/zones/1?seats=2,900000,99")
    assert page.seats("chosen") == [2]


async def test_language_links_keep_the_question_and_the_choice_is_remembered(site):
    browser = site.browser()
    page = await browser.see("/?query=домбр&lang=en")
    assert page.all("html", lang="en")
    assert "/?lang=kk&query=%D0%B4%D0%BE%D0%BC%D0%B1%D1%80" in page.links()
    assert (await browser.see("/")).all("html", lang="en")


@pytest.mark.parametrize(
    "path", ["/", "/about-queue", "/events/{event}", "/events/{event}/zones/1"]
)
async def test_no_page_needs_what_the_content_policy_forbids(site, path):
    answer = await site.browser().get(path.format(event=site.shop.event_id))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    page = await site.browser().see(path.format(event=site.shop.event_id))
    assert not [found for _, found in page.tags if "style" in found]
    assert all("src" in script for script in page.all("script"))
    assert not page.all("style")


async def test_small_files_are_there(site):
    browser = site.browser()
    assert "Disallow: /orders" in (await browser.get("/robots.txt")).text
    icon = await browser.get("/favicon.ico")
    assert icon.headers["location"].startswith("/static/icon.svg")
    assert (await browser.get(icon.headers["location"])).status_code == 200


async def test_pages_name_their_host_only_in_links_to_other_processes(site):
    page = await site.browser().see(f"/events/{site.shop.event_id}/zones/1")
    outside = [link for link in page.links() if link.startswith("http")]
    assert all(link.startswith(HOST) for link in outside)


@pytest.mark.parametrize(
    "spelling", ["{:02d}_0", "%EF%BC%91", "+{}", "%20{}", "{}%20", "{}_0", "%0a{}"]
)
async def test_an_id_is_plain_digits_and_nothing_else(site, spelling):
    browser, odd = site.browser(), spelling.format(site.shop.event_id)
    for path in (f"/events/{odd}", f"/events/{site.shop.event_id}/zones/{odd}"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "Такой страницы нет" in answer.text
        answer = await browser.get(path, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "name",
    ["%00", "a%00.css", "x" * 300, "x" * 5000, "..%2fREADME.md", "a/b", "%D1%8F.css", ".", ""],
)
async def test_a_static_file_that_cannot_be_is_not_found(site, name):
    answer = await site.browser().get(f"/static/{name}", headers={"accept": "*/*"})
    assert answer.status_code == 404
    assert (await site.browser().get("/static/app.css")).status_code == 200
