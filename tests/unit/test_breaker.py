"""The circuit breaker: opens on silence, comes back with a few careful probes."""

from random import Random

import pytest

from sales.breaker import (
    ANSWERS_TO_CLOSE,
    IN_A_ROW,
    ONLY_SILENCES_TO_OPEN,
    PAUSE_FIRST_S,
    PAUSE_MAX_S,
    PROBES_AT_ONCE,
    SILENCES_TO_OPEN,
    SLOW_CALL_S,
    WINDOW_LEAST,
    Breaker,
)


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


def test_hardly_an_answer_among_many_opens_it_too(breaker):
    call(breaker, *[False] * 9, True, *[False] * 9, True, *[False] * (WINDOW_LEAST - 21))
    assert breaker.state == "closed"
    call(breaker, False)
    assert breaker.state == "open"


def test_a_gateway_that_answers_four_of_ten_is_asked_on(watch):
    """What ten kinds of trouble, each at ten percent, come to."""
    chance, breaker, sent = Random(20), Breaker(watch, Random(1)), 0
    for _ in range(5_000):
        watch.now += 0.05
        leave = breaker.leave()
        if leave:
            sent += 1
            breaker.tell(leave, answered=chance.random() < 0.4)
    assert sent > 4_700


def test_a_gateway_that_is_down_is_left_alone_and_found_again(watch, breaker):
    sent = 0
    for _ in range(6_000):
        watch.now += 0.05
        leave = breaker.leave()
        sent += bool(leave)
        if leave:
            breaker.tell(leave, answered=False)
    assert sent < 200, "of six thousand that wanted to"
    began = watch.now
    while breaker.state != "closed":
        watch.now += 0.05
        if leave := breaker.leave():
            breaker.tell(leave, answered=True)
    assert watch.now - began <= PAUSE_MAX_S * 1.25 + 1


def test_old_silences_are_forgotten(breaker, watch):
    for _ in range(8):
        call(breaker, *[False] * 9, True)
        watch.now += 31
    assert breaker.state == "closed"


def test_it_is_called_slow_long_before_it_is_left_alone(breaker, watch):
    call(breaker, *[True] * 5, False)
    assert not breaker.is_slow(), "one bad call is no news"
    call(breaker, False)
    assert (breaker.is_slow(), breaker.state) == (True, "closed")
    call(breaker, *[True] * 7)
    assert not breaker.is_slow()
    watch.now += 31
    assert not breaker.is_slow()


def test_answers_that_take_long_are_slow_too(breaker):
    for took_s in (SLOW_CALL_S - 1, SLOW_CALL_S + 1):
        for _ in range(2):
            breaker.tell(breaker.leave(), answered=True, took_s=took_s)
        assert breaker.is_slow() == (took_s > SLOW_CALL_S)


def test_while_it_is_left_alone_it_is_slow_and_the_first_answers_do_not_change_that(breaker, watch):
    half_opened(breaker, watch)
    assert breaker.is_slow()
    call(breaker, *[True] * ANSWERS_TO_CLOSE)
    assert (breaker.state, breaker.is_slow()) == ("closed", True)


def test_after_the_pause_only_a_few_probes_at_once(breaker, watch):
    half_opened(breaker, watch)
    probes = [breaker.leave() for _ in range(PROBES_AT_ONCE)]
    assert all(probes)
    assert breaker.leave() is None
    assert breaker.wait_s() > 0


def test_probes_that_are_answered_close_it(breaker, watch):
    half_opened(breaker, watch)
    call(breaker, *[True] * (ANSWERS_TO_CLOSE - 1), *[False] * (SILENCES_TO_OPEN - 1))
    assert breaker.state == "half-open"
    call(breaker, True)
    assert breaker.state == "closed"
    call(breaker, *[False] * (IN_A_ROW - 1))
    assert breaker.state == "closed", "what was before the pause is forgotten"


def test_silent_probes_open_it_for_longer_and_never_for_too_long(breaker, watch):
    half_opened(breaker, watch)
    pauses = [pause_after(breaker, watch, *[False] * ONLY_SILENCES_TO_OPEN) for _ in range(9)]
    assert pauses[0] > PAUSE_FIRST_S
    assert pauses[2] > pauses[0]
    assert max(pauses) <= PAUSE_MAX_S * 1.25 + 0.1
    assert len({round(pause, 1) for pause in pauses[5:]}) > 1, "pauses differ by chance"


def test_where_a_probe_was_answered_the_pause_does_not_grow(breaker, watch):
    half_opened(breaker, watch)
    some = [True, *[False] * SILENCES_TO_OPEN]
    assert max(pause_after(breaker, watch, *some) for _ in range(9)) < PAUSE_FIRST_S * 1.25 + 0.1


def pause_after(breaker, watch, *probes):
    call(breaker, *probes)
    assert breaker.state == "open"
    began = watch.now
    while breaker.state == "open":
        watch.now += 0.05
    return watch.now - began


def test_a_probe_called_off_gives_its_place_back(breaker, watch):
    half_opened(breaker, watch)
    for _ in range(10):
        call(breaker, None)
    assert breaker.state == "half-open"
    assert breaker.leave() is not None


def test_answers_to_calls_of_before_say_nothing_now(breaker, watch):
    late = [breaker.leave() for _ in range(SILENCES_TO_OPEN)]
    half_opened(breaker, watch)
    for leave in late:
        breaker.tell(leave, answered=True)
    assert breaker.state == "half-open"
    for leave in late:
        breaker.tell(leave, answered=False)
    assert breaker.state == "half-open"
