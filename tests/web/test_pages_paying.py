"""The order page and the gateway: forms, declined cards, silence."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.fakes import Silent
from tests.web.sales_site import Browser, Page, open_site, take


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    async with open_site(db, redis_shop, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def bek(site):
    return await site.signed_in("bek")


async def pay_as_shown(browser: Browser, order: str) -> httpx.Response:
    """The page's own form, sent with what is in it."""
    page = await browser.see(order)
    (hidden,) = page.all("input", name="attempt")
    return await browser.submit(f"{order}/payment", attempt=hidden["value"])


async def test_paying_twice_leads_to_the_same_form(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    first = await bek.submit(f"{order}/payment")
    second = await bek.submit(f"{order}/payment")
    assert first.headers["location"] == second.headers["location"]
    assert site.shop.gateway.calls.count("init") == 1
    page = await bek.see(order)
    assert "Продолжить оплату" in page.words
    assert first.headers["location"] in page.links()


async def test_a_declined_card_is_told_and_another_one_pays_for_the_same_seats(site, bek):
    order = await take(bek, site.shop.event_id, 2)
    await pay_as_shown(bek, order)
    site.shop.gateway.pay("REJECTED")
    await bek.get(f"{order}/return?outcome=fail")
    page = await bek.see(order)
    assert "Банк отклонил платёж" in page.words
    assert "места остаются за вами до" in page.words
    assert "осталось 4 попытки" in page.words
    assert page.all("time", **{"class": "countdown"})
    again = await bek.submit(f"{order}/payment", attempt="1")
    assert again.headers["location"] == order, "the old form, sent again, begins nothing"
    answer = await pay_as_shown(bek, order)
    assert answer.headers["location"] == site.shop.gateway.form_url(
        site.shop.gateway.newest.payment_id
    )
    site.shop.gateway.pay()
    await bek.get(f"{order}/return?outcome=success")
    assert "Билеты ваши!" in (await bek.see(order)).words


async def test_after_the_last_try_the_seats_can_be_chosen_again(site, bek):
    order = await take(bek, site.shop.event_id, 2)
    for _ in range(5):
        await pay_as_shown(bek, order)
        site.shop.gateway.pay("REJECTED")
        await bek.get(f"{order}/return?outcome=fail")
    page = await bek.see(order)
    assert "Оплата не прошла" in page.words
    assert "С карты ничего не списано" in page.words
    assert f"/events/{site.shop.event_id}/zones/1?seats=2" in page.links()


async def test_the_return_address_is_not_believed(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    await bek.submit(f"{order}/payment")
    await bek.get(f"{order}/return?outcome=success")
    page = await bek.see(order)
    assert "Билеты ваши!" not in page.words
    assert "Оплата начата" in page.words


async def test_a_silent_gateway_is_told_with_the_clock_and_a_way_out(site, bek):
    for verb in ("init", "check"):
        site.shop.gateway.plan(verb, *[Silent(acted=False)] * 9)
    order = await take(bek, site.shop.event_id, 0)
    answer = await bek.submit(f"{order}/payment")
    assert answer.headers["location"] == order
    page = await bek.see(order)
    assert "Банк пока не отвечает. Места за вами до" in page.words
    assert "деньги не списаны" in page.words
    assert page.all("time", **{"class": "countdown"})
    assert page.all("form", action=f"{order}/cancel")
    assert page.all("meta", **{"http-equiv": "refresh"})
    state = (await bek.get(f"{order}/state.json")).json()
    assert (state["stage"], state["final"]) == ("opening", False)
    await bek.submit(f"{order}/cancel")
    assert "Отменяем заказ" in (await bek.see(order)).words


async def test_a_gateway_that_is_left_alone_is_told_and_the_seats_stay(site, bek):
    order = await take(bek, site.shop.event_id, 0)
    site.shop.gateway.away["init"] = 4.2
    assert "Платёжная система сейчас не отвечает." in (await bek.see(order)).words
    answer = await bek.submit(f"{order}/payment")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    page = Page(answer.text)
    assert "Места за вами, пока идёт время" in page.words
    assert page.all("form", action=f"{order}/payment")
    site.shop.gateway.away.clear()
    assert "Платёжная система" not in (await bek.see(order)).words
    assert (await bek.submit(f"{order}/payment")).headers["location"].startswith("http://gateway")
    site.shop.gateway.away["check"] = 1
    assert "отвечает медленно" in (await bek.see(order)).words


async def test_a_gateway_that_keeps_the_line_open_does_not_keep_the_page(site, bek, monkeypatch):
    monkeypatch.setattr("sales.orders.PAGE_WAIT_S", 0.1)
    gateway, answered = site.shop.gateway, asyncio.Event()
    init = gateway.init

    async def slow(**asked: Any) -> Any:
        await answered.wait()
        return await init(**asked)

    monkeypatch.setattr(gateway, "init", slow)
    order = await take(bek, site.shop.event_id, 0)
    for _ in range(2):
        assert (await bek.submit(f"{order}/payment")).headers["location"] == order
    assert "Банк пока не отвечает" in (await bek.see(order)).words
    answered.set()
    # What the page did not wait for went on: one init, and the form is there.
    async with asyncio.timeout(5):
        while (await bek.get(f"{order}/state.json")).json()["stage"] != "paying":
            await asyncio.sleep(0.01)
    assert gateway.calls.count("init") == 1


async def test_a_payment_page_we_do_not_know_is_reached_by_a_link(site, bek, monkeypatch):
    monkeypatch.setattr(site.shop.gateway, "form_url", lambda _: "https://bank.example/form/1")
    order = await take(bek, site.shop.event_id, 0)
    answer = await bek.submit(f"{order}/payment")
    assert answer.status_code == 200
    assert "https://bank.example/form/1" in Page(answer.text).links()
