"""The best seats in one tap, over the pages, without a line of JavaScript."""

import pytest

from tests.flow.shop import BASE, open_shop
from tests.halls import build_event
from tests.web.sales_site import SalesSite
from tests.web.test_pages_buying import _page


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path, title="Вечер домбры")
    made = SalesSite(shop, clock, tmp_path)
    await made.people()
    yield made
    made.passwords.close()


@pytest.fixture
async def bek(site):
    return await site.signed_in("bek")


def form(page, event_id):
    """What a tap on the form of this page sends besides the number."""
    assert page.all("form", action=f"/events/{event_id}/best")
    return {name: page.all("input", name=name)[0]["value"] for name in ("zone", "has")}


async def test_three_together_in_one_tap_on_the_zone_s_page(site, bek):
    event_id = site.shop.event_id
    page = await bek.see(f"/events/{event_id}/zones/1")
    assert [one["value"] for one in page.all("button", name="count")] == list("123456")
    answer = await bek.submit(f"/events/{event_id}/best", count=3, **form(page, event_id))
    assert answer.status_code == 303
    order = await bek.see(answer.headers["location"])
    assert "ряд 1, место 1" in order.words
    assert "ряд 1, место 3" in order.words
    assert "соседних рядах" not in order.words


async def test_a_second_tap_of_the_same_page_takes_nothing_more(site, bek):
    event_id = site.shop.event_id
    page = await bek.see(f"/events/{event_id}/zones/1")
    first, second = [
        await bek.submit(f"/events/{event_id}/best", count=2, **form(page, event_id))
        for _ in range(2)
    ]
    assert first.headers["location"] == second.headers["location"]
    assert len((await site.shop.holds.of_account(site.ids["bek"]))[0].seats) == 2
    page = await bek.see(f"/events/{event_id}/zones/1")
    assert [one["value"] for one in page.all("button", name="count")] == list("1234")
    await bek.submit(f"/events/{event_id}/best", count=1, **form(page, event_id))
    assert len((await site.shop.holds.of_account(site.ids["bek"]))[0].seats) == 3


async def test_who_may_not_have_more_is_told_so_before_choosing(site, bek):
    event_id = site.shop.event_id
    await site.shop.db.execute("UPDATE event SET person_limit = 2")
    site.shop.catalogue.forget(event_id)
    order = await site.shop.hold(0, 1, buyer=site.ids["bek"])
    page = await bek.see(f"/events/{event_id}/zones/1")
    assert "У вас уже 2 места в заказе" in page.words
    assert "Можно добавить ещё" not in page.words
    assert "Больше мест в заказ добавить нельзя" in page.words
    await site.shop.orders.place(order.id, site.ids["bek"], BASE)
    site.shop.gateway.pay()
    await site.shop.later(6)
    for path in (f"/events/{event_id}/zones/1", f"/events/{event_id}"):
        page = await bek.see(path)
        assert not page.all("button", name="count")
        assert ("сколько можно одному человеку" in page.words) == ("zones" in path)
    await site.shop.db.execute("UPDATE ticket SET refund_until = 'infinity'")
    await site.shop.refunds.ask(order.id, site.ids["bek"])
    page = await bek.see(f"/events/{event_id}/zones/1")
    assert [one["value"] for one in page.all("button", name="count")] == ["1", "2"]


async def test_the_event_s_page_offers_every_zone_that_has_something(site, bek):
    event_id = site.shop.event_id
    page = await bek.see(f"/events/{event_id}")
    assert [one["value"] for one in page.all("option")] == ["1", "2"]
    answer = await bek.submit(f"/events/{event_id}/best", count=2, zone=2, has=0)
    assert "Балкон" in (await bek.see(answer.headers["location"])).words


async def test_what_is_not_in_one_row_is_told(site, bek):
    event_id = site.shop.event_id
    answer = await bek.submit(f"/events/{event_id}/best", count=5, zone=1, has=0)
    assert answer.headers["location"].endswith("?fit=rows")
    assert "в двух соседних рядах" in (await bek.see(answer.headers["location"])).words
    ermek = await site.signed_in("ermek")
    answer = await ermek.submit(f"/events/{event_id}/best", count=3, zone=1, has=0)
    page = _page(answer)
    assert answer.status_code == 419
    assert "не осталось столько свободных мест" in page.words
    assert page.seats("free")


async def test_nothing_odd_is_offered_or_taken(site, bek):
    event_id, shop = site.shop.event_id, site.shop
    stranger = site.browser()
    answer = await stranger.submit(f"/events/{event_id}/best", count=2, zone=2, has=0)
    assert answer.headers["location"].startswith("/sign-in?next=")
    for fields in ({"count": "0"}, {"count": "-3"}, {"count": "two"}, {}):
        answer = await bek.submit(f"/events/{event_id}/best", zone=1, has=0, **fields)
        assert answer.status_code == 400
    assert (await bek.submit(f"/events/{event_id}/best", zone=1, count=2)).status_code == 400
    assert (await bek.submit(f"/events/{event_id}/best", zone=9, count=2, has=0)).status_code == 404
    assert (await bek.submit(f"/events/{event_id}/best", zone=1, count=7, has=0)).status_code == 419
    assert await shop.holds.of_account(site.ids["bek"]) == []
    closed = await build_event(shop.db, state="closed")
    page = await bek.see(f"/events/{closed}")
    assert not page.all("form", action=f"/events/{closed}/best")
