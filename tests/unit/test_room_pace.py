"""How often a page asks: whoever may be called within a minute asks every few seconds."""

from random import Random

import pytest

from waitingroom.pace import (
    JITTER,
    NEAR_MAX,
    NEAR_MINUTES,
    NEAR_POLL_MS,
    POLL_MAX_MS,
    eta_of,
    is_near,
    poll_after_ms,
)
from waitingroom.settings import RoomSettings
from waitingroom.snapshot import Snapshot


def poll_of(number: int, rate: int, serving: int = 0) -> int:
    settings = RoomSettings(rate_per_minute=rate)
    seen = Snapshot(1, settings, 10**6, serving, 0, 0, 10**6, 0, 0)
    near = is_near(seen, number)
    return poll_after_ms(eta_of(seen, number), called=False, chance=Random(1), is_near=near)


@pytest.mark.parametrize("rate", [60, 300, 600, 6_000])
def test_who_may_be_called_within_a_minute_asks_often_and_the_others_seldom(rate: int):
    last = min(NEAR_MAX, NEAR_MINUTES * rate)
    assert poll_of(last, rate) <= NEAR_POLL_MS * (1 + JITTER)
    assert poll_of(last + 1_000, rate, serving=999) <= NEAR_POLL_MS * (1 + JITTER)
    assert poll_of(20 * last, rate) >= POLL_MAX_MS * (1 - JITTER)


def test_a_long_line_is_not_asked_for_more_than_its_front():
    """Polls a second of a million: the front, and a sixtieth of the rest."""
    often = sum(poll_of(number, 600) < 10_000 for number in range(1, 20_000, 100)) * 100
    assert NEAR_MAX - 100 <= often <= NEAR_MAX + 1_000
