"""Small parts of the hot calls, beside the libraries' own that they stand for."""

import hmac
from http.cookies import SimpleCookie

import pytest
from prometheus_client import CollectorRegistry

from kernel.counter import PlainCounter
from kernel.mac import Mac
from kernel.web.cookies import cookie_in


@pytest.mark.parametrize("key_bytes", [0, 1, 32, 63, 64, 65, 200])
@pytest.mark.parametrize("message", [b"", b"a", b"x" * 1000])
def test_a_mac_is_the_librarys(key_bytes: int, message: bytes):
    key = bytes(n % 251 for n in range(key_bytes))
    mac = Mac(key)
    assert mac.digest(message) == hmac.digest(key, message, "sha256")
    assert mac.digest(message) == hmac.digest(key, message, "sha256")


def test_a_plain_counter_is_told_as_a_counter():
    registry = CollectorRegistry()
    counter = PlainCounter("calls", "Calls", ["method", "status"], registry)
    counter.counts["GET", "200"] += 2
    counter.counts["POST", "429"] += 1
    found = {"method": "GET", "status": "200"}
    assert registry.get_sample_value("calls_total", found) == 2
    found = {"method": "POST", "status": "429"}
    assert registry.get_sample_value("calls_total", found) == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "a=1",
        "place=abc.DEF-_~",
        "place=abc; other=2",
        "other=2; place=abc",
        "other=2;place=abc",
        "replace=1; place=abc",
        "replace=1",
        "xplace=1; place=abc; place2=3",
        "place=",
        'place="a b"',
        "place=abc; place=def",
        "place = abc",
        "other=place=abc",
        "place",
        "place=a%20b",
    ],
)
def test_one_cookie_is_found_as_by_reading_them_all(header: str):
    found = SimpleCookie(header).get("place")
    assert cookie_in(header.encode(), "place") == (found.value if found else None)
