from pathlib import Path

import pytest

from biletter.parts import links_of
from biletter.settings import Settings, SettingsError, read_settings
from biletter.supervisor.console import Console
from biletter.supervisor.house import House


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
        ("BILETTER_HOSTS", "https://shop.example"),
        ("REDIS_ROOMS_URL", "localhost:6379"),
        ("REDIS_ROOMS_URL", "redis://"),
        ("REDIS_ROOMS_URL", "redis://one:port/0"),
        ("REDIS_ROOMS_URL", "redis://one:6379/zero"),
        ("REDIS_ROOMS_URL", "redis://one:6379/0?datbase=1"),
        ("REDIS_ROOMS_URL", "redis://one:6379/0?db=one"),
        ("REDIS_ROOMS_URL", "redis://one two"),
        ("REDIS_ROOMS_URL", "http://one"),
        ("REDIS_ROOMS_URL", "unix://"),
        ("REDIS_ROOMS_URL", "redis+sentinel://one:26379"),
        ("REDIS_ROOMS_URL", "redis+sentinel://one,,two/main"),
        ("REDIS_ROOMS_URL", "redis+sentinel://one/main?db=first"),
        ("REDIS_ROOMS_URL", "redis+clutser://one"),
        ("REDIS_ROOMS_URL", "redis+cluster://one/0"),
        ("REDIS_ROOM_7_URL", "redis//one"),
        ("REDIS_ROOM_7_URL", "redis+cluster://one:99999"),
        ("REDIS_ROOM_0_URL", "redis://one"),
        ("REDIS_ROOM_star_URL", "redis://one"),
        # The library of jobs knows neither.
        ("REDIS_SHOP_URL", "redis+sentinel://one:26379/main"),
        ("REDIS_SHOP_URL", "redis+cluster://one"),
        ("DATABASE_URL", "mysql://one/biletter"),
        ("DATABASE_URL", "postgresql://one:fifty/biletter"),
        ("DATABASE_URL", "postgresql:///biletter"),
        ("DATABASE_URL", "biletter"),
        ("PAYMENT_ENDPOINT", "pay.example"),
        ("PAYMENT_ENDPOINT", "https://pay.example?key=1"),
        ("PAYMENT_ENDPOINT", "https://pay.example:https"),
        ("BILETTER_PUBLIC_SALES", "shop.example"),
        ("BILETTER_PUBLIC_SALES", "https://shop.example/tickets"),
        ("BILETTER_PUBLIC_WAITINGROOM", "https://"),
        ("BILETTER_SITES", "https://one.example,two.example"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(name, text):
    with pytest.raises(SettingsError, match=name) as refused:
        read_settings({name: text})
    assert "\n" not in str(refused.value)


def test_an_address_is_taken_as_it_was_given():
    given = {
        "REDIS_ROOMS_URL": "redis+sentinel://user:p%40ss@one:26379,[::1]/main?db=2",
        "REDIS_ROOM_1_URL": "rediss+cluster://one:6379,two",
        "REDIS_ROOM_77_URL": "unix:///run/redis.sock?db=3",
        "REDIS_SHOP_URL": "rediss://:secret@one:6380/1?ssl_cert_reqs=none",
        "DATABASE_URL": "postgresql://biletter:p@/biletter?host=/run/postgresql&port=5433",
        "PAYMENT_ENDPOINT": "https://pay.example/v1",
        "BILETTER_HOSTS": "shop.example, [::1]",
    }
    settings = read_settings(given)
    assert settings.redis_rooms_url == given["REDIS_ROOMS_URL"]
    assert settings.redis_room_urls == {
        1: given["REDIS_ROOM_1_URL"],
        77: given["REDIS_ROOM_77_URL"],
    }
    assert settings.redis_shop_url == given["REDIS_SHOP_URL"]
    assert settings.database_url == given["DATABASE_URL"]
    assert settings.payment_endpoint == given["PAYMENT_ENDPOINT"]
    assert settings.hosts == {"shop.example", "[::1]"}
    for url in ("postgresql://one,two:5433/b?target_session_attrs=primary", "postgres://one"):
        assert read_settings({"DATABASE_URL": url}).database_url == url
    public = read_settings({"BILETTER_PUBLIC_SALES": "https://shop.example/"}).public
    assert public == {"sales": "https://shop.example"}


def test_a_refused_address_keeps_its_password_to_itself():
    for name in ("REDIS_ROOMS_URL", "REDIS_ROOM_7_URL", "REDIS_SHOP_URL", "DATABASE_URL"):
        with pytest.raises(SettingsError, match="…@one") as refused:
            read_settings({name: "ftp://user:hush@one/0"})
        assert "hush" not in str(refused.value)


def test_a_room_that_stands_alone_leads_to_no_shop_and_one_beside_a_shop_does():
    alone = links_of(read_settings({"BILETTER_SHOP": "off", "BILETTER_SITES": "https://a.example"}))
    assert (alone.has_shop, alone.home) == (False, "https://a.example/")
    assert alone.origins("localhost") == ["http://localhost:8081", "http://localhost:8082"]
    two = {"BILETTER_SHOP": "off", "BILETTER_SITES": "https://a.example,https://b.example"}
    assert links_of(read_settings(two)).home == ""
    assert links_of(read_settings({})).has_shop


@pytest.mark.parametrize(
    ("duty", "public", "told"),
    [("admin", {}, "off"), ("sales", {}, None), ("admin", {"sales": "https://shop.example"}, None)],
)
def test_a_house_without_a_shop_tells_its_duties_so(tmp_path, monkeypatch, duty, public, told):
    """A shop that runs elsewhere is one."""
    monkeypatch.delenv("BILETTER_SHOP", raising=False)
    monkeypatch.setattr("biletter.supervisor.house.check_ports", lambda *_: None)
    procfile = tmp_path / "Procfile"
    procfile.write_text(f"{duty}: true\n")
    settings = Settings(data=tmp_path / "data", public=public)
    house = House(settings, procfile, Console(), demo=False)
    assert house._environment.get("BILETTER_SHOP") == told
