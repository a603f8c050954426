"""Returning tickets over the pages, without a line of JavaScript."""

from datetime import UTC, datetime

import pytest

from tests.flow.shop import AHEAD
from tests.web.sales_site import open_site, take


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    async with open_site(
        db, redis_shop, clock, tmp_path, title="Вечер домбры", starts_at=AHEAD
    ) as made:
        yield made


@pytest.fixture
async def bek(site):
    return await site.signed_in("bek")


async def bought(site, browser, *seats):
    order = await take(browser, site.shop.event_id, *seats)
    await browser.submit(f"{order}/payment")
    site.shop.gateway.pay()
    await browser.get(f"{order}/return")
    await site.shop.drain()
    return order


def tickets(page):
    return [one["value"] for one in page.all("input", type="checkbox", name="tickets")]


async def test_one_of_two_tickets_comes_back_in_three_steps(site, bek):
    order = await bought(site, bek, 0, 1)
    assert f"{order}/returns" in (await bek.see(order)).links()
    ids = tickets(await bek.see(f"{order}/returns"))
    assert len(ids) == 2
    page = await bek.see(f"{order}/returns?tickets=&tickets={ids[1]}")
    assert "Вернуть и получить 5 000 ₸" in page.words
    assert "наш сотрудник" in page.words
    assert [one["value"] for one in page.all("input", type="hidden")] == [ids[1]]
    # Looking changes nothing.
    assert len(await site.shop.claims()) == 2
    answer = await bek.submit(f"{order}/returns", tickets=ids[1])
    assert (answer.status_code, answer.headers["location"]) == (303, order)
    page = await bek.see(order)
    assert len(page.all("svg", **{"class": "qr"})) == 1
    assert "переведём вручную" in page.words
    assert (await bek.submit(f"{order}/returns", tickets=ids[1])).status_code == 303
    assert list(await site.shop.claims()) == [0]
    assert len((await bek.see(f"{order}/tickets")).all("article")) == 1


async def test_a_whole_order_goes_back_to_the_card(site, bek):
    order = await bought(site, bek, 0, 1)
    ids = tickets(await bek.see(f"{order}/returns"))
    page = await bek.see(f"{order}/returns?tickets={ids[0]}&tickets={ids[1]}")
    assert "Деньги придут на карту" in page.words
    await bek.submit(f"{order}/returns", tickets=ids)
    page = await bek.see(order)
    assert "Билеты возвращены" in page.words
    assert "возвращаем на карту" in page.words
    # The page looks again until the bank has done it.
    assert page.all("div", **{"data-stage": "refunded"})[0]["data-state"] == f"{order}/state.json"
    await site.shop.drain()
    page = await bek.see(order)
    assert "возвращено на карту" in page.words
    assert "data-state" not in page.all("div", **{"data-stage": "refunded"})[0]
    assert "возвращён" in (await bek.see("/orders")).words


async def test_a_single_ticket_is_not_asked_which(site, bek):
    order = await bought(site, bek, 0)
    page = await bek.see(f"{order}/returns")
    assert "Вернуть и получить 5 000 ₸" in page.words


async def test_the_fee_is_told_before_and_after(site, bek, db):
    await db.execute("UPDATE event SET refund_fee_percent = 10")
    order = await bought(site, bek, 0)
    page = await bek.see(f"{order}/returns")
    assert "Вернуть и получить 4 500 ₸" in page.words
    assert "−500 ₸" in page.words
    ids = [one["value"] for one in page.all("input", type="hidden")]
    await bek.submit(f"{order}/returns", tickets=ids)
    assert "сбор 500 ₸" in (await bek.see(order)).words


async def test_too_late_is_told_on_the_orders_page_and_there_is_no_button(site, bek, db):
    order = await bought(site, bek, 0)
    ids = [one["value"] for one in (await bek.see(f"{order}/returns")).all("input", type="hidden")]
    await db.execute("UPDATE ticket SET refund_until = to_timestamp(0)")
    answer = await bek.submit(f"{order}/returns", tickets=ids)
    assert answer.status_code == 419
    assert "Срок возврата" in answer.text
    assert f"{order}/returns" not in (await bek.see(order)).links()
    assert (await bek.get(f"{order}/returns")).headers["location"] == order
    assert len(await site.shop.claims()) == 1


async def test_nothing_chosen_and_nonsense_chosen(site, bek):
    order = await bought(site, bek, 0, 1)
    assert "Не выбрано ни одного билета." in (await bek.see(f"{order}/returns?tickets=")).words
    await bek.see(f"{order}/returns?tickets=abc", status=400)
    await bek.see(f"{order}/returns?tickets=999", status=404)
    assert (await bek.submit(f"{order}/returns")).status_code == 400


async def test_nobody_else_returns_them(site, bek):
    order = await bought(site, bek, 0)
    ids = [one["value"] for one in (await bek.see(f"{order}/returns")).all("input", type="hidden")]
    ermek = await site.signed_in("ermek")
    await ermek.see(f"{order}/returns", status=403)
    assert (await ermek.submit(f"{order}/returns", tickets=ids)).status_code == 403
    assert len(await site.shop.claims()) == 1


async def test_buyers_of_a_cancelled_and_of_a_moved_event_read_so(site, bek, db):
    order = await bought(site, bek, 0)
    await site.shop.reschedules.move(site.shop.event_id, AHEAD.replace(day=2), "account:3")
    assert "Мероприятие перенесено: было" in (await bek.see(order)).words
    await site.shop.cancellations.cancel(site.shop.event_id, "account:3")
    page = await bek.see(order)
    assert "Деньги вернём полностью" in page.words
    assert f"{order}/returns" not in page.links()
    assert "мероприятие отменено" in (await bek.see("/orders")).words
    await site.shop.later(60)
    assert "возвращено на карту" in (await bek.see(order)).words


async def test_the_page_of_a_moved_event_tells_both_times_and_of_a_cancelled_one_the_money(site):
    event_id, shop = site.shop.event_id, site.shop
    bek = await site.signed_in("bek")
    assert "Перенесено" not in (await bek.see(f"/events/{event_id}")).words
    soon = datetime(2190, 1, 5, 14, tzinfo=UTC)
    await shop.reschedules.move(event_id, soon, "account:3")
    shop.catalogue.forget(event_id)
    page = await bek.see(f"/events/{event_id}")
    assert "Перенесено с 2 января, 00:00 на 5 января, 19:00." in page.words
    assert "билеты действительны" in page.words
    await shop.cancellations.cancel(event_id, "account:3")
    page = await bek.see(f"/events/{event_id}")
    assert "Мероприятие отменено. Деньги за купленные билеты подлежат возврату" in page.words
    assert "Перенесено" not in page.words
