"""The budgets at the door, and whose neighbourhood a request counts against."""

from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import pytest

from biletter.settings import SettingsError, read_settings
from kernel.clock import ManualClock
from kernel.web.networks import Networks
from waitingroom.abuse import Door, TooManyClaims, TooManyHeartbeats, TooManyJoins
from waitingroom.rules import RULES, Rule

FEW = {name: Rule(per_minute=60, burst=3) for name in RULES}
WIDE = {**FEW, **{name: Rule(per_minute=600, burst=5) for name in RULES if "prefix" in name}}


def call(address: str = "203.0.113.7", forwarded: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"client": (address, 50_000), "headers": headers}


def test_each_verb_has_a_budget_of_its_own(clock: ManualClock):
    door = Door(clock, rules=FEW)
    for _ in range(3):
        door.check("heartbeat", "Aru", call())
    with pytest.raises(TooManyHeartbeats):
        door.check("heartbeat", "Aru", call())
    door.check("join", "Aru", call())
    door.check("claim", "Aru", call())


def test_a_refusal_says_why_and_when_to_come_back_and_it_is_true(clock: ManualClock):
    door = Door(clock, rules=FEW)
    for _ in range(3):
        door.check("claim", "Aru", call())
    with pytest.raises(TooManyClaims) as refused:
        door.check("claim", "Aru", call())
    assert (refused.value.status, refused.value.code) == (429, "too-many-claims")
    assert refused.value.extra["reason"] == "claim-subject"
    clock.advance(int(refused.value.headers["Retry-After"]))
    door.check("claim", "Aru", call())


def test_one_who_storms_takes_nothing_from_the_neighbours(clock: ManualClock):
    door = Door(clock, rules=WIDE)
    for _ in range(100):
        with suppress(TooManyJoins):
            door.check("join", "Ermek", call())
    door.check("join", "Aru", call("203.0.113.8"))
    door.check("join", "Bek", call("203.0.113.9"))


def test_a_neighbourhood_of_many_names_is_refused_as_one(clock: ManualClock):
    door = Door(clock, rules=WIDE)
    for n in range(5):
        door.check("join", f"name {n}", call(f"203.0.113.{n}"))
    with pytest.raises(TooManyJoins) as refused:
        door.check("join", "one more", call("203.0.113.77"))
    assert refused.value.extra["reason"] == "join-prefix"
    door.check("join", "Aru", call("203.0.114.1"))
    assert door.is_suspect("Aru", call("203.0.113.200"))
    assert not door.is_suspect("Aru", call("203.0.114.1"))


def test_a_rule_that_only_counts_refuses_nobody(clock: ManualClock):
    door = Door(clock, rules=FEW, count_only=["join-subject", "join-prefix"])
    for _ in range(100):
        door.check("join", "Aru", call())
    assert door.is_suspect("Aru", call())


def test_this_machine_and_the_allowed_have_no_neighbourhood(clock: ManualClock):
    door = Door(clock, Networks(allowed=[ip_network("10.0.0.0/8")]), rules=FEW)
    for n in range(50):
        door.check("join", f"name {n}", call(("127.0.0.1", "::1", "10.9.8.7")[n % 3]))
        door.check("join", f"other {n}", {"client": None, "headers": []})


def test_a_bucket_fills_again_and_never_over_its_brim(clock: ManualClock):
    door = Door(clock, rules=FEW)
    for _ in range(2):
        for _ in range(3):
            door.check("join", "Aru", call())
        with pytest.raises(TooManyJoins):
            door.check("join", "Aru", call())
        clock.advance(3600)


def test_a_clock_that_jumps_back_locks_nobody_out(clock: ManualClock):
    door = Door(clock, rules=FEW)
    door.check("join", "Aru", call())
    clock.advance(-86_400)
    for _ in range(3):
        door.check("join", "Aru", call())


def test_a_full_memory_lets_newcomers_pass(clock: ManualClock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("waitingroom.abuse.KEYS_MAX", 2)
    door = Door(clock, rules=FEW)
    for name in ("Aru", "Bek", *["Dana"] * 9):
        door.check("join", name, call("127.0.0.1"))


def test_ordinary_visitors_in_ten_tabs_meet_no_limit(clock: ManualClock):
    door = Door(clock)
    for second in range(300):
        for tab in range(10):
            if second % 20 == tab:
                door.check("heartbeat", "Aru", call())
            if second % 10 == tab:
                door.check("claim", "Aru", call())
        clock.advance(1)


PROXY = Networks(trusted=[ip_network("192.0.2.0/24")])


@pytest.mark.parametrize(
    ("address", "forwarded", "prefix"),
    [
        ("198.51.100.9", "203.0.113.7", "198.51.100.0/24"),
        ("192.0.2.1", "203.0.113.7", "203.0.113.0/24"),
        ("192.0.2.1", "6.6.6.6, 203.0.113.7", "203.0.113.0/24"),
        ("192.0.2.1", "203.0.113.7, 192.0.2.2", "203.0.113.0/24"),
        ("192.0.2.1", "", "192.0.2.0/24"),
        ("192.0.2.1", "nonsense", "192.0.2.0/24"),
        ("192.0.2.1", "127.0.0.1", None),
        ("::ffff:203.0.113.7", "", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "", "2001:db8:1:200::/56"),
        ("", "", None),
    ],
)
def test_only_trusted_proxies_say_whom_they_speak_for(address, forwarded, prefix):
    assert PROXY.prefix_of(call(address, forwarded)) == prefix


def test_the_door_is_set_by_the_environment():
    told = {
        "BILETTER_TRUSTED_PROXIES": "10.1.0.0/16, 192.0.2.1",
        "BILETTER_ALLOWED_NETWORKS": "2001:db8::/32",
        "BILETTER_COUNT_ONLY": "join-prefix",
    }
    settings = read_settings(told)
    assert settings.trusted_proxies == {ip_network("10.1.0.0/16"), ip_network("192.0.2.1/32")}
    assert settings.allowed_networks == {ip_network("2001:db8::/32")}
    assert settings.count_only == {"join-prefix"}


@pytest.mark.parametrize("name", ["BILETTER_TRUSTED_PROXIES", "BILETTER_COUNT_ONLY"])
def test_a_network_or_a_rule_that_is_none_is_told_at_the_start(name: str):
    with pytest.raises(SettingsError, match=name):
        read_settings({name: "everybody"})
