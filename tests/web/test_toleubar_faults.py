"""The switchboard: every switch acts, and the faithful profile is faithful (contract §1, §11)."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest

from sandbox.toleubar.faults import Faults
from tests.web.toleubar_stand import (
    AMOUNT,
    APPROVED,
    NO_FUNDS,
    PASSWORD,
    TEAM,
    Gateway,
    Merchant,
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


async def test_the_switchboard_is_read_and_written_as_a_whole(gateway):
    off = msgspec.to_builtins(Faults())
    assert (await gateway.http.get("/sandbox/faults")).json() == off
    await gateway.faults(webhook_loss=0.5, stall_s=2)
    changed = (await gateway.http.get("/sandbox/faults")).json()
    assert changed == off | {"webhook_loss": 0.5, "stall_s": 2.0}
    await gateway.faults()
    assert (await gateway.http.get("/sandbox/faults")).json() == off


async def test_a_switch_that_does_not_exist_is_refused_by_name(gateway):
    answer = await gateway.http.put("/sandbox/faults", json={"webhook_loss": 2})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"webhook_loss"})
    assert (await gateway.http.put("/sandbox/faults", json={"x": 1})).status_code == 400
    assert (await gateway.http.put("/sandbox/faults", content=b"[")).status_code == 400


async def test_the_page_has_every_switch_and_changes_them(gateway):
    page = (await gateway.http.get("/sandbox")).text
    names = set(re.findall(r'<input name="(\w+)"', page)) | {"profile"}
    assert names == set(Faults.__struct_fields__)
    form = dict.fromkeys(names, "0") | {"profile": "documented", "webhook_loss": "0,25"}
    del form["webhook_wait"]
    changed = await gateway.http.post("/sandbox", data=form | {"stall_s": "7"})
    assert (changed.status_code, changed.headers["location"]) == (303, "/sandbox")
    faults = (await gateway.http.get("/sandbox/faults")).json()
    assert (faults["webhook_loss"], faults["stall_s"], faults["webhook_wait"]) == (0.25, 7, False)
    assert faults["webhook_keep"] is True
    wrong = await gateway.http.post("/sandbox", data=form | {"stall_s": "long"})
    assert wrong.status_code == 400


async def test_a_profile_button_brings_the_profiles_values(gateway):
    await gateway.http.post("/sandbox", data={"profile": "faithful", "only_profile": "1"})
    faults = (await gateway.http.get("/sandbox/faults")).json()
    assert (faults["profile"], faults["card_delay_max_s"]) == ("faithful", 2.0)


async def test_switches_are_not_changed_by_a_page_of_another_site(gateway):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await gateway.http.put("/sandbox/faults", json={}, headers=headers)
        assert answer.status_code == 403


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


async def _prepare(gateway: Gateway, verb: str) -> tuple[str | None, Act]:
    if verb == "init":
        return None, gateway.init
    payment_id = await (gateway.paid() if verb == "confirm" else gateway.start())
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


class TestTheFaithfulProfile:
    @pytest.fixture
    async def faithful(self, gateway):
        await gateway.faults(profile="faithful", check_stale_open_s=0, check_stale_final_s=0)
        return gateway

    async def test_addresses_are_echoed_and_not_used(self, faithful):
        payment_id = await faithful.start()
        location = (await faithful.pay(payment_id)).headers["location"]
        assert location.startswith(f"{FORM}/result/{payment_id}?success=true")
        assert "20\u00a0000\u00a0000\u00a0₸" in (await faithful.http.get(location)).text

    async def test_dates_are_missing_from_init_and_a_repetition_is_a_duplicate(self, faithful):
        body = (await faithful.init()).json()
        assert body["currency"] is body["expiresAt"] is body["createdAt"] is None
        assert (await faithful.init()).json()["errorCode"] == "1002"

    async def test_confirm_asks_for_no_token_and_changes_nothing(self, faithful):
        payment_id = await faithful.paid()
        for _ in range(2):
            answer = await faithful.confirm(payment_id, token="anything")
            assert (answer.status_code, answer.json()["status"]) == (200, "AUTHORIZED")
        assert await faithful.status(payment_id) == "AUTHORIZED"

    async def test_confirm_is_refused_after_a_quarter_of_an_hour(self, faithful, clock):
        payment_id = await faithful.paid()
        clock.advance(15 * 60 + 1)
        answer = await faithful.confirm(payment_id)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "2100")

    async def test_confirm_is_refused_with_a_hundred_open_payments(self, faithful):
        payment_id = await faithful.paid()
        for number in range(98):
            await faithful.start(f"open-{number}")
        assert (await faithful.confirm(payment_id)).status_code == 200
        await faithful.start("open-98")
        assert (await faithful.confirm(payment_id)).json()["errorCode"] == "2100"

    async def test_cancel_never_succeeds(self, faithful):
        answer = await faithful.cancel(await faithful.start())
        assert (answer.status_code, answer.json()["errorCode"]) == (401, "3001")

    async def test_payments_do_not_expire(self, faithful, clock):
        payment_id = await faithful.start(paymentExpiry=1)
        clock.advance(3600)
        await faithful.pay(payment_id)
        assert await faithful.status(payment_id) == "AUTHORIZED"

    async def test_a_second_post_lands_on_the_failure_page_though_paid(self, faithful):
        payment_id = await faithful.paid()
        location = (await faithful.pay(payment_id)).headers["location"]
        assert "success=false" in location
        assert "Оплата не прошла" in (await faithful.http.get(location)).text

    async def test_payment_ids_collide(self, faithful):
        answers = await asyncio.gather(*(faithful.init(f"bk-{n}") for n in range(400)))
        codes = {answer.json()["errorCode"] for answer in answers if answer.status_code == 500}
        assert codes == {"9999"}

    async def test_checks_come_from_a_cache(self, faithful, clock):
        await faithful.faults(profile="faithful")
        payment_id = await faithful.start()
        assert await faithful.status(payment_id) == "NEW"
        await faithful.pay(payment_id, NO_FUNDS)
        assert await faithful.status(payment_id) == "NEW"
        clock.advance(30)
        assert await faithful.status(payment_id) == "REJECTED"

    async def test_only_the_profiles_address_hears_and_nothing_of_init(self, tmp_path, clock):
        receiver = Merchant()
        async with (
            served(receiver, free_port()) as merchant,
            open_gateway(
                tmp_path / "b.db", clock, "http://127.0.0.1:9/", notification_url=f"{merchant}/hook"
            ) as gateway,
        ):
            await gateway.faults(profile="faithful")
            await gateway.pay(await gateway.start())
            await receiver.wait_for(2)
            assert receiver.words() == ["FORM_SHOWED", "AUTHORIZED"]


async def test_amounts_and_tokens_of_the_stand_are_the_contracts():
    assert token(AMOUNT, "KZT", "bk-000456-1", PASSWORD, TEAM).startswith("81dac43e")
