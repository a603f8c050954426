from pathlib import Path

import pytest

from biletter.settings import SettingsError, read_settings


def test_an_empty_environment_gives_the_defaults():
    settings = read_settings({})
    assert (settings.port, settings.bind, settings.room_mode) == (8080, "127.0.0.1", None)
    assert settings.port_of("waitingroom") == 8081
    assert settings.port_of("provider") == 8084


def test_the_environment_is_read_into_types(tmp_path):
    settings = read_settings(
        {
            "BILETTER_PORT": "9000",
            "BILETTER_DATA": f"{tmp_path}/a/../b",
            "BILETTER_ROOM_MODE": "auto",
            "BILETTER_ROOM_RATE": "30",
            "BILETTER_PERSON_LIMIT": "2",
            "BILETTER_RESET": "off",
        }
    )
    assert settings.port_of("toleubar") == 9003
    assert settings.data == Path(tmp_path, "b")
    assert (settings.room_mode, settings.room_rate_per_minute) == ("auto", 30)
    assert (settings.person_limit, settings.reset_allowed) == (2, False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BILETTER_PORT", "0"),
        ("BILETTER_PORT", "65535"),
        ("BILETTER_PORT", "eighty"),
        ("BILETTER_ROOM_RATE", "0"),
        ("BILETTER_ROOM_RATE", "-5"),
        ("BILETTER_ROOM_RATE", "1.5"),
        ("BILETTER_ROOM_RATE", "99999999999"),
        ("BILETTER_ROOM_CEILING", "1000001"),
        ("BILETTER_PERSON_LIMIT", "٣"),
        ("BILETTER_GATEWAY_RATE", "0"),
        ("BILETTER_GATEWAY_AT_ONCE", "all"),
        ("BILETTER_ROOM_MODE", "auto please"),
        ("BILETTER_RESET", "perhaps"),
        ("BILETTER_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(name, text):
    with pytest.raises(SettingsError, match=name) as refused:
        read_settings({name: text})
    assert "\n" not in str(refused.value)
