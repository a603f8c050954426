"""init over real HTTP: contract §2.1, and its rows of §9."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.web.toleubar_stand import (
    AMOUNT,
    CALLS,
    PASSWORD,
    SUCCESS_URL,
    TEAM,
    Gateway,
    code_of,
    open_gateway,
    token,
)


@pytest.fixture
async def gateway(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.db", clock) as opened:
        yield opened


async def test_init_answers_with_the_payment_and_the_address_of_its_form(gateway):
    answer = await gateway.init()
    body = answer.json()
    assert body["paymentId"].isdigit()
    assert body["paymentURL"] == f"{gateway.base}/api/v1/paymentform/render/{body['paymentId']}"
    assert (body["success"], body["status"], body["errorCode"]) == (True, "NEW", "0")
    assert (body["amount"], body["orderId"], body["message"]) == (AMOUNT, "bk-1", None)
    assert body["expiresAt"] == "2026-06-01T12:30:00.0000000Z"
    assert body["details"]["successURL"] == SUCCESS_URL


async def test_the_worked_examples_are_taken_as_they_stand_in_the_contract(gateway):
    answer = await gateway.call(
        "init",
        token="81dac43e9269024f14b760c7c870f0ee9326e4bae1d00b84d2cb30fc4c94924b",
        amount=AMOUNT,
        orderId="bk-000456-1",
    )
    assert answer.status_code == 200
    by_order = await gateway.call(
        "check",
        token="84a4a65ae40078b08850b7ecb7633bd6e071f8b388caeee8762ccf4633d6a7c7",
        orderId="bk-000456-1",
    )
    assert by_order.json()["payments"][0]["paymentId"] == answer.json()["paymentId"]


async def test_an_amount_is_hashed_as_it_was_written(gateway):
    signed = token("20000000.00", "KZT", "bk-1", PASSWORD, TEAM)
    body = f'{{"teamSlug":"{TEAM}","token":"{signed}","amount":20000000.00,"orderId":"bk-1"}}'
    answer = await gateway.http.post(CALLS["init"], content=body)
    assert answer.status_code == 200
    assert b'"amount":20000000.00,' in answer.content
    wrong = body.replace("20000000.00", "20000000")
    assert code_of(await gateway.http.post(CALLS["init"], content=wrong)) == (401, "TOKEN_INVALID")


async def test_paths_and_keys_are_taken_in_any_case(gateway):
    signed = token(AMOUNT, "KZT", "bk-1", PASSWORD, TEAM)
    body = {"TEAMSLUG": TEAM, "Token": signed, "AMOUNT": AMOUNT, "orderid": "bk-1"}
    answer = await gateway.http.post("/API/v1/paymentINIT/Init", json=body)
    assert answer.status_code == 200


async def test_a_repeated_init_returns_the_first_answer(gateway, clock):
    first = await gateway.init()
    clock.advance(5)
    again = await gateway.init()
    assert again.content == first.content
    assert (await gateway.books())["totals"] == {"NEW": {"count": 1, "amount": AMOUNT}}


@pytest.mark.parametrize(
    "changed", [{"amount": AMOUNT + 1}, {"failURL": SUCCESS_URL}, {"description": "other"}]
)
async def test_an_order_asked_for_otherwise_is_a_duplicate(gateway, changed):
    await gateway.init()
    assert code_of(await gateway.init(**changed)) == (409, "1002")


async def test_inits_of_one_order_at_one_time_make_one_payment(gateway):
    answers = await asyncio.gather(*(gateway.init() for _ in range(20)))
    assert len({answer.json()["paymentId"] for answer in answers}) == 1


async def test_payment_ids_do_not_collide_within_a_second(gateway):
    answers = await asyncio.gather(*(gateway.init(f"bk-{n}") for n in range(150)))
    assert len({answer.json()["paymentId"] for answer in answers}) == 150


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"amount": 999}, (400, "1004")),
        ({"currency": "GBP"}, (400, "1006")),
        ({"customerKey": "someone"}, (400, "1003")),
        ({"token": "0" * 64}, (401, "TOKEN_INVALID")),
        ({"token": token(AMOUNT, "KZT", "bk-1", PASSWORD, TEAM).upper()}, (401, "TOKEN_INVALID")),
        ({"teamSlug": "ermek"}, (401, "TOKEN_INVALID")),
        (
            {"items": [{"name": "a", "quantity": 2, "price": 10, "amount": 21.5}]},
            (400, "1100"),
        ),
        (
            {"items": [{"name": "a", "quantity": 1, "price": 10, "amount": 10}]},
            (400, "1100"),
        ),
    ],
)
async def test_init_refuses_with_the_contracts_code(gateway, fields, refusal):
    assert code_of(await gateway.init(**fields)) == refusal
    assert (await gateway.books())["payments"] == []


@pytest.mark.parametrize("amount", [1_000, 2_147_483_647])
async def test_amounts_at_the_bounds_are_taken(gateway, amount):
    assert (await gateway.init(amount=amount)).status_code == 200


async def test_a_query_parameter_spoils_the_token(gateway):
    signed = token(AMOUNT, "KZT", "bk-1", PASSWORD, TEAM)
    body = {"teamSlug": TEAM, "token": signed, "amount": AMOUNT, "orderId": "bk-1"}
    answer = await gateway.http.post(CALLS["init"] + "?a=1", json=body)
    assert code_of(answer) == (401, "TOKEN_INVALID")


async def test_limits_of_the_profile_refuse_an_init(gateway):
    async def limit(**limits: int) -> None:
        answer = await gateway.http.put(
            "/api/v1/TeamManagement/profile", json=limits, auth=(TEAM, PASSWORD)
        )
        assert answer.status_code == 200

    await limit(maxPaymentAmount=199_999)
    assert code_of(await gateway.init()) == (400, "1005")
    await limit(maxPaymentAmount=200_000, minPaymentAmount=200_000)
    assert (await gateway.init()).status_code == 200
    assert code_of(await gateway.init("bk-2", amount=AMOUNT - 1)) == (400, "1004")
    await limit(dailyPaymentLimit=399_999)
    assert code_of(await gateway.init("bk-2")) == (402, "1007")
