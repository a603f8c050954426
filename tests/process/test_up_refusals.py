"""What is wrong around us ends `biletter up` with one clear sentence."""

import socket

import pytest

from tests.house import House

pytestmark = pytest.mark.process

REFUSALS = {
    "taken port": "is taken",
    "a file": "is not a folder",
    "foreign": "is neither empty nor a data folder",
    "newer": "was made by a newer Biletter",
    "broken": "is broken",
    "other postgres": "was made by PostgreSQL 9",
    "half postgres": "is broken",
    "newer redis": "newer than this machine's Redis",
    "no redis": "Redis 6.2 or newer is missing",
    "no postgres": "PostgreSQL 15 or newer is missing",
    "bad setting": "BILETTER_ROOM_RATE must be a whole number",
}


def spoil(case: str, house: House) -> dict[str, socket.socket]:
    """Makes the surroundings bad in one way; what it returns must live as long as the test."""
    data = house.data
    kept: dict[str, socket.socket] = {}
    if case == "a file":
        data.write_text("not a folder")
        return kept
    data.mkdir()
    if case == "foreign":
        (data / "thesis.txt").write_text("somebody's")
    elif case != "taken port":
        (data / "FORMAT").write_text({"newer": "999\n", "broken": "?\n"}.get(case, "1\n"))
    if case in {"other postgres", "half postgres"}:
        (data / "postgres").mkdir()
        note = "PG_VERSION" if case == "other postgres" else "base"
        (data / "postgres" / note).write_text("9\n")
    if case == "newer redis":
        (data / "redis-shop").mkdir()
        (data / "redis-shop" / "REDIS_VERSION").write_text("99\n")
    if case == "taken port":
        kept["socket"] = socket.create_server(("127.0.0.1", house.port))
    return kept


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_wrong_around_us_is_one_clear_sentence(build, case: str) -> None:
    environment = {
        "no redis": {"BILETTER_REDIS_SERVER": "/nowhere/redis-server"},
        "no postgres": {"BILETTER_POSTGRES_BIN": "/nowhere"},
        "bad setting": {"BILETTER_ROOM_RATE": "many"},
    }
    house = build(environment=environment.get(case))
    kept = spoil(case, house)
    house.launch()
    assert house.wait() == 1
    complaints = [line for line in house.said().splitlines() if line.startswith("biletter: ")]
    assert len(complaints) == 1, house.said()
    assert REFUSALS[case] in complaints[0]
    assert "Traceback" not in house.said()
    assert house.processes() == []
    if "socket" in kept:
        kept["socket"].close()
