"""What an operator may set, however the change arrives."""

import pytest

from waitingroom.settings import BadSetting, RoomSettings, changed, from_hash, to_hash


@pytest.mark.parametrize("field", ["message", "title"])
@pytest.mark.parametrize(
    "char", ["\n", "\x00", "\x7f", "\u0085", "\u200b", "\u202e", "\u2066", "\ufeff", "\ue000"]
)
def test_what_nobody_sees_is_not_shown_to_the_waiting(field, char):
    with pytest.raises(BadSetting) as refused:
        changed(RoomSettings(), {field: f"Вечер{char} домбры"})
    assert refused.value.extra == {"setting": field}


def test_a_plain_line_in_any_script_is_taken():
    said = "Қош келдіңіз! Добро пожаловать — «сцена №\u00a01» 🎻"
    assert changed(RoomSettings(), {"message": said}).message == said


@pytest.mark.parametrize(
    "field", ["arm_requests", "disarm_requests", "disarm_seconds", "places_max"]
)
@pytest.mark.parametrize("value", [0, -1, 10**12, 1.5, "100", True])
def test_absurd_thresholds_and_capacities_are_refused(field, value):
    with pytest.raises(BadSetting) as refused:
        changed(RoomSettings(), {field: value})
    assert (refused.value.status, refused.value.code) == (422, "bad-setting")
    assert refused.value.extra == {"setting": field}


def test_only_a_capacity_may_be_none():
    assert changed(RoomSettings(places_max=5), {"places_max": None}).places_max is None
    for field in ("arm_requests", "disarm_requests", "disarm_seconds"):
        with pytest.raises(BadSetting):
            changed(RoomSettings(), {field: None})


def test_a_room_cannot_disarm_where_it_would_arm():
    with pytest.raises(BadSetting) as refused:
        changed(RoomSettings(arm_requests=50, disarm_requests=50), {"disarm_requests": 51})
    assert refused.value.extra == {"setting": "disarm_requests"}
    with pytest.raises(BadSetting):
        changed(RoomSettings(arm_requests=50, disarm_requests=50), {"arm_requests": 49})


@pytest.mark.parametrize("mode", ["armed", "AUTO", "", None, 1])
def test_modes_that_are_none_are_refused(mode):
    with pytest.raises(BadSetting) as refused:
        changed(RoomSettings(), {"mode": mode})
    assert refused.value.extra == {"setting": "mode"}


def test_only_the_room_itself_arms():
    with pytest.raises(BadSetting):
        changed(RoomSettings(mode="auto"), {"armed_at": 5})


def test_settings_of_an_automatic_room_survive_redis():
    auto = RoomSettings(mode="auto", armed_at=7, places_max=9, arm_requests=5, disarm_requests=2)
    assert from_hash([part.encode() for part in to_hash(auto)]) == auto
    assert (auto.is_off, RoomSettings(mode="auto").is_off) == (False, True)
