"""check, confirm, cancel and self-service over real HTTP: contract §2.2 to §2.4, §9."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kernel.clock import ManualClock
from tests.web.toleubar_stand import (
    AMOUNT,
    FAIL_URL,
    LUCKY,
    NO_FUNDS,
    PASSWORD,
    TEAM,
    Gateway,
    code_of,
    open_gateway,
    token,
)


@pytest.fixture
async def gateway(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.db", clock, admin_token="adm") as opened:
        yield opened


@pytest.mark.parametrize(
    ("verb", "fields", "named"),
    [
        ("init", {"amount": 2_147_483_648, "orderId": "a b"}, {"token", "amount", "orderId"}),
        ("check", {"paymentId": "1" * 51}, {"token", "paymentId"}),
        ("confirm", {"paymentId": "a b", "amount": 50_000_001}, {"token", "paymentId", "amount"}),
        ("cancel", {"amount": 0}, {"token", "paymentId", "amount"}),
    ],
)
async def test_wrong_fields_are_a_problem_document(gateway, verb, fields, named):
    answer = await gateway.call(verb, **fields)
    problem = answer.json()
    assert answer.status_code == problem["status"] == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem["errors"]) == named
    assert "success" not in problem
    assert problem["title"]


async def test_check_tells_how_a_payment_stands(gateway):
    payment_id = await gateway.start()
    body = (await gateway.check(payment_id)).json()
    assert (body["success"], body["totalCount"], body["orderId"]) == (True, 1, "bk-1")
    [payment] = body["payments"]
    assert (payment["paymentId"], payment["status"]) == (payment_id, "NEW")
    assert (payment["amount"], payment["currency"]) == (AMOUNT, "KZT")


async def test_check_refuses_with_the_contracts_code(gateway):
    payment_id = await gateway.start()
    assert code_of(await gateway.check("17556000001234")) == (404, "1404")
    assert code_of(await gateway.call("check", token="x")) == (400, "1100")
    wrong = await gateway.call("check", token="x", paymentId=payment_id)
    assert code_of(wrong) == (401, "TOKEN_INVALID")


async def test_confirm_captures_what_was_authorised(gateway):
    payment_id = await gateway.paid()
    body = (await gateway.confirm(payment_id, amount=AMOUNT)).json()
    assert (body["success"], body["status"]) == (True, "CONFIRMED")
    assert body["authorizedAmount"] == body["confirmedAmount"] == AMOUNT
    assert body["remainingAmount"] == 0
    assert await gateway.status(payment_id) == "CONFIRMED"


async def test_an_amount_above_the_cap_is_confirmed_by_leaving_it_out(gateway):
    payment_id = await gateway.paid(amount=50_000_001)
    assert (await gateway.confirm(payment_id)).status_code == 200


@pytest.mark.parametrize("order", ["apts", "aptt", "atps"])
async def test_confirm_takes_each_formula_of_the_documents(gateway, order):
    payment_id = await gateway.paid()
    formulas = {
        "apts": (AMOUNT, payment_id, TEAM, PASSWORD),
        "aptt": (AMOUNT, payment_id, PASSWORD, TEAM),
        "atps": (AMOUNT, PASSWORD, payment_id, TEAM),
    }
    answer = await gateway.confirm(payment_id, amount=AMOUNT, token=token(*formulas[order]))
    assert answer.status_code == 200


async def test_confirm_refuses_with_the_contracts_code(gateway):
    new = await gateway.start("bk-1")
    assert code_of(await gateway.confirm(new)) == (409, "2409")
    assert code_of(await gateway.confirm("17556000001234")) == (404, "2404")
    assert code_of(await gateway.confirm(new, token="anything")) == (401, "TOKEN_INVALID")
    paid = await gateway.paid("bk-2")
    assert code_of(await gateway.confirm(paid, amount=AMOUNT - 1)) == (400, "2100")
    assert (await gateway.confirm(paid)).status_code == 200
    assert code_of(await gateway.confirm(paid)) == (409, "2409")


async def test_a_confirm_with_its_key_is_answered_again_for_half_an_hour(gateway, clock):
    payment_id = await gateway.paid()
    first = await gateway.confirm(payment_id, data={"idempotencyKey": "k"})
    clock.advance(29 * 60)
    again = await gateway.confirm(payment_id, data={"idempotencyKey": "k"})
    assert first.status_code == 200
    assert again.content == first.content
    clock.advance(2 * 60)
    late = await gateway.confirm(payment_id, data={"idempotencyKey": "k"})
    assert code_of(late) == (409, "2409")


async def test_of_two_confirms_at_one_time_one_captures(gateway):
    payment_id = await gateway.paid()
    answers = await asyncio.gather(*(gateway.confirm(payment_id) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


@pytest.mark.parametrize(
    ("start", "status", "kind"),
    [
        ("NEW", "CANCELLED", "FULL_CANCELLATION"),
        ("AUTHORIZED", "CANCELLED", "FULL_REVERSAL"),
        ("CONFIRMED", "REFUNDED", "FULL_REFUND"),
    ],
)
async def test_cancel_leads_where_the_table_says(gateway, start, status, kind):
    payment_id = await (gateway.start() if start == "NEW" else gateway.paid())
    if start == "CONFIRMED":
        await gateway.confirm(payment_id)
    body = (await gateway.cancel(payment_id, reason="ticket returned")).json()
    assert (body["status"], body["cancellationType"]) == (status, kind)
    assert (body["originalAmount"], body["remainingAmount"]) == (AMOUNT, 0)
    assert (body["refund"] is not None) == (kind == "FULL_REFUND")
    assert await gateway.status(payment_id) == status
    assert code_of(await gateway.cancel(payment_id)) == (409, "3409")


async def test_cancel_refuses_with_the_contracts_code(gateway):
    payment_id = await gateway.start()
    assert code_of(await gateway.cancel("17556000001234")) == (404, "3404")
    assert code_of(await gateway.cancel(payment_id, token="x")) == (401, "TOKEN_INVALID")
    assert code_of(await gateway.cancel(payment_id, amount=AMOUNT - 1)) == (422, "3422")
    assert code_of(await gateway.cancel(payment_id, amount=AMOUNT + 1)) == (400, "3100")
    assert (await gateway.cancel(payment_id, amount=AMOUNT)).status_code == 200
    declined = await gateway.start("bk-2")
    await gateway.pay(declined, NO_FUNDS)
    assert code_of(await gateway.cancel(declined)) == (409, "3409")


async def test_a_cancel_with_its_request_id_is_answered_again(gateway):
    payment_id = await gateway.start()
    first = await gateway.cancel(payment_id, data={"externalRequestId": "r"})
    again = await gateway.cancel(payment_id, data={"externalRequestId": "r"})
    assert first.status_code == 200
    assert again.content == first.content


async def test_a_payment_nobody_paid_expires(gateway, clock: ManualClock):
    payment_id = await gateway.start(paymentExpiry=14)
    clock.advance(14 * 60 - 1)
    assert await gateway.status(payment_id) == "NEW"
    clock.advance(1)
    assert await gateway.status(payment_id) == "EXPIRED"
    assert (await gateway.pay(payment_id)).headers["location"] == FAIL_URL
    assert await gateway.status(payment_id) == "EXPIRED"


async def test_an_authorised_payment_does_not_expire(gateway, clock):
    payment_id = await gateway.paid(paymentExpiry=1)
    clock.advance(3600)
    assert (await gateway.confirm(payment_id)).status_code == 200


async def test_the_profile_wants_the_merchants_password(gateway):
    path = "/api/v1/TeamManagement/profile"
    for auth in (None, (TEAM, "wrong"), ("ermek", PASSWORD)):
        answer = await gateway.http.get(path, auth=auth)
        assert answer.status_code == 401
        assert "Basic" in answer.headers["www-authenticate"]
    profile = (await gateway.http.get(path, auth=(TEAM, PASSWORD))).json()
    assert (profile["teamSlug"], profile["webhookRetryAttempts"]) == (TEAM, 3)
    assert profile["usageStats"]["paymentsToday"] == 0


async def test_a_wrong_change_of_the_profile_changes_nothing(gateway):
    path, auth = "/api/v1/TeamManagement/profile", (TEAM, PASSWORD)
    answer = await gateway.http.put(path, json={"notificationUrl": "nowhere"}, auth=auth)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"notificationUrl"})
    assert (await gateway.http.get(path, auth=auth)).json()["notificationUrl"] is None


async def test_the_books_are_cleared_by_the_admins_token_alone(gateway):
    await gateway.start()
    path = "/api/v1/Admin/clear-team-data/"
    assert (await gateway.http.post(path + TEAM)).status_code == 401
    for name, secret, status in ((TEAM, "x", 403), ("other", "adm", 404), (TEAM, "adm", 200)):
        answer = await gateway.http.post(path + name, headers={"X-Admin-Token": secret})
        assert answer.status_code == status
    assert (await gateway.books())["payments"] == []
    whole = await gateway.http.post(
        "/api/v1/Admin/clear-database", headers={"X-Admin-Token": "adm"}
    )
    assert whole.json() == {"success": True, "deleted": 0}


async def test_it_says_that_it_is_well_and_counts(gateway):
    await gateway.pay(await gateway.start(), LUCKY)
    for path in ("/health", "/health/live", "/health/ready"):
        assert (await gateway.http.get(path)).status_code == 200
    assert "toleubar_payments_total" in (await gateway.http.get("/metrics")).text
