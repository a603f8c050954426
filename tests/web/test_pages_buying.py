"""A buyer's way over the pages, without a line of JavaScript."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sales.geometry import Zone
from tests.halls import build_event
from tests.web.sales_site import HOST, Page, open_site, take


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    async with open_site(db, redis_shop, clock, tmp_path, title="Вечер домбры") as made:
        yield made


@pytest.fixture
async def bek(site):
    return await site.signed_in("bek")


async def test_bek_takes_two_seats_pays_and_sees_two_tickets(site, bek):
    order = await take(bek, site.shop.event_id, 0, 1)
    page = await bek.see(order)
    assert "Места ваши, осталось оплатить" in page.words
    assert "Оплатить 10 000 ₸" in page.words
    paying = await bek.submit(f"{order}/payment")
    assert paying.headers["location"].startswith("http://gateway/form/")
    site.shop.gateway.pay()
    back = await bek.get(f"{order}/return?outcome=success")
    assert back.headers["location"] == order
    page = await bek.see(order)
    assert "Билеты ваши!" in page.words
    assert len(page.all("svg", **{"class": "qr"})) == 2
    sheet = await bek.see(f"{order}/tickets")
    assert len(sheet.all("article")) == 2
    assert "Бек" in sheet.words
    assert f"{order}" in (await bek.see("/orders")).links()


async def test_who_is_not_signed_in_comes_back_to_the_same_choice(site):
    event_id = site.shop.event_id
    browser = site.browser()
    answer = await browser.submit(
        f"/events/{event_id}/holds", zone="1", block="1", seats=["2", "3"]
    )
    place = answer.headers["location"]
    assert answer.status_code == 303
    assert place.startswith("/sign-in?next=%2Fevents%2F")
    answer = await browser.submit(
        place, email="bek@demo.biletter.kz", password="bek-password", next=_next_of(place)
    )
    page = await browser.see(answer.headers["location"])
    assert page.seats("chosen") == [2, 3]


async def test_a_lost_seat_is_named_and_the_others_stay_chosen(site, bek):
    event_id = site.shop.event_id
    ermek = await site.signed_in("ermek")
    await take(ermek, event_id, 4)
    answer = await bek.submit(
        f"/events/{event_id}/holds", zone="1", block="1", seats=["3", "4", "5"]
    )
    assert answer.status_code == 419
    page = _page(answer)
    assert "ряд 2, место 2" in page.words
    assert page.seats("chosen") == [3, 5]
    assert 4 in page.seats("taken")
    # Nothing was held of what could have been.
    assert (await site.shop.holds.of_account(site.ids["bek"])) == []


async def test_nothing_chosen_and_too_much_chosen_are_told_on_the_map(site, bek):
    event_id = site.shop.event_id
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1")
    assert answer.status_code == 400
    assert "Не выбрано ни одного места" in _page(answer).words
    many = [str(seat) for seat in range(7)]
    answer = await bek.submit(f"/events/{event_id}/holds", zone="1", seats=many)
    assert answer.status_code == 419
    assert len(_page(answer).seats("chosen")) == 6


async def test_seats_are_added_to_the_open_order_and_given_back_one_by_one(site, bek):
    event_id = site.shop.event_id
    order = await take(bek, event_id, 0)
    assert await take(bek, event_id, 1) == order
    page = await bek.see(f"/events/{event_id}/zones/1")
    assert "У вас уже 2" in page.words
    answer = await bek.submit(f"{order}/release", seats="0")
    assert answer.headers["location"] == order
    page = await bek.see(order)
    assert "ряд 1, место 2" in page.words
    assert "ряд 1, место 1 " not in page.words


async def test_a_hold_that_ran_out_says_so_and_nothing_was_charged(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    site.clock.advance(601)
    page = await bek.see(order)
    assert "С карты ничего не списано" in page.words
    assert "Выбрать места снова" in page.words
    paying = await bek.submit(f"{order}/payment")
    assert paying.status_code == 419


async def test_cancelling_frees_the_seats_and_twice_is_once(site, bek):
    order = await take(bek, site.shop.event_id, 0, 1)
    for _ in range(2):
        assert (await bek.submit(f"{order}/cancel")).headers["location"] == order
    page = await bek.see(order)
    assert "Заказ отменён" in page.words
    assert (await site.shop.seats())[:2] == "FF"


async def test_the_mark_changes_when_the_page_would(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    before = (await bek.get(f"{order}/state.json")).json()
    assert before == (await bek.get(f"{order}/state.json")).json()
    await bek.submit(f"{order}/payment")
    assert (await bek.get(f"{order}/state.json")).json()["mark"] != before["mark"]


async def test_a_foreign_order_is_nobodys_business(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    ermek = await site.signed_in("ermek")
    for path in ("", "/state.json", "/tickets", "/return", "/calendar.ics"):
        assert (await ermek.get(order + path)).status_code == 403
    for path in ("/payment", "/cancel", "/release"):
        assert (await ermek.post(order + path, data={"seats": "0"})).status_code == 403
    assert "ждёт оплаты" not in (await ermek.see("/orders")).words


async def test_a_stranger_is_asked_to_sign_in_and_comes_back(site):
    answer = await site.browser().get("/orders/5")
    assert answer.headers["location"] == "/sign-in?next=/orders/5"


async def test_tickets_that_are_not_there_yet_lead_to_the_order(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    assert (await bek.get(f"{order}/tickets")).headers["location"] == order


async def test_my_orders_hide_empty_envelopes(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    assert "ждёт оплаты" in (await bek.see("/orders")).words
    site.clock.advance(601)
    page = await bek.see("/orders")
    assert order not in page.links()
    assert "Здесь появятся ваши заказы" in page.words


async def test_a_paid_order_gives_a_calendar_entry(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    answer = await bek.get(f"{order}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:Вечер домбры" in answer.text.replace("\r\n ", "")
    assert f"URL:{HOST}{order}" in answer.text.replace("\r\n ", "")


async def test_an_order_of_two_zones_adds_up(site, bek):
    zones = (Zone(1, "Партер", 500_000, 1, (3,), 0, 3), Zone(2, "Балкон", 300_050, 2, (3,), 3, 3))
    event_id = await build_event(site.shop.db, zones)
    order = await take(bek, event_id, 0, 4)
    page = await bek.see(order)
    assert "8 000,50 ₸" in page.words


def _page(answer: httpx.Response) -> Page:
    return Page(answer.text)


def _next_of(place: str) -> str:
    return parse_qs(urlsplit(place).query)["next"][0]
