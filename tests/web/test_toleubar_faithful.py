"""The faithful profile repeats what the real service was seen to do (contract §1)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.web.toleubar_stand import (
    NO_FUNDS,
    Gateway,
    Merchant,
    free_port,
    open_gateway,
    served,
)

FORM = "/api/v1/paymentform"
Act = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
async def gateway(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.db", clock) as opened:
        yield opened


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

    async def test_confirm_is_refused_with_a_hundred_open_payments(self, faithful, clock):
        payment_id = await faithful.paid()
        for number in range(98):
            clock.advance(1)  # ids collide within a second
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
