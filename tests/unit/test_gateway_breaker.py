"""The circuit breaker: opens on silence, comes back with a few careful probes."""

from random import Random

import pytest

from sales.gateway_breaker import IN_A_ROW, PAUSE_MAX_S, PROBES_AT_ONCE, PROBES_TO_CLOSE, Breaker


class Watch:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def breaker(watch):
    return Breaker(watch, Random(7))


def call(breaker, *answered):
    for one in answered:
        leave = breaker.leave()
        assert leave is not None
        breaker.tell(leave, answered=one)


def opened(breaker):
    call(breaker, *[False] * IN_A_ROW)
    assert breaker.state == "open"
    return breaker


def half_opened(breaker, watch):
    watch.now += opened(breaker).wait_s() + 1
    assert breaker.state == "half-open"
    return breaker


def test_answers_keep_it_closed(breaker):
    call(breaker, *[True] * 100)
    assert (breaker.state, breaker.wait_s()) == ("closed", 0)


def test_silences_in_a_row_open_it_and_nobody_may_call(breaker):
    call(breaker, *[False] * (IN_A_ROW - 1), True, *[False] * (IN_A_ROW - 1))
    assert breaker.state == "closed"
    call(breaker, False)
    assert breaker.state == "open"
    assert breaker.leave() is None
    assert breaker.wait_s() > 0


def test_half_of_the_latest_calls_silent_open_it_too(breaker):
    call(breaker, *[False, True] * 4, False)
    assert breaker.state == "closed"
    call(breaker, False)
    assert breaker.state == "open"


def test_old_silences_are_forgotten(breaker, watch):
    for _ in range(4):
        call(breaker, *[False] * 3, True)
        watch.now += 31
    assert breaker.state == "closed"


def test_after_the_pause_only_a_few_probes_at_once(breaker, watch):
    half_opened(breaker, watch)
    probes = [breaker.leave() for _ in range(PROBES_AT_ONCE)]
    assert all(probes)
    assert breaker.leave() is None
    assert breaker.wait_s() > 0


def test_probes_that_are_answered_close_it(breaker, watch):
    half_opened(breaker, watch)
    call(breaker, *[True] * (PROBES_TO_CLOSE - 1))
    assert breaker.state == "half-open"
    call(breaker, True)
    assert breaker.state == "closed"
    call(breaker, *[False] * (IN_A_ROW - 1))
    assert breaker.state == "closed", "what was before the pause is forgotten"


def test_a_silent_probe_opens_it_for_longer_and_never_for_too_long(breaker, watch):
    pauses = []
    half_opened(breaker, watch)
    for _ in range(8):
        call(breaker, False)
        assert breaker.state == "open"
        began = watch.now
        while breaker.state == "open":
            watch.now += 0.05
        pauses.append(watch.now - began)
    assert pauses[0] > 2
    assert pauses[2] > pauses[0]
    assert max(pauses) <= PAUSE_MAX_S * 1.25 + 0.1
    assert len({round(pause, 1) for pause in pauses[4:]}) > 1, "pauses differ by chance"


def test_a_probe_called_off_gives_its_place_back(breaker, watch):
    half_opened(breaker, watch)
    for _ in range(10):
        call(breaker, None)
    assert breaker.state == "half-open"
    assert breaker.leave() is not None


def test_answers_to_calls_of_before_say_nothing_now(breaker, watch):
    late = [breaker.leave() for _ in range(5)]
    half_opened(breaker, watch)
    for leave in late:
        breaker.tell(leave, answered=True)
    assert breaker.state == "half-open"
    for leave in late:
        breaker.tell(leave, answered=False)
    assert breaker.state == "half-open"
