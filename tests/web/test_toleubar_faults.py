"""The switchboard: every switch acts (contract §11)."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.web.toleubar_stand import (
    AMOUNT,
    APPROVED,
    PASSWORD,
    TEAM,
    Gateway,
    Merchant,
    code_of,
    free_port,
    open_gateway,
    served,
    token,
)

FORM = "/api/v1/paymentform"
Act = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
async def gateway(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.db", clock) as opened:
        yield opened


@pytest.mark.parametrize("verb", ["init", "check", "confirm", "cancel", "form"])
async def test_a_line_cut_before_the_deed_has_done_nothing(gateway, verb):
    payment_id, act = await _prepare(gateway, verb)
    before = (await gateway.books())["payments"]
    await gateway.faults(**{f"{verb}_abort_before": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        await act()
    assert (await gateway.books())["payments"] == before
    await gateway.faults()
    assert (await act()).status_code in {200, 302}
    await _see_the_deed(gateway, verb, payment_id)


@pytest.mark.parametrize("verb", ["init", "check", "confirm", "cancel", "form"])
async def test_what_is_held_before_the_deed_is_done_afterwards(gateway, verb):
    payment_id, act = await _prepare(gateway, verb)
    await gateway.faults(**{f"{verb}_stall_before": 1, "stall_s": 60})
    assert (await act()).status_code in {200, 302}
    assert 60 in gateway.pauses
    await _see_the_deed(gateway, verb, payment_id)


@pytest.mark.parametrize("verb", ["init", "check", "confirm", "cancel", "form"])
async def test_a_held_answer_comes_after_the_deed(gateway, verb):
    payment_id, act = await _prepare(gateway, verb)
    await gateway.faults(**{f"{verb}_stall": 1, "stall_s": 60})
    assert (await act()).status_code in {200, 302}
    assert 60 in gateway.pauses
    await gateway.faults()
    await _see_the_deed(gateway, verb, payment_id)


@pytest.mark.parametrize("verb", ["init", "check", "confirm", "cancel", "form"])
async def test_a_broken_link_comes_after_the_deed_and_repeating_is_safe(gateway, verb):
    payment_id, act = await _prepare(gateway, verb)
    await gateway.faults(**{f"{verb}_abort": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        await act()
    await gateway.faults()
    await _see_the_deed(gateway, verb, payment_id)
    if verb in {"init", "check", "form"}:
        assert (await act()).status_code in {200, 302}


async def _prepare(gateway: Gateway, verb: str, order_id: str = "bk-1") -> tuple[str | None, Act]:
    if verb == "init":
        return None, lambda: gateway.init(order_id)
    payment_id = await (gateway.paid(order_id) if verb == "confirm" else gateway.start(order_id))
    acts: dict[str, Callable[[str], Awaitable[httpx.Response]]] = {
        "check": gateway.check,
        "confirm": gateway.confirm,
        "cancel": gateway.cancel,
        "form": gateway.pay,
    }
    return payment_id, lambda: acts[verb](payment_id)


async def _see_the_deed(gateway: Gateway, verb: str, payment_id: str | None) -> None:
    [payment] = (await gateway.books())["payments"]
    deed = {"confirm": "CONFIRMED", "cancel": "CANCELLED", "form": "AUTHORIZED"}
    assert payment["status"] == deed.get(verb, "NEW")
    assert payment_id in {None, payment["paymentId"]}


async def test_a_breakdown_does_nothing(gateway):
    await gateway.faults(breakdown=1)
    answer = await gateway.init()
    assert (answer.status_code, answer.json()["errorCode"]) == (500, "9999")
    assert (await gateway.books())["payments"] == []


async def test_a_breakdown_takes_the_next_calls_along(gateway):
    await gateway.faults(seed=4, breakdown=0.2, breakdown_burst=4)
    codes = [(await gateway.check("1755600000")).status_code for _ in range(40)]
    runs = [len(run) for run in re.findall("5+", "".join(str(code)[0] for code in codes))]
    assert runs
    assert all(run % 4 == 0 for run in runs[:-1])
    assert (await gateway.http.get("/sandbox/faults/struck")).json() == {
        "breakdown": codes.count(500)
    }


@pytest.mark.parametrize(
    ("verb", "code"),
    [("init", "1408"), ("check", "1408"), ("confirm", "2408"), ("cancel", "3408")],
)
async def test_of_calls_that_time_out_some_were_carried_out(gateway, verb, code):
    standing = {}
    for number in range(12):
        order_id = f"bk-{number}"
        payment_id, act = await _prepare(gateway, verb, order_id)
        await gateway.http.patch("/sandbox/faults", json={"timeout": 1, "seed": number})
        assert code_of(await act()) == (408, code)
        await gateway.faults()
        standing[order_id] = payment_id
    after = {"confirm": "CONFIRMED", "cancel": "CANCELLED"}.get(verb, "NEW")
    payments = (await gateway.books())["payments"]
    done = [payment for payment in payments if payment["status"] == after]
    if verb != "check":
        assert 0 < len(done) < 12


async def test_a_payment_id_may_be_taken(gateway):
    await gateway.faults(id_collision=1)
    assert code_of(await gateway.init()) == (500, "9999")
    await gateway.faults()
    assert (await gateway.init()).status_code == 200


async def test_a_slow_answer_is_an_answer(gateway):
    await gateway.faults(slow=1, slow_s=2.5)
    assert (await gateway.init()).status_code == 200
    assert gateway.pauses == [2.5]


async def test_the_books_say_what_was_taken_and_given_back_and_how_often_each_act_was_done(gateway):
    paid, refunded = await gateway.paid("bk-1"), await gateway.paid("bk-2")
    for payment_id in (paid, refunded):
        await gateway.confirm(payment_id)
        await gateway.confirm(payment_id)
    await gateway.cancel(refunded)
    await gateway.paid("bk-3")
    sums = [(one["captured"], one["refunded"]) for one in (await gateway.books())["payments"]]
    assert sums == [(AMOUNT, 0), (AMOUNT, AMOUNT), (0, 0)]
    acts = [one["acts"] for one in (await gateway.books())["payments"]]
    assert [act.get("confirm", 0) for act in acts] == [1, 1, 0]
    assert acts[1]["cancel"] == 1


async def test_a_body_beyond_measure_is_refused(gateway):
    answer = await gateway.http.post("/api/v1/PaymentInit/init", content=b" " * 1_000_001)
    assert code_of(answer) == (413, "1000")


async def test_trouble_at_the_acquirer_is_a_normal_decline(gateway):
    await gateway.faults(card_trouble=1)
    payment_id = await gateway.start()
    await gateway.pay(payment_id, APPROVED)
    assert await gateway.status(payment_id) == "REJECTED"


async def test_cards_take_as_long_as_is_set(gateway):
    await gateway.faults(card_delay_min_s=1.5, card_delay_max_s=1.5)
    await gateway.pay(await gateway.start())
    assert 1.5 in gateway.pauses


async def test_check_may_be_out_of_date_but_only_for_so_long(gateway, clock):
    await gateway.faults(check_stale_open_s=30)
    payment_id = await gateway.start()
    assert await gateway.status(payment_id) == "NEW"
    await gateway.pay(payment_id)
    clock.advance(29)
    assert await gateway.status(payment_id) == "NEW"
    clock.advance(1)
    assert await gateway.status(payment_id) == "AUTHORIZED"


async def test_the_payer_waits_for_the_merchant_where_that_is_switched_on(tmp_path, clock):
    receiver = Merchant()
    async with (
        served(receiver, free_port()) as merchant,
        open_gateway(tmp_path / "b.db", clock, f"{merchant}/hook") as gateway,
    ):
        await gateway.faults(webhook_wait=True)
        payment_id = await gateway.start()
        await receiver.wait_for(1)
        receiver.open.clear()
        paying = asyncio.ensure_future(gateway.pay(payment_id))
        await receiver.wait_for_arrival(2)
        assert await gateway.status(payment_id) == "FORM_SHOWED"
        assert not paying.done()
        receiver.open.set()
        assert (await paying).status_code == 302
        assert receiver.words() == ["NEW", "FORM_SHOWED", "AUTHORIZED"]


async def test_amounts_and_tokens_of_the_stand_are_the_contracts():
    assert token(AMOUNT, "KZT", "bk-000456-1", PASSWORD, TEAM).startswith("81dac43e")
