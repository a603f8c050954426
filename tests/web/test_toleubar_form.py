"""The payer's pages over real HTTP: contract §2.5 and §8."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from tests.web.toleubar_stand import (
    APPROVED,
    FAIL_URL,
    LUCKY,
    NO_FUNDS,
    SUCCESS_URL,
    Gateway,
    open_gateway,
)

FORM = "/api/v1/paymentform"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def gateway(tmp_path, clock) -> AsyncIterator[Gateway]:
    async with open_gateway(tmp_path / "books.db", clock) as opened:
        yield opened


async def test_the_form_shows_what_is_paid_for_and_how_to_leave(gateway):
    payment_id = await gateway.start(description="Концерт <b>", paymentExpiry=14)
    page = (await gateway.http.get(f"{FORM}/render/{payment_id}")).text
    assert "200\u00a0000\u00a0₸" in page
    assert "bk-1" in page
    assert "Biletter" in page
    assert "Концерт &lt;b&gt;" in page
    assert f'href="{FAIL_URL}"' in page
    assert 'data-left-s="840"' in page
    assert f'action="{FORM}/submit"' in page


async def test_the_form_has_the_contracts_fields(gateway):
    page = (await gateway.http.get(f"{FORM}/render/{await gateway.start()}")).text
    assert set(re.findall(r'\bname="(\w+)"', page)) - {"viewport", "robots"} == {
        "PaymentId",
        "CardNumber",
        "ExpiryDate",
        "Cvv",
        "CardholderName",
        "Email",
        "CsrfToken",
        "Phone",
        "SaveCard",
        "TermsAgreement",
    }
    for purpose in ("cc-number", "cc-exp", "cc-csc", "cc-name", "email"):
        assert f'autocomplete="{purpose}"' in page


async def test_the_form_may_redirect_to_the_merchant_and_nowhere_else(gateway):
    answer = await gateway.http.get(f"{FORM}/render/{await gateway.start()}")
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https://biletter.example")


async def test_looking_at_the_form_changes_nothing(gateway):
    payment_id = await gateway.start()
    await gateway.http.get(f"{FORM}/render/{payment_id}")
    assert await gateway.status(payment_id) == "NEW"


@pytest.mark.parametrize(
    ("card", "fields", "status", "reason"),
    [
        (APPROVED, {}, "AUTHORIZED", "approved"),
        ("4000 0000 0000 0002", {}, "REJECTED", "declined-by-issuer"),
        (NO_FUNDS, {}, "REJECTED", "insufficient-funds"),
        ("4532 1234 5678 9012", {}, "REJECTED", "bad-number"),
        (APPROVED, {"ExpiryDate": "1229"}, "REJECTED", "bad-expiry"),
        (APPROVED, {"ExpiryDate": "05/26"}, "REJECTED", "bad-expiry"),
        (APPROVED, {"Cvv": "1234"}, "REJECTED", "bad-cvv"),
        ("378282246310005", {"Cvv": "1234"}, "AUTHORIZED", "approved"),
    ],
)
async def test_each_test_card_leads_where_the_table_says(gateway, card, fields, status, reason):
    await gateway.faults(card_decline=0)
    payment_id = await gateway.start()
    answer = await gateway.pay(payment_id, card, **fields)
    expected = SUCCESS_URL if status == "AUTHORIZED" else FAIL_URL
    assert (answer.status_code, answer.headers["location"]) == (302, expected)
    [payment] = (await gateway.books())["payments"]
    assert (payment["status"], payment["reason"]) == (status, reason)
    assert [line["status"] for line in payment["history"]] == ["NEW", "FORM_SHOWED", status]


async def test_a_declined_card_cannot_be_retried_on_the_same_payment(gateway):
    payment_id = await gateway.start()
    await gateway.pay(payment_id, NO_FUNDS)
    assert (await gateway.pay(payment_id, APPROVED)).headers["location"] == FAIL_URL
    assert await gateway.status(payment_id) == "REJECTED"


async def test_an_identical_post_may_be_repeated_and_charges_once(gateway):
    payment_id = await gateway.start()
    answers = await asyncio.gather(*(gateway.pay(payment_id) for _ in range(6)))
    answers.append(await gateway.pay(payment_id))
    assert {answer.headers["location"] for answer in answers} == {SUCCESS_URL}
    [payment] = (await gateway.books())["payments"]
    assert [line["status"] for line in payment["history"]] == ["NEW", "FORM_SHOWED", "AUTHORIZED"]


async def test_an_incomplete_form_comes_back_without_touching_the_payment(gateway):
    payment_id = await gateway.start()
    form = {"PaymentId": payment_id, "CardNumber": APPROVED, "Email": "aru@example.kz"}
    answer = await gateway.http.post(f"{FORM}/submit", data=form, headers=HTML)
    assert answer.status_code == 400
    assert 'id="Cvv-bad"' in answer.text
    assert 'id="Email-bad"' not in answer.text
    assert 'value="aru@example.kz"' in answer.text
    assert "4111" not in answer.text.partition("<details")[0]  # the card is never echoed
    assert await gateway.status(payment_id) == "NEW"
    machine = await gateway.http.post(f"{FORM}/submit", data=form)
    assert set(machine.json()["errors"]) == {"ExpiryDate", "Cvv", "CardholderName"}


async def test_nobodys_payment_is_refused(gateway):
    for verb in ("render", "result"):
        assert (await gateway.http.get(f"{FORM}/{verb}/17556000001234")).status_code == 404
        assert (await gateway.http.get(f"{FORM}/{verb}/a%20b")).status_code == 400
    assert (await gateway.pay("17556000001234")).status_code == 404
    empty = await gateway.http.post(f"{FORM}/submit", data={"CardNumber": APPROVED})
    assert set(empty.json()["errors"]) == {"PaymentId"}


async def test_after_the_card_the_form_is_a_page_of_how_it_stands(gateway):
    payment_id = await gateway.paid()
    page = (await gateway.http.get(f"{FORM}/render/{payment_id}")).text
    assert 'data-status="AUTHORIZED"' in page
    assert "CardNumber" not in page
    assert f'href="{SUCCESS_URL}"' in page


@pytest.mark.parametrize(
    ("card", "success"), [(APPROVED, "true"), (NO_FUNDS, "false")], ids=["approved", "declined"]
)
async def test_without_addresses_the_payer_ends_on_the_gateways_page(gateway, card, success):
    payment_id = await gateway.start(successURL=None, failURL=None)
    location = (await gateway.pay(payment_id, card)).headers["location"]
    assert location.startswith(f"{FORM}/result/{payment_id}?success={success}&message=")
    page = await gateway.http.get(location)
    assert page.status_code == 200
    assert ("На карте недостаточно средств." in page.text) == (success == "false")


async def test_the_result_page_believes_the_books_and_not_its_address(gateway):
    payment_id = await gateway.start()
    page = await gateway.http.get(f"{FORM}/result/{payment_id}?success=true&message=paid")
    assert 'data-status="NEW"' in page.text
    assert "Оплата не завершена" in page.text


@pytest.mark.parametrize(("share", "status"), [(0, "AUTHORIZED"), (1, "REJECTED")])
async def test_an_ordinary_card_is_declined_by_chance(gateway, share, status):
    await gateway.faults(card_decline=share)
    payment_id = await gateway.start()
    await gateway.pay(payment_id, LUCKY)
    assert await gateway.status(payment_id) == status


async def test_forms_rendered_from_one_blank_have_each_its_own_payment(gateway):
    bodies = []
    for number, description in ((1, "<b>"), (2, "Заказ 2"), (3, None)):
        payment_id = await gateway.start(
            f"bk-{number}", amount=1_000 * number * 10, description=description
        )
        body = (await gateway.http.get(f"{FORM}/render/{payment_id}")).text
        assert f'name="PaymentId" value="{payment_id}"' in body
        assert f"<dd>bk-{number}</dd>" in body
        assert f'data-amount="{10_000 * number}"' in body
        assert "\ue000" not in body
        bodies.append(body)
    assert "<dd>&lt;b&gt;</dd>" in bodies[0]
    assert "<dd>Заказ 2</dd>" in bodies[1]
    assert bodies[2].count("<dd>") == bodies[0].count("<dd>") - 1
    tokens = re.findall(r'CsrfToken" value="([^"]+)"', "".join(bodies))
    assert len(set(tokens)) == 3
