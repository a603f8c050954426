"""Reading requests as the gateway does (contract §2, §9)."""

from decimal import Decimal

import pytest

from sandbox.toleubar.fields import is_web_address, read_fields
from sandbox.toleubar.init_request import read_init
from sandbox.toleubar.refusals import FieldsRefused

GOOD = {
    "teamSlug": '"toleubar-demo"',
    "token": '"t"',
    "amount": "20000000",
    "orderId": '"bk-000456-1"',
}


def body(**changed: str | None) -> bytes:
    fields = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode()


def refused(raw: bytes) -> set[str]:
    with pytest.raises(FieldsRefused) as refusal:
        read_init(read_fields(raw))
    return set(refusal.value.errors)


def test_an_amount_is_kept_as_it_was_written():
    assert format(read_init(read_fields(body(amount="20000000.00"))).amount, "f") == "20000000.00"
    assert format(read_init(read_fields(body(amount="2e7"))).amount, "f") == "20000000"


def test_keys_are_read_in_any_case():
    request = read_init(read_fields(body(orderId=None, ORDERID='"x"')))
    assert (request.order_id, request.currency, request.expiry_minutes) == ("x", "KZT", 30)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("teamSlug", None),
        ("token", None),
        ("amount", None),
        ("orderId", None),
        ("teamSlug", "7"),
        ("teamSlug", f'"{"a" * 51}"'),
        ("token", f'"{"a" * 257}"'),
        ("amount", '"20000000"'),
        ("amount", "true"),
        ("amount", "2147483648"),
        ("amount", "1e999999999"),
        ("amount", "0.000000000000000000000000000000000001"),
        ("orderId", '"a b"'),
        ("orderId", f'"{"a" * 37}"'),
        ("orderId", '"a\\n"'),
        ("currency", '"TENGE"'),
        ("payType", '"X"'),
        ("description", f'"{"a" * 141}"'),
        ("email", '"nobody"'),
        ("phone", '"12"'),
        ("language", '"de"'),
        ("successURL", '"/here"'),
        ("failURL", '"javascript:alert(1)"'),
        ("notificationURL", '"ftp://a.kz/"'),
        ("notificationURL", f'"http://a.kz/{"a" * 2048}"'),
        ("paymentExpiry", "0"),
        ("paymentExpiry", "43201"),
        ("paymentExpiry", "1.5"),
        ("items", "{}"),
        ("items", "[{}]"),
    ],
)
def test_each_wrong_field_is_named(field, value):
    assert refused(body(**{field: value})) == {field}


def test_all_wrong_fields_are_named_at_once():
    assert refused(b'{"orderId": "a b", "amount": "x"}') == {
        "teamSlug",
        "token",
        "amount",
        "orderId",
    }


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"amount": NaN}', b"[" * 100_000])
def test_what_is_not_json_is_refused_as_a_whole(raw):
    assert refused(raw) == {"$"}


@pytest.mark.parametrize("raw", [b"null", b"[]", b"7"])
def test_what_is_no_object_is_refused_as_a_whole(raw):
    assert refused(raw) == {""}


def test_items_must_add_up_line_by_line():
    line = '[{"name":"a","quantity":2,"price":1000,"amount":2000}]'
    assert read_init(read_fields(body(items=line))).items_amount == Decimal(2000)


def test_web_addresses_are_absolute_http():
    assert is_web_address("https://biletter.example/api?orderId=1")
    for url in ("", "https://", "//a.kz", "http://a.kz:x/", "http://a.kz/ b", "mailto:a@b.kz"):
        assert not is_web_address(url)
    assert not is_web_address("http://қала.kz/")
