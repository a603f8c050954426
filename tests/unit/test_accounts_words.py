"""Addresses, the Basic header, cookies and the window of guesses: no store needed."""

import base64
import unicodedata

import pytest

from accounts.accounts import WrongCredentials
from accounts.addresses import BadEmail, read_email
from accounts.attempts import GUESSES_MAX, SOMEBODY, WINDOW_MS, Attempts, TooManyGuesses
from accounts.basic import read_basic
from accounts.cookies import cookie_line, device_in, new_device
from accounts.passwords import WeakPassword, check_strength
from accounts.people import split_name


def header_of(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Aru@Mail.KZ ", "aru@mail.kz"),
        ("әбілхан_һасен_7@mail.kz", "әбілхан_һасен_7@mail.kz"),
        ("ЖАНІБЕК@почта.қаз", "жанібек@почта.қаз"),
        (unicodedata.normalize("NFD", "й@mail.kz"), "й@mail.kz"),
        ("o'neil+tickets@sub.mail.co.uk", "o'neil+tickets@sub.mail.co.uk"),
    ],
)
def test_an_address_has_one_spelling(typed, kept):
    assert read_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *["", "aru", "test", "@mail.kz", "aru@", "aru@mail", "a b@mail.kz", "aru@mail..kz"],
        *["aru@-.kz", "a:b@mail.kz", "a@b@mail.kz", "aru@mail.kz\x00", "\ud800@mail.kz"],
        *["x" * 65 + "@mail.kz", "a@" + "b" * 260 + ".kz"],
        # Nobody sees these: they hide, turn the line around, or look like nothing at all.
        *["aru\u200b@mail.kz", "aru\u202e@mail.kz", "\ufeffaru@mail.kz", "aru@ma\u00adil.kz"],
        *["aru\u0085@mail.kz", "aru\ue000@mail.kz", "aru\u2066@mail.kz"],
    ],
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(BadEmail):
        read_email(typed)


def test_basic_is_split_at_the_first_colon_only():
    assert read_basic(header_of("bek@mail.kz:a:b:")) == ("bek@mail.kz", "a:b:")


def test_basic_keeps_backslashes_quotes_and_cyrillic_letters():
    assert read_basic(header_of('әбі_һ@mail.kz:\\"n\\\\,ж')) == ("әбі_һ@mail.kz", '\\"n\\\\,ж')


def test_the_scheme_of_basic_has_no_case_and_other_schemes_are_not_ours():
    assert read_basic(header_of("a@b.kz:x").replace("Basic", "bAsIc")) == ("a@b.kz", "x")
    assert read_basic("Entry abc") is None
    assert read_basic(None) is None


@pytest.mark.parametrize("token", ["", "???", "YWJj", base64.b64encode(b"\xff\xfe:x").decode()])
def test_a_basic_header_that_cannot_be_read_is_wrong_credentials(token):
    with pytest.raises(WrongCredentials):
        read_basic(f"Basic {token}")


@pytest.mark.parametrize("password", ["short-7", "x" * 129])
def test_a_password_too_short_or_too_long_is_weak(password):
    with pytest.raises(WeakPassword):
        check_strength(password)


def test_ten_guesses_are_allowed_and_the_eleventh_waits_for_the_first_to_leave(clock):
    attempts = Attempts(clock)
    for _ in range(GUESSES_MAX):
        attempts.require("aru@mail.kz", SOMEBODY)
        attempts.count_wrong("aru@mail.kz", SOMEBODY)
        clock.advance(1)
    with pytest.raises(TooManyGuesses) as refused:
        attempts.require("aru@mail.kz", SOMEBODY)
    assert int(refused.value.headers["Retry-After"]) == WINDOW_MS // 1000 - GUESSES_MAX
    attempts.require("bek@mail.kz", SOMEBODY)
    clock.advance(WINDOW_MS / 1000 - GUESSES_MAX)
    attempts.require("aru@mail.kz", SOMEBODY)


def test_a_device_token_is_found_whole_or_not_at_all():
    device = new_device()
    assert device_in(f"a=1; biletter_device={device}; b=2".encode()) == device
    assert device_in(f"xbiletter_device={device}".encode()) is None
    assert device_in(f"biletter_device={device}x".encode()) is None
    assert device_in(b"biletter_device=") is None


def test_a_cookie_is_hidden_from_scripts_and_from_other_sites():
    line = cookie_line("biletter_session", "t", max_age_s=5, secure=True)
    assert line == "biletter_session=t; Path=/; Max-Age=5; HttpOnly; SameSite=Lax; Secure"
    assert "Secure" not in cookie_line("x", "t", max_age_s=5, secure=False)


def test_a_name_in_one_field_is_a_first_name_and_a_surname():
    assert split_name(" Дана  Касымова-Ли ") == ("Дана", "Касымова-Ли")
    assert split_name("") == ("", "")
