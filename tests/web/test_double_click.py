"""An impatient hand, and a balancer that gives its two clicks to two processes: one charge."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from sales.geometry import seat_id
from tests.fakes import FakeGateway
from tests.halls import build_event
from tests.web.api_calls import act, book, select
from tests.web.api_stand import ScriptedGateway, api_stand
from tests.web.sales_site import open_site, take


def slowly(gateway, monkeypatch):
    """The gateway takes its time to open a payment, so that the second click finds it at work."""
    init = gateway.init

    async def slow(**asked):
        await asyncio.sleep(0.15)
        return await init(**asked)

    monkeypatch.setattr(gateway, "init", slow)
    return gateway


@pytest.fixture
async def gateway(monkeypatch):
    return slowly(FakeGateway(), monkeypatch)


@pytest.fixture
async def twins(db, redis_shop, clock, tmp_path, gateway):
    """Two processes of one shop, and Bek's browser at each."""
    async with AsyncExitStack() as stack:
        sites = [
            await stack.enter_async_context(
                open_site(db, redis_shop, clock, tmp_path, gateway=gateway)
            )
            for _ in range(2)
        ]
        one = await sites[0].signed_in("bek")
        other = sites[1].browser()
        other.cookies = one.cookies
        yield sites[0], one, other


async def both_pay(order, *browsers, **fields):
    answers = await asyncio.gather(*(one.submit(f"{order}/payment", **fields) for one in browsers))
    assert {answer.status_code for answer in answers} == {303}
    return {answer.headers["location"] for answer in answers}


async def test_two_clicks_on_pay_open_one_payment(twins, gateway):
    site, one, other = twins
    order = await take(one, site.shop.event_id, 0, 1)
    places = await both_pay(order, one, other, attempt="1")
    assert places == {gateway.form_url(gateway.newest.payment_id)}
    assert gateway.calls.count("init") == 1
    assert await site.shop.db.fetchval("SELECT count(*) FROM payment") == 1


async def test_two_clicks_on_another_card_open_one_payment(twins, gateway):
    site, one, other = twins
    order = await take(one, site.shop.event_id, 0)
    await both_pay(order, one, other)
    gateway.pay("REJECTED")
    await one.get(f"{order}/return")
    places = await both_pay(order, one, other, attempt="2")
    assert places == {gateway.form_url(gateway.newest.payment_id)}
    assert gateway.calls.count("init") == 2
    gateway.pay()
    await asyncio.gather(one.get(f"{order}/return"), other.get(f"{order}/return"))
    assert gateway.newest.confirms == 1
    assert "Билеты ваши!" in (await other.see(order)).words


async def test_a_click_with_a_key_is_one_charge_too_and_the_same_answer(twins, gateway):
    site, one, other = twins
    order = await take(one, site.shop.event_id, 0)
    headers = {"Idempotency-Key": "form-1"}
    first = await one.post(f"{order}/payment", data={"attempt": "1"}, headers=headers)
    again = await other.post(f"{order}/payment", data={"attempt": "1"}, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert gateway.calls.count("init") == 1


async def test_two_calls_of_the_contract_open_one_payment(
    db, redis_shop, clock, tmp_path, monkeypatch
):
    event_id = await build_event(db)
    bank = ScriptedGateway()
    slowly(bank, monkeypatch)
    async with (
        api_stand(db, redis_shop, clock, tmp_path, gateway=bank) as here,
        api_stand(db, redis_shop, clock, tmp_path, gateway=bank) as there,
        here.api("aru") as one,
        there.api("aru") as other,
    ):
        booking = await book(one, event_id)
        await select(one, booking, seat_id(event_id, 0))
        calls = [act(client, "initiatePayment", booking) for client in (one, other, one, other)]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {302}
        assert {answer.headers["location"] for answer in answers} == {bank.form_url("P1")}
        assert list(bank.opened) == ["P1"]
