"""The gateway client: each answer is done, refused or unknown, and nothing is repeated."""

import json

import pytest

from sales.gateway import (
    Accepted,
    Found,
    Offered,
    Refused,
    ReturnUrls,
    Unknown,
)
from sales.gateway_toleubar import AMOUNT_NAMED_MAX, ToleuBar
from sales.gateway_wire import Answer, WireError

URLS = ReturnUrls("http://shop/ok", "http://shop/no", "http://shop/hook")


class ToldWire:
    """Gives the answers it was told to, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def post(self, path, body):
        self.asked.append((path, json.loads(body)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self):
        pass


def client(wire):
    return ToleuBar(
        "http://gateway:8083/",
        team_slug="toleubar-demo",
        password="Kokdala-2025!",
        wire=wire,
    )


def told(status, body):
    return Answer(status, json.dumps(body).encode())


def ok(**body):
    return told(200, {"success": True, **body})


def no(status, code):
    return told(status, {"success": False, "errorCode": code, "message": "no"})


async def init(wire):
    return await client(wire).init(
        order_id="bk-000456-1",
        amount=20_000_000,
        description="д" * 200,
        expiry_min=12,
        urls=URLS,
    )


async def check(wire, payment_id=None):
    return await client(wire).check(payment_id=payment_id, order_id="bk-000456-1")


async def test_init_sends_what_the_contract_asks_for():
    wire = ToldWire(ok(paymentId="17556000001234", paymentURL="http://gateway/form", status="NEW"))
    assert await init(wire) == Offered("17556000001234", "http://gateway/form")
    path, body = wire.asked[0]
    assert path == "/api/v1/PaymentInit/init"
    assert body["token"] == "81dac43e9269024f14b760c7c870f0ee9326e4bae1d00b84d2cb30fc4c94924b"
    assert (body["amount"], body["currency"], body["paymentExpiry"]) == (20_000_000, "KZT", 12)
    assert len(body["description"]) == 140
    assert body["notificationURL"] == "http://shop/hook"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (no(400, "1100"), Refused("1100", "no")),
        (no(402, "1007"), Refused("1007", "no")),
        (no(422, "1422"), Refused("1422", "no")),
        (told(401, {"errorCode": "TOKEN_INVALID"}), Refused("TOKEN_INVALID", "")),
        (
            told(400, {"title": "One or more", "status": 400, "errors": {}}),
            Refused("http-400", "One or more"),
        ),
        (Answer(404, b"<html>"), Refused("http-404", "")),
    ],
)
async def test_a_clear_no_is_refused(answer, outcome):
    assert await init(ToldWire(answer)) == outcome


@pytest.mark.parametrize(
    "answer",
    [
        no(409, "1002"),
        no(408, "1408"),
        no(429, "1429"),
        no(500, "9999"),
        no(503, "3503"),
        Answer(502, b"bad gateway"),
        Answer(200, b"<html>not JSON"),
        told(200, [1]),
        told(200, {"success": False, "errorCode": "0"}),
        told(200, {"success": True}),
        told(200, {"success": True, "paymentId": 17}),
        Answer(200, b"\xff"),
        Answer(200, b"[" * 100_000),
        Answer(302, b""),
        WireError("refused"),
    ],
)
async def test_whatever_is_not_clear_is_unknown_and_not_tried_again(answer):
    wire = ToldWire(answer)
    assert isinstance(await init(wire), Unknown)
    assert len(wire.asked) == 1


async def test_check_asks_by_payment_id_where_there_is_one():
    payment = {
        "paymentId": "17556000001234",
        "orderId": "bk-000456-1",
        "status": "AUTHORIZED",
        "amount": 20_000_000.0,
        "currency": None,
    }
    wire = ToldWire(ok(payments=[payment], totalCount=1), ok(payments=[payment]))
    found = Found("17556000001234", "bk-000456-1", "AUTHORIZED", 20_000_000)
    assert await check(wire, "17556000001234") == found
    assert await check(wire) == found
    assert "orderId" not in wire.asked[0][1]
    assert "paymentId" not in wire.asked[1][1]
    assert wire.asked[1][1]["token"].startswith("84a4a65a")


async def test_a_payment_the_gateway_does_not_know_is_a_refusal():
    assert await check(ToldWire(no(404, "1404"))) == Refused("1404", "no")


PAYMENT = {"paymentId": "17", "orderId": "bk-000456-1", "status": "CONFIRMED", "amount": 100}


@pytest.mark.parametrize(
    "payments",
    [
        [],
        [{}],
        "x",
        None,
        [{"paymentId": 1}],
        [{"paymentId": "1", "orderId": "2"}],
        *(
            [PAYMENT | wrong]
            for wrong in (
                {"paymentId": "18"},
                {"paymentId": ""},
                {"paymentId": "1 OR 1"},
                {"paymentId": "9" * 51},
                {"orderId": None},
                {"status": 3},
                {"amount": "100"},
                {"amount": 99.5},
                {"amount": 1e400},
                {"amount": None},
                {"currency": "USD"},
                {"currency": 398},
            )
        ),
    ],
    ids=repr,
)
async def test_a_check_that_answers_oddly_tells_nothing(payments):
    assert isinstance(await check(ToldWire(ok(payments=payments)), "17"), Unknown)


@pytest.mark.parametrize(
    "wrong",
    [
        {"paymentId": None},
        {"paymentId": 17},
        {"paymentId": "../../x"},
        {"paymentId": "9" * 51},
        {"orderId": "bk-000456-2"},
        {"amount": 1},
        {"amount": "20000000"},
        {"amount": -20_000_000},
        {"currency": "USD"},
    ],
    ids=repr,
)
async def test_an_init_that_answers_about_something_else_is_asked_about(wrong):
    good = {"paymentId": "17", "orderId": "bk-000456-1", "amount": 20_000_000.0}
    assert isinstance(await init(ToldWire(ok(**good))), Offered)
    assert isinstance(await init(ToldWire(ok(**good | wrong))), Unknown)


@pytest.mark.parametrize(
    "url",
    [
        *(None, 5, "", "/form/17", "javascript:alert(1)", "//evil", "http://", "http://["),
        *("http://ё/", "http://gateway/form\r\nX: y", "http://gateway/" + "x" * 2048),
    ],
    ids=lambda url: repr(url)[:30],
)
async def test_a_form_that_no_browser_may_be_sent_to_is_not_believed(url):
    offered = await init(ToldWire(ok(paymentId="17", paymentURL=url)))
    assert offered == Offered("17", "http://gateway:8083/api/v1/paymentform/render/17")


async def test_what_was_done_to_another_payment_was_not_done_to_ours():
    for told_id, kind in (("17", Accepted), (None, Accepted), ("18", Unknown), (17, Unknown)):
        assert await after_yes(paymentId=told_id) == (kind, kind)


@pytest.mark.parametrize(
    ("status", "confirmed", "cancelled"),
    [
        (None, Accepted, Accepted),
        ("CONFIRMED", Accepted, Unknown),
        ("AUTHORIZED", Accepted, Unknown),
        ("CANCELLED", Unknown, Accepted),
        ("REFUNDED", Unknown, Accepted),
        ("REJECTED", Unknown, Unknown),
        ("EXPIRED", Unknown, Unknown),
        ({"a": 1}, Unknown, Unknown),
    ],
)
async def test_a_yes_that_tells_of_the_opposite_is_asked_about(status, confirmed, cancelled):
    assert await after_yes(paymentId="17", status=status) == (confirmed, cancelled)


async def after_yes(**told) -> tuple[type, type]:
    """What confirm and cancel make of it."""
    gateway = client(ToldWire(ok(**told), ok(**told)))
    confirmed = await gateway.confirm(payment_id="17", amount=100, key="k")
    cancelled = await gateway.cancel(payment_id="17", reason="buyer", key="k")
    return type(confirmed), type(cancelled)


@pytest.mark.parametrize(
    ("amount", "named"), [(AMOUNT_NAMED_MAX, AMOUNT_NAMED_MAX), (AMOUNT_NAMED_MAX + 1, None)]
)
async def test_confirm_leaves_out_an_amount_the_gateway_cannot_read(amount, named):
    wire = ToldWire(ok(status="CONFIRMED"))
    outcome = await client(wire).confirm(payment_id="17", amount=amount, key="k")
    assert outcome == Accepted("CONFIRMED")
    assert wire.asked[0][1].get("amount") == named
    assert wire.asked[0][1]["data"] == {"idempotencyKey": "k"}


async def test_cancel_never_names_an_amount():
    wire = ToldWire(ok(status="CANCELLED"), no(409, "3409"))
    gateway = client(wire)
    assert await gateway.cancel(payment_id="17", reason="buyer", key="k") == Accepted("CANCELLED")
    assert await gateway.cancel(payment_id="17", reason="buyer", key="k") == Refused("3409", "no")
    assert "amount" not in wire.asked[0][1]


async def test_the_form_is_found_from_the_payment_id_alone():
    assert client(ToldWire()).form_url("17") == "http://gateway:8083/api/v1/paymentform/render/17"


@pytest.mark.parametrize(
    ("answer", "is_trouble"),
    [
        (no(409, "1002"), False),
        (no(503, "3503"), False),
        (no(408, "1408"), True),
        (no(429, "1429"), True),
        (no(500, "9999"), True),
        (WireError("refused"), True),
    ],
)
async def test_a_doubtful_answer_of_a_gateway_that_works_is_no_trouble(answer, is_trouble):
    outcome = await init(ToldWire(answer))
    assert (outcome.is_trouble, outcome.wait_s) == (is_trouble, 0)
