"""The way of a buyer, as a buyer goes it."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import (
    DECLINED,
    GOOD,
    choose,
    cinema_zone,
    free_seats,
    new_email,
    pay,
    sign_up,
)

pytestmark = pytest.mark.browser


def order_of(page: Page) -> str:
    found = re.search(r"/orders/(\d+)", page.url)
    assert found
    return found.group(1)


def event_of(address: str) -> int:
    found = re.search(r"/events/(\d+)", address)
    assert found
    return int(found.group(1))


def sold_of(site: str, event: int) -> dict[str, Any]:
    answer = httpx.get(f"{site}/api/analytics", params={"id": event}, timeout=10)
    return dict(answer.json())


def test_the_star_concert_is_bought_through_the_queue(new_page, site):
    page = new_page()
    sign_up(page, site)
    before = sold_of(site, 1)
    page.goto(f"{site}/events/1")
    page.get_by_role("link", name="Встать в очередь").first.click()
    # The queue page joins, waits, is called, claims and enters by itself: nobody clicks "refresh".
    expect(page).to_have_url(re.compile(r"^[^?]*/events/1$"))
    expect(page.get_by_text("Вы внутри до")).to_be_visible()
    page.goto(f"{site}/events/1/zones/2")
    choose(page, 2)
    expect(page.locator("[data-until]")).to_be_visible()
    pay(page, GOOD)
    expect(page.get_by_role("heading", name="Билеты ваши!")).to_be_visible()
    expect(page.locator(".tickets svg.qr")).to_have_count(2)
    order = order_of(page)
    page.goto(f"{site}/orders")
    expect(page.locator(f'a[href="/orders/{order}"]').first).to_be_visible()
    page.goto(f"{site}/orders/{order}/tickets")
    expect(page.locator("svg.qr")).to_have_count(2)
    after = sold_of(site, 1)
    assert after["sold_seats"] - before["sold_seats"] == 2
    assert float(after["total_revenue"]) - float(before["total_revenue"]) == 160_000
    # The visit ended with the purchase: another one needs the queue again.
    page.goto(f"{site}/events/1")
    expect(page.get_by_text("Вы внутри до")).to_have_count(0)


def test_a_friend_buys_cinema_tickets_and_never_sees_a_queue(new_page, site):
    page = new_page(viewport={"width": 1280, "height": 860})
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))
    sign_up(page, site)
    page.goto(cinema_zone(page, site))
    choose(page, 2)
    pay(page, GOOD)
    expect(page.get_by_role("heading", name="Билеты ваши!")).to_be_visible()
    assert not any("/queue/" in url for url in visited)


def test_a_stranger_chooses_first_and_signs_in_later_with_the_choice_kept(new_page, site):
    page = new_page()
    page.goto(cinema_zone(page, site))
    chosen = free_seats(page).nth(1).locator("input").get_attribute("value")
    free_seats(page).nth(1).click()
    page.locator("#take").click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_role("link", name=re.compile("Зарегистр|Создать")).first.click()
    page.locator('[name="email"]').fill(new_email())
    page.locator('[name="password"]').fill("longer than eight")
    page.locator("main form button").first.click()
    expect(page).to_have_url(re.compile(r"/zones/1\?.*seats="))
    expect(page.locator(f'input[name="seats"][value="{chosen}"]')).to_be_checked()


def test_a_cancelled_order_gives_its_seats_back(new_page, site):
    page = new_page()
    sign_up(page, site)
    zone = cinema_zone(page, site)
    event = event_of(zone)
    page.goto(zone)
    choose(page, 3)
    assert sold_of(site, event)["reserved_seats"] >= 3
    held = sold_of(site, event)["reserved_seats"]
    page.get_by_role("button", name="Отменить заказ").click()
    expect(page.get_by_role("heading", name="Заказ отменён")).to_be_visible()
    expect(page.get_by_text("С карты ничего не списано.")).to_be_visible()
    assert held - sold_of(site, event)["reserved_seats"] == 3


def test_an_order_is_cancelled_while_its_payment_page_is_open(new_page, site):
    page = new_page()
    sign_up(page, site)
    page.goto(cinema_zone(page, site))
    choose(page, 1)
    order = order_of(page)
    page.get_by_role("button", name=re.compile("^Оплатить")).click()
    form = page.locator('[name="CardNumber"]')
    expect(form).to_be_visible()
    card_page = page.url
    page.goto(f"{site}/orders/{order}")
    page.get_by_role("button", name="Отменить заказ").click()
    expect(page.get_by_role("heading", name="Заказ отменён")).to_be_visible()
    # Nobody can pay for it any more.
    page.goto(card_page)
    expect(form).to_have_count(0)


def test_a_declined_card_takes_no_money_and_another_one_buys_the_same_seats(new_page, site):
    page = new_page()
    sign_up(page, site)
    zone = cinema_zone(page, site)
    event = event_of(zone)
    page.goto(zone)
    choose(page, 2)
    before = sold_of(site, event)
    pay(page, DECLINED)
    declined = page.get_by_role("heading", name="Банк отклонил платёж")
    expect(declined).to_be_visible()
    expect(page.get_by_text("С карты ничего не списано")).to_be_visible()
    waiting = sold_of(site, event)
    assert waiting["sold_seats"] == before["sold_seats"]
    assert waiting["reserved_seats"] == before["reserved_seats"], "the seats stay"
    pay(page, GOOD)
    expect(page.get_by_role("heading", name="Билеты ваши!")).to_be_visible()
    assert sold_of(site, event)["sold_seats"] - before["sold_seats"] == 2


def test_two_browsers_race_for_one_seat_and_the_slower_is_told_which(new_page, site):
    fast, slow = new_page(), new_page()
    sign_up(fast, site, "Ару")
    sign_up(slow, site)
    zone = cinema_zone(fast, site)
    fast.goto(zone)
    slow.goto(zone)
    seat = free_seats(fast).nth(4).locator("input").get_attribute("value")
    for page in (fast, slow):
        page.locator(f'label:has(input[value="{seat}"])').click()
    fast.locator("#take").click()
    expect(fast).to_have_url(re.compile(r"/orders/\d+$"))
    # Straight to the server, as a page would that had not heard yet.
    slow.locator("#block").evaluate("form => form.submit()")
    expect(slow.get_by_role("alert")).to_be_visible()
    expect(slow).not_to_have_url(re.compile(r"/orders/"))


def test_the_queue_works_without_javascript(new_page, site):
    page = new_page(java_script_enabled=False)
    page.goto(f"{site}/events/1")
    page.get_by_role("link", name="Встать в очередь").first.click()
    page.get_by_role("button", name="Встать в очередь").click()
    enter = page.get_by_role("button", name=re.compile("Войти|Зайти"))
    for _ in range(20):
        if enter.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    enter.first.click()
    if "/events/1" not in page.url:
        page.locator("main form button").first.click()
    expect(page).to_have_url(re.compile(r"^[^?]*/events/1$"))
    expect(page.get_by_text("Вы внутри до")).to_be_visible()
