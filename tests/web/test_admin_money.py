"""Staff pages about payouts and events, over a shop with real stores and a scripted gateway."""

import asyncio
import re
from datetime import timedelta

import pytest

from kernel.web.pages import VENUE_ZONE
from sales.ledger import Ledger
from tests.fakes import Refuse
from tests.flow.money import tickets_of
from tests.flow.shop import AHEAD, BEK, open_shop
from tests.web.admin_site import OPS, PASSWORD

JSON = {"accept": "application/json"}
REASON = "артист болен"
FORM = re.compile(
    r'action="(?P<path>[^"]+/again)">\s*<input type="hidden" name="version"'
    r' value="(?P<version>\d+)">(?P<rest>.*?)</form>',
    re.DOTALL,
)


@pytest.fixture
async def shop(desk, db, redis_shop, clock, tmp_path):
    await db.execute("UPDATE account SET id = $1 WHERE email = 'bek@mail.kz'", BEK)
    return await open_shop(
        db, redis_shop, clock, tmp_path, starts_at=AHEAD, title="Вечер <домбры>", hall="Зал"
    )


async def owed(shop):
    """A refund of one of two tickets: 5 000 tenge that wait in the queue."""
    order = await shop.paid(0, 1)
    return await shop.refunds.ask(order.id, BEK, [(await tickets_of(shop, order))[0].id])


def form_of(page: str) -> dict[str, str]:
    """The form by which the gateway is asked again."""
    found = FORM.search(page)
    return found.groupdict() if found else {}


async def audited(db, action):
    rows = await db.fetch("SELECT detail FROM audit WHERE action = $1 ORDER BY id", action)
    return [row["detail"] for row in rows]


@pytest.mark.parametrize("path", ["/payouts", "/payouts/1", "/events", "/events/1"])
async def test_strangers_and_cashiers_see_nothing(desk, path):
    async with desk.browser() as browser:
        assert (await browser.get(path)).headers["location"].startswith("/sign-in?next=")
    await desk.accounts.ensure("kassa@mail.kz", PASSWORD, "cashier")
    async with desk.browser() as browser:
        answer = await browser.post(
            "/sign-in", data={"email": "kassa@mail.kz", "password": PASSWORD}
        )
        assert answer.status_code == 403
        assert (await browser.get(path)).status_code == 303


@pytest.mark.parametrize(
    "path", ["payouts/1/paid", "payouts/1/again", "events/1/cancel", "events/1/move"]
)
async def test_strangers_change_nothing(desk, path):
    async with desk.browser(headers=JSON) as browser:
        assert (await browser.post(f"/{path}", data={"reference": "x"})).status_code == 401


async def test_whoever_waits_for_money_is_listed_with_all_that_is_needed(desk, shop):
    refund = await owed(shop)
    async with desk.operator() as browser:
        page = (await browser.get("/payouts")).text
        for told in ("bek@mail.kz", "Вечер &lt;домбры&gt;", f"заказ {refund.order_id}", "это его"):
            assert told in page
        page = (await browser.get(f"/payouts/{refund.id}")).text
        assert "bek@mail.kz" in page
        assert "покупатель вернул билеты" in page
        assert "Никто" not in page
        assert "Пока ничего" in (await browser.get("/payouts?of=paid")).text
        odd = await browser.get("/payouts?of=%3Cscript%3E&past=-7")
        assert odd.status_code == 200
        assert (await browser.get("/payouts?past=1e3")).status_code == 400
        assert (await browser.get("/payouts/99999999999999999999")).status_code in {400, 404}
        assert (await browser.get(f"/payouts/{refund.id + 1}")).status_code == 404


async def test_what_the_gateway_refused_says_why(desk, shop):
    order = await shop.paid(0)
    shop.gateway.faithful = True
    await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    async with desk.operator() as browser:
        assert "ТөлеуБар отказал: 3001" in (await browser.get("/payouts")).text


async def test_what_the_gateway_refused_it_is_asked_again_once_for_two_clicks(desk, shop, db):
    order = await shop.paid(0)
    shop.gateway.plan("cancel", Refuse("3100"), Refuse("3100"))
    refund = await shop.refunds.ask(order.id, BEK)
    await shop.drain()
    path = f"/payouts/{refund.id}"
    async with desk.operator() as browser:
        form = form_of((await browser.get(path)).text)
        assert (form["path"], "Попросить ещё раз" in form["rest"]) == (f"{path}/again", True)
        given = {"version": form["version"]}
        answers = await asyncio.gather(*(browser.post(f"{path}/again", data=given) for _ in "12"))
        assert {one.headers["location"] for one in answers} == {f"{path}?done=again"}
        page = (await browser.get(f"{path}?done=again")).text
        assert "Сами ничего не переводите" in page
        assert "/paid" not in page
        assert (await browser.post(f"{path}/paid", data={"reference": "x"})).status_code == 409
        await shop.drain()
        assert "снова отказал" in (await browser.get(f"{path}?done=again")).text
        for odd in (given, {}, {"version": "x" * 99}, {"version": "-1"}):
            assert (await browser.post(f"{path}/again", data=odd)).status_code == 303
        assert await shop.drain() == 0
        version = form_of((await browser.get(path)).text)["version"]
        await browser.post(f"{path}/again", data={"version": version})
        await shop.drain()
        page = (await browser.get(path)).text
        assert "вернул ТөлеуБар" in page
        assert "ещё раз через ТөлеуБар" in page
    assert [one["by"] for one in await audited(db, "refund.ask-again")] == [OPS, OPS]
    assert await Ledger(db).check() == []


async def test_two_clicks_at_once_pay_once_and_the_ledger_agrees(desk, shop, db):
    refund = await owed(shop)
    path, given = f"/payouts/{refund.id}/paid", {"reference": " KZ-17 <b> "}
    async with desk.operator() as browser:
        answers = await asyncio.gather(*(browser.post(path, data=given) for _ in range(4)))
        assert {one.headers["location"] for one in answers} == {f"/payouts?done={refund.id}"}
        assert "Никто не ждёт" in (await browser.get("/payouts")).text
        assert "KZ-17 &lt;b&gt;" in (await browser.get("/payouts?of=paid")).text
        assert OPS in (await browser.get(f"/payouts/{refund.id}")).text
        other = await browser.post(path, data={"reference": "KZ-18"})
        assert other.status_code == 409
        assert "уже отмечена" in other.text
    lines = await audited(db, "refund.pay-out")
    assert [(one["reference"], one["by"]) for one in lines] == [("KZ-17 <b>", OPS)]
    assert await Ledger(db).check() == []


@pytest.mark.parametrize("typed", ["", "   ", "x" * 101])
async def test_a_wrong_reference_is_refused_at_its_field(desk, shop, typed):
    refund = await owed(shop)
    async with desk.operator() as browser:
        answer = await browser.post(f"/payouts/{refund.id}/paid", data={"reference": typed})
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert f'value="{typed}"' in answer.text
        assert "до 100 знаков" in answer.text
    assert (await shop.refunds.of_order(refund.order_id))[0].state == "queued"


async def test_long_queues_are_leafed_through(desk, shop, monkeypatch):
    monkeypatch.setattr("admin.web.payouts.PAGE", 1)
    order = await shop.paid(0, 1)
    for ticket in await tickets_of(shop, order):
        await shop.refunds.ask(order.id, BEK, [ticket.id])
    first, second = await shop.refunds.of_order(order.id)
    async with desk.operator() as browser:
        page = (await browser.get("/payouts")).text
        assert f'href="/payouts/{first.id}"' in page
        assert f"past={first.id}" in page
        page = (await browser.get(f"/payouts?past={first.id}")).text
        assert f'href="/payouts/{second.id}"' in page


async def test_an_event_is_found_by_number_and_by_words(desk, shop):
    async with desk.operator() as browser:
        answer = await browser.get(f"/events?q=%20{shop.event_id}")
        assert answer.headers["location"] == f"/events/{shop.event_id}"
        assert f'href="/events/{shop.event_id}"' in (await browser.get("/events?q=домбры")).text
        for odd in ("999999", "-1", "9" * 19, "²", "%00", "<script>" * 60):
            assert (await browser.get("/events", params={"q": odd})).status_code == 200, odd


async def test_cancelling_wants_the_number_and_a_reason(desk, shop, db):
    path = f"/events/{shop.event_id}/cancel"
    async with desk.operator() as browser:
        for number, reason, said in (
            (shop.event_id + 1, REASON, "Введите номер этого"),
            (shop.event_id, "x", "Напишите причину"),
            (shop.event_id, "x" * 301, "Напишите причину"),
        ):
            answer = await browser.post(path, data={"number": number, "reason": reason})
            assert (answer.status_code, said in answer.text) == (422, True)
            assert answer.text.count('aria-invalid="true"') == 1
    assert (await shop.catalogue.event(shop.event_id)).state == "on_sale"
    assert await audited(db, "event.cancel") == []


async def test_cancelling_gives_everybody_the_money_and_shows_how_far_it_is(desk, shop, db):
    good, bad = await shop.paid(0), await shop.paid(1)
    await db.execute("UPDATE seat_claim SET sold = false WHERE order_id = $1", bad.id)
    here, given = f"/events/{shop.event_id}", {"number": shop.event_id, "reason": REASON}
    async with desk.operator() as browser:
        calls = (browser.post(f"{here}/cancel", data=given) for _ in range(3))
        for answer in await asyncio.gather(*calls):
            assert answer.headers["location"] == f"{here}?done=cancel"
        # Nothing has spoken to the gateway yet; the worker will.
        assert "cancel" not in shop.gateway.calls
        told = (await browser.get(f"{here}/live.json", headers=JSON)).json()
        assert (told["total"], told["done"], told["not_yet"], told["failed"]) == (2, 0, 2, 0)
        await shop.later(60)
        told = (await browser.get(f"{here}/live.json", headers=JSON)).json()
        assert (told["done"], told["failed"], told["not_yet"]) == (1, 1, 0)
        page = (await browser.get(here)).text
        assert f"№ {bad.id}</td>" in page
        assert f"№ {good.id}</td>" not in page
        assert "AssertionError" in page
        assert REASON in page
        await db.execute("UPDATE seat_claim SET sold = true")
        answer = await browser.post(f"{here}/again")
        assert answer.headers["location"] == f"{here}?done=again"
        await shop.later(60)
        assert "Не удалось вернуть" not in (await browser.get(here)).text
        assert f'href="{here}"' in (await browser.get("/events")).text
    assert (await shop.orders.get(bad.id)).state == "refunded"
    lines = await audited(db, "event.cancel")
    assert [(one["by"], one["reason"]) for one in lines] == [(OPS, REASON)]
    assert [one["by"] for one in await audited(db, "event.refund-again")] == [OPS]


async def test_an_event_is_moved_by_the_clock_of_its_hall(desk, shop, db, clock):
    here = f"/events/{shop.event_id}"
    later = (clock.now() + timedelta(days=40)).astimezone(VENUE_ZONE).replace(second=0)
    later = later.replace(microsecond=0)
    typed = later.strftime("%Y-%m-%dT%H:%M")
    async with desk.operator() as browser:
        for _ in range(2):
            answer = await browser.post(f"{here}/move", data={"starts_at": typed})
            assert answer.headers["location"] == f"{here}?done=move"
        page = (await browser.get(here)).text
        assert f'value="{typed}"' in page
        assert "Перенесено, сначала было" in page
    event = await shop.catalogue.event(shop.event_id)
    assert event.starts_at == later
    assert [one["by"] for one in await audited(db, "event.move")] == [OPS]


@pytest.mark.parametrize(
    "typed", ["", "завтра", "1999-01-01T19:00", "2999-01-01T19:00", "0001-01-01T00:00"]
)
async def test_a_wrong_moment_is_refused_at_its_field(desk, shop, typed):
    async with desk.operator() as browser:
        answer = await browser.post(f"/events/{shop.event_id}/move", data={"starts_at": typed})
        assert answer.status_code == 422
        assert answer.text.count('aria-invalid="true"') == 1
    assert (await shop.catalogue.event(shop.event_id)).starts_at == AHEAD


async def test_what_is_over_or_unknown_stays_as_it_is(desk, shop, db):
    await db.execute("UPDATE event SET state = 'archived'")
    here, given = f"/events/{shop.event_id}", {"number": shop.event_id, "reason": REASON}
    async with desk.operator() as browser:
        assert (await browser.post(f"{here}/cancel", data=given)).status_code == 409
        assert (await browser.post(f"{here}/again")).status_code == 409
        assert (await browser.post(f"{here}/explode")).status_code == 400
        for number in ("999999", "9" * 18):
            path = f"/events/{number}"
            assert (await browser.get(path)).status_code == 404
            assert (await browser.get(f"{path}/live.json", headers=JSON)).status_code == 404
            for deed in ("cancel", "again", "move"):
                answer = await browser.post(f"{path}/{deed}", data=given)
                assert answer.status_code == 404, deed
    assert await audited(db, "event.cancel") == []
