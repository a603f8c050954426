"""What an operator may set, however the change arrives."""

import pytest

from waitingroom.settings import BadSetting, RoomSettings, changed


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
