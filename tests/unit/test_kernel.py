from datetime import UTC, datetime

import pytest

from kernel.errors import NotFound, Refusal, TryAgain
from kernel.sql import load_queries
from kernel.subjects import subject_of
from kernel.values import tenge, tenge_human
from kernel.web.links import Links, safe_return

LINKS = Links(ports={"sales": 8080, "waitingroom": 8081}, hosts=frozenset({"tickets.lan"}))


@pytest.mark.parametrize(
    ("tiyn", "text", "human"),
    [
        (0, "0.00", "0\u00a0₸"),
        (4_000_000, "40000.00", "40\u00a0000\u00a0₸"),
        (4_000_005, "40000.05", "40\u00a0000,05\u00a0₸"),
        (-150, "-1.50", "−1,50\u00a0₸"),
        (1_400_000_000_000, "14000000000.00", "14\u00a0000\u00a0000\u00a0000\u00a0₸"),
    ],
)
def test_money_is_exact_in_both_forms(tiyn, text, human):
    assert tenge(tiyn) == text
    assert tenge_human(tiyn) == human


def test_a_refusal_speaks_by_its_docstring_and_says_when_to_come_back():
    assert NotFound().detail == "Не найдено."
    assert TryAgain(retry_after_s=7).headers["Retry-After"] == "7"
    assert Refusal("так", seats=[1]).extra == {"seats": [1]}


def test_every_refusal_has_a_sentence_and_a_stable_code():
    pending, seen = [Refusal], {}
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__.startswith("sandbox."):  # speaks as the gateway does
            continue
        assert kind.__doc__, f"{kind.__name__} has no sentence"
        assert kind.code == kind.code.lower()
        seen[kind.__name__] = kind.code
    assert seen["NotFound"] == "not-found"


def test_a_subject_names_nobody_and_tells_accounts_from_devices():
    assert subject_of(b"k", "account", 7) == subject_of(b"k", "account", 7)
    assert subject_of(b"k", "account", 7) != subject_of(b"k", "device", 7)
    assert subject_of(b"k", "account", 7) != subject_of(b"other", "account", 7)
    assert len(subject_of(b"k", "account", 7)) == 22


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://localhost:8080@evil.example/",
        "http://localhost:9999/",
        "/a\nb",
        "http://[",
        "",
        None,
    ],
)
def test_a_return_address_never_leads_to_a_stranger(url):
    assert safe_return(url, "/home", LINKS, "localhost:8080") == "/home"


def test_a_return_address_leads_to_our_own_pages():
    assert safe_return("/events/1?x=2", "/", LINKS, "localhost:8080") == "/events/1?x=2"
    other = "http://localhost:8081/queue/1"
    assert safe_return(other, "/", LINKS, "localhost:8080") == other


def test_links_keep_the_name_the_visitor_came_by_but_never_a_forged_one():
    assert LINKS.base("waitingroom", "127.0.0.1:8080") == "http://127.0.0.1:8081"
    assert LINKS.base("waitingroom", "tickets.lan") == "http://tickets.lan:8081"
    assert LINKS.base("waitingroom", "evil.example") == "http://localhost:8081"
    public = Links(ports={"sales": 8080}, public={"sales": "https://biletter.example/"})
    assert public.base("sales", "whatever") == "https://biletter.example"


def test_an_inner_address_is_shown_by_the_name_the_visitor_uses():
    inner = "http://127.0.0.1:8081/queue/1?x=2"
    assert LINKS.as_seen_from(inner, "localhost:8080") == "http://localhost:8081/queue/1?x=2"
    assert LINKS.as_seen_from(inner, "127.0.0.1:8080") == inner
    foreign = "https://pay.example/form/1"
    assert LINKS.as_seen_from(foreign, "localhost:8080") == foreign
    assert LINKS.as_seen_from("http://127.0.0.1:80811/x", "localhost") == "http://127.0.0.1:80811/x"


def test_named_statements_are_read_and_a_name_given_twice_is_refused(tmp_path):
    (tmp_path / "a.sql").write_text("-- name: one\n-- says one\nSELECT 1;\n")
    queries = load_queries(tmp_path)
    assert queries["one"].endswith("SELECT 1;")
    (tmp_path / "b.sql").write_text("-- name: one\n-- again\nSELECT 2;\n")
    with pytest.raises(AssertionError, match="twice"):
        load_queries(tmp_path)


def test_times_are_aware(clock):
    assert clock.now().tzinfo is UTC
    before = clock.ms()
    clock.advance(1.5)
    assert clock.ms() - before == 1500
    assert datetime.fromtimestamp(clock.ms() / 1000, UTC) == clock.now()
