"""The plan of a scheduled room, and times that make no sense."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waitingroom.plan import in_force, plan, state_at
from waitingroom.settings import BadSetting, RoomSettings, changed, from_hash, to_hash

HOUR = 3_600_000
NOON = 1_780_315_200_000
SCHEDULED = RoomSettings(
    mode="scheduled",
    prequeue_at=NOON - HOUR,
    opens_at=NOON,
    closes_at=NOON + 6 * HOUR,
    generation=7,
    lottery=7,
)


def test_the_plan_of_a_day():
    spans = [(span.since, span.state) for span in plan(SCHEDULED, NOON - 2 * HOUR)]
    assert spans == [
        (None, "closed"),
        (NOON - HOUR, "prequeue"),
        (NOON, "open"),
        (NOON + 6 * HOUR, "closed"),
    ]


def test_what_was_done_is_not_planned_again():
    opened = changed(SCHEDULED, {"mode": "on"})
    assert [span.state for span in plan(opened, NOON + HOUR)] == ["open", "closed"]
    closed = RoomSettings(closes_at=NOON, closed_for=NOON)
    assert [span.state for span in plan(closed, NOON + 1)] == ["open"]


def test_a_pause_stays_a_pause_through_the_opening():
    paused = changed(SCHEDULED, {"state": "paused"})
    states = [span.state for span in plan(paused, NOON - 2 * HOUR)]
    assert states == ["closed", "prequeue", "paused", "closed"]


def test_a_room_that_is_off_has_no_plan():
    assert [span.state for span in plan(changed(SCHEDULED, {"mode": "off"}), 1)] == ["off"]


@given(at=st.integers(-HOUR * 9, HOUR * 9), now=st.integers(-HOUR * 9, HOUR * 9))
def test_the_plan_and_the_settings_in_force_agree(at: int, now: int):
    moment, now_ms = NOON + max(at, now), NOON + now
    spans = [span for span in plan(SCHEDULED, now_ms) if (span.since or 0) <= moment]
    assert spans[-1].state == state_at(in_force(SCHEDULED, moment, now_ms), moment)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"mode": "scheduled"}, "opens_at"),
        ({"opens_at": 0}, "opens_at"),
        ({"opens_at": -1}, "opens_at"),
        ({"opens_at": 10**15}, "opens_at"),
        ({"opens_at": 1.5}, "opens_at"),
        ({"opens_at": "noon"}, "opens_at"),
        ({"prequeue_at": NOON}, "prequeue_at"),
        ({"prequeue_at": NOON + 1, "opens_at": NOON}, "prequeue_at"),
        ({"opens_at": NOON, "closes_at": NOON}, "closes_at"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"outside": "x" * 201}, "outside"),
        ({"outside": "one\ntwo"}, "outside"),
        ({"lottery": 5}, "lottery"),
        ({"closed_for": 5}, "closed_for"),
    ],
)
def test_times_that_make_no_sense_are_refused(changes: dict[str, Any], setting: str):
    with pytest.raises(BadSetting) as refused:
        changed(RoomSettings(), changes)
    assert refused.value.extra["setting"] == setting


def test_settings_survive_redis():
    flat = [part.encode() for part in to_hash(SCHEDULED)]
    assert from_hash(flat) == SCHEDULED
    assert from_hash([b"mode", b"on", b"opens_at", b""]) == RoomSettings()
