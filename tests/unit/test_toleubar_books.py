"""The books: compare-and-set, history, and what outlives the process."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from random import Random

import msgspec
import pytest

from sandbox.sqlite_file import FileBrokenError
from sandbox.toleubar.books import BOOKS_VERSION, Books
from sandbox.toleubar.faults import Faults
from sandbox.toleubar.payment import Change
from sandbox.toleubar.presets import STARTING, read_faults
from sandbox.toleubar.states import Status
from sandbox.toleubar.switchboard import Switchboard
from tests.unit.test_toleubar_letters import AT_MS, payment


@pytest.fixture
def books(tmp_path):
    with closing(Books(tmp_path / "folder" / "toleubar.db")) as opened:
        yield opened


def test_an_order_is_written_once(books):
    first = payment(Status.NEW)
    assert books.add(first)
    assert not books.add(msgspec.structs.replace(first, payment_id="2"))
    assert not books.add(msgspec.structs.replace(first, order_id="another"))
    assert books.find_order("toleubar-demo", "bk-000456-1").payment_id == first.payment_id


def test_amounts_come_back_as_they_were_written(books):
    books.add(payment(Status.NEW, "20000000.00"))
    assert str(books.find("17556000001234").amount) == "20000000.00"


def test_of_two_moves_from_one_status_the_second_is_lost(books):
    new = payment(Status.NEW)
    books.add(new)
    assert books.move(new, Status.CANCELLED, AT_MS + 1, "cancel").status is Status.CANCELLED
    assert books.move(new, Status.FORM_SHOWED, AT_MS + 2, "submit") is None
    assert books.find("17556000001234").updated_ms == AT_MS + 1


def test_a_move_that_no_payment_makes_is_our_own_bug(books):
    books.add(payment(Status.NEW))
    with pytest.raises(AssertionError):
        books.move(payment(Status.NEW), Status.CONFIRMED, AT_MS, "confirm")


def test_the_history_is_kept_in_order(books):
    new = payment(Status.NEW)
    books.add(new)
    books.move(new, Status.FORM_SHOWED, AT_MS + 5, "submit")
    page = books.page(0, 10)
    assert books.history(page)["17556000001234"] == [
        Change(AT_MS, "NEW", ""),
        Change(AT_MS + 5, "FORM_SHOWED", "submit"),
    ]


def test_pages_follow_each_other_without_gaps(books):
    for number in range(5):
        books.add(
            msgspec.structs.replace(
                payment(Status.NEW), payment_id=f"p{number}", order_id=f"o{number}"
            )
        )
    first = books.page(0, 2)
    rest = books.page(first[-1].seq, 10)
    assert [one.payment_id for one in first + rest] == ["p0", "p1", "p2", "p3", "p4"]
    assert books.totals() == {"NEW": (5, Decimal(100_000_000))}


def test_everything_is_there_for_a_reader_who_comes_while_the_books_are_open(books, tmp_path):
    books.add(payment(Status.NEW))
    with closing(sqlite3.connect(tmp_path / "folder" / "toleubar.db")) as reader:
        assert reader.execute("SELECT order_id FROM payment").fetchall() == [("bk-000456-1",)]


def test_newer_or_foreign_books_are_refused_in_one_sentence(tmp_path):
    path = tmp_path / "newer.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {BOOKS_VERSION + 1}")
    with pytest.raises(FileBrokenError, match="newer version"):
        Books(path)
    (tmp_path / "foreign.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(FileBrokenError, match="cannot be opened"):
        Books(tmp_path / "foreign.db")


def test_switches_survive_the_process(books):
    Switchboard(books, Random(1)).change({"webhook_loss": 0.5})
    assert Switchboard(books, Random(1)).faults.webhook_loss == 0.5


def test_a_profile_brings_its_own_starting_values():
    faithful = read_faults({"profile": "faithful", "webhook_loss": 1})
    assert (faithful.card_delay_max_s, faithful.webhook_wait) == (2.0, True)
    assert faithful.webhook_loss == 1
    assert read_faults({}) == Faults() == STARTING["documented"]


@pytest.mark.parametrize(
    "written",
    [
        {"nonsense": 1},
        {"webhook_loss": 1.5},
        {"webhook_loss": "half"},
        {"profile": "other"},
        {"profile": []},
        {"card_delay_min_s": 3, "card_delay_max_s": 1},
    ],
)
def test_switches_that_do_not_exist_or_fit_are_refused(written):
    with pytest.raises(msgspec.ValidationError):
        read_faults(written)


def test_what_is_written_together_is_kept_together(books):
    books.add(payment(Status.NEW))

    def cancel_and_fail() -> None:
        with books.together():
            books.move(payment(Status.NEW), Status.CANCELLED, AT_MS, "cancel")
            books.keep_reply("cancel", "k", "17556000001234", AT_MS, b"{}")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cancel_and_fail()
    assert books.find("17556000001234").status is Status.NEW
    assert books.reply("cancel", "k", 0) is None
