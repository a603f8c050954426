"""biletter lottery verify: right data passes, and every way of cheating is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from biletter.cli.main import main
from waitingroom.lottery import ALGORITHM, Lottery

DRAWN = Lottery(7, 1_780_315_200, 500, "5a" * 32, "drand 42")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return write(tmp_path / "lottery.json")


def write(path: Path, **changed: Any) -> Path:
    fields = {
        "event": DRAWN.event,
        "generation": DRAWN.generation,
        "algorithm": ALGORITHM,
        "commitment": DRAWN.commitment,
        "outside_source": "drand, round 42",
        "opens_at": "2026-06-01T12:00:00.000Z",
        "seed": DRAWN.seed,
        "outside": DRAWN.outside,
        "count": DRAWN.count,
        "drawn_at": "2026-06-01T12:00:00.250Z",
    }
    path.write_text(json.dumps(fields | changed))
    return path


def verify(capsys: pytest.CaptureFixture[str], *asked: str) -> tuple[int, str, str]:
    status = main(["lottery", "verify", *asked])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_an_honest_lottery_holds(saved: Path, capsys: pytest.CaptureFixture[str]):
    status, out, _ = verify(capsys, str(saved), "--commitment", DRAWN.commitment, "--entrant", "9")
    assert status == 0
    assert "500 entrants, every place given once" in out
    assert f"entrant 9 has place {DRAWN.permutation()(9)}" in out


def test_every_place_is_printed(saved: Path, capsys: pytest.CaptureFixture[str]):
    status, out, _ = verify(capsys, str(saved), "--places")
    told = [tuple(map(int, line.split())) for line in out.splitlines()]
    assert status == 0
    assert told == list(enumerate(DRAWN.permutation().places(), start=1))


@pytest.mark.parametrize(
    ("changed", "asked", "said"),
    [
        ({"seed": "5b" * 32}, [], "NOT the one"),
        ({}, ["--commitment", "00" * 32], "CHANGED"),
        ({"seed": None, "count": None}, [], "Not drawn yet"),
        ({"algorithm": "other"}, [], "not known"),
        ({"count": 10**9}, [], "not checked here"),
        ({"count": "many"}, [], "can't be read"),
        ({}, ["--entrant", "501"], "Entrants are 1 to 500"),
    ],
)
def test_what_does_not_hold_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
    asked: list[str],
    said: str,
):
    path = write(tmp_path / "lottery.json", **changed)
    status, out, err = verify(capsys, str(path), *asked)
    assert (status, out) == (1, "")
    assert said in err


def test_what_is_not_there_is_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    status, _, err = verify(capsys, str(tmp_path / "none.json"))
    assert status == 1
    assert "can't be read" in err


def test_a_lottery_that_waits_or_went_without_its_value_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    waiting = {"seed": None, "outside": None, "drawn_at": None, "awaits": "outside"}
    status, _, err = verify(capsys, str(write(tmp_path / "waits.json", **waiting)))
    assert status == 1
    assert "500 entrants were counted; it waits for the value from outside: drand, round 42" in err
    bare = Lottery(DRAWN.event, DRAWN.generation, DRAWN.count, DRAWN.seed)
    file = write(tmp_path / "without.json", outside="", without_outside=True)
    status, out, _ = verify(capsys, str(file), "--entrant", "9")
    assert status == 0
    assert "drawn WITHOUT the value from outside that was announced (drand, round 42)" in out
    assert f"entrant 9 has place {bare.permutation()(9)}" in out
