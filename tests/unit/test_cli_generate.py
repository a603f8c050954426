"""`biletter generate`, as typed: the same seed, the same file, and files that imports take."""

import csv
import hashlib
import io

import msgspec
import pytest

from accounts.import_rows import Row, read_rows
from biletter.cli.generate import COUNTS
from biletter.cli.imports import ACTIVE_IDS, ARCHIVE_IDS
from biletter.cli.main import main
from kernel.incoming import Lines, Objects, Place
from sales.event_rows import EventRow, read_events

COUNT = 200


@pytest.fixture
def generate(tmp_path):
    def run(kind, *, seed=1, count=COUNT):
        path = tmp_path / "made"
        words = ["--count", str(count), "--seed", str(seed), "--out", str(path)]
        assert main(["generate", kind, *words]) == 0
        return path.read_bytes()

    return run


@pytest.mark.parametrize("kind", COUNTS)
def test_the_same_seed_makes_the_same_file_and_another_one_another(generate, kind):
    made = generate(kind)
    assert generate(kind) == made
    assert generate(kind, seed=2) != made


@pytest.mark.parametrize(
    ("kind", "ids"), [("events", ACTIVE_IDS), ("archive", ARCHIVE_IDS)], ids=["events", "archive"]
)
def test_every_event_but_the_star_is_one_that_an_import_takes(generate, kind, ids):
    rows = list(read_events(Objects(io.BytesIO(generate(kind))), ids))
    assert len(rows) == COUNT
    refused = [one for one in rows if not isinstance(one, EventRow)]
    assert [(one.id, one.reason) for one in refused] == (
        [("1", "id-out-of-range")] if kind == "events" else []
    )


def test_every_user_is_one_that_an_import_takes(generate):
    raw = generate("users")
    rows = [one for one in read_rows(Lines(io.BytesIO(raw)), Place()) if isinstance(one, Row)]
    assert [one.id for one in rows] == [*range(1, COUNT + 1)]
    told = list(csv.DictReader(io.StringIO(raw.decode())))
    for row, one in zip(rows, told, strict=True):
        assert row.digest == hashlib.sha256(one["password_plain"].encode()).hexdigest()
    assert any(":" in one["password_plain"] for one in told)
    assert any("і" in one["email"] for one in told)
    inactive = sum(not row.is_active for row in rows)
    assert 0.1 * COUNT < inactive < 0.3 * COUNT


def test_tickets_are_sorted_by_event_and_no_seat_is_sold_twice(generate):
    told = list(csv.DictReader(io.StringIO(generate("tickets", count=3_000).decode())))
    assert len(told) == 3_000
    places = [(int(one["event_id"]), int(one["row"]), int(one["seat"])) for one in told]
    assert places == sorted(set(places))


def test_without_a_file_it_goes_to_the_standard_output(capfdbinary):
    assert main(["generate", "archive", "--count", "2"]) == 0
    assert len(msgspec.json.decode(capfdbinary.readouterr().out)) == 2


def test_more_than_there_are_ids_is_refused_in_a_sentence(capsys):
    assert main(["generate", "events", "--count", "100000"]) == 1
    assert "between 0 and 99999" in capsys.readouterr().err
