"""Importing users into real PostgreSQL: what a row means, and what is rejected."""

import csv
import hashlib
import io

import pytest

from accounts.accounts import AccountInactive, Accounts
from accounts.import_rows import BadHeader, Reject, read_rows
from accounts.imports import OWN_IDS_FROM, UserImport
from accounts.passwords import Passwords
from kernel import intake
from kernel.incoming import Lines, Place

COLUMNS = [
    *("user_id", "email", "password_hash", "password_plain", "first_name", "surname"),
    *("birthday", "registered_at", "is_active", "last_logged_in"),
]
START = Place()
NASTY = "a:b\\c\"d,e'f"


@pytest.fixture
def passwords():
    made = Passwords(b"p" * 32)
    yield made
    made.close()


@pytest.fixture
def accounts(db, passwords, clock):
    return Accounts(db, passwords, clock)


def user(number: int, **changes: str) -> dict[str, str]:
    given = {
        "user_id": str(number),
        "email": f"ару_{number}@mail.kz",
        "password_plain": f"пароль-{number}",
        "first_name": "Ару",
        "surname": "Сейтова",
        "birthday": "1999-12-31",
        "registered_at": "2024-05-01 10:00:00",
        "is_active": "true",
        "last_logged_in": "",
    } | changes
    digest = hashlib.sha256(given["password_plain"].encode()).hexdigest()
    return {"password_hash": digest} | given


def as_file(*users: dict[str, str]) -> Lines:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(users)
    return as_lines(file.getvalue())


def as_lines(text: str) -> Lines:
    return Lines(io.BytesIO(text.encode("utf-8", "surrogateescape")))


@pytest.fixture
def load(db, passwords):
    async def run(lines, start=START):
        done = [progress async for progress in UserImport(db, passwords).run(lines, start)]
        rejects = [(one.line, one.reason) for progress in done for one in progress.rejects]
        last = done[-1] if done else None
        return (last.made, last.changed, rejects) if last else (0, 0, [])

    return run


async def test_imported_users_sign_in_at_once_whatever_their_password_holds(load, accounts, db):
    users = [user(1), user(2, password_plain=NASTY), user(3, is_active="0"), user(4, birthday="")]
    assert await load(as_file(*users)) == (4, 0, [])
    assert (await accounts.authenticate("ару_1@mail.kz", "пароль-1")).id == 1
    assert (await accounts.authenticate("ару_2@mail.kz", NASTY)).name == "Ару Сейтова"
    with pytest.raises(AccountInactive):
        await accounts.authenticate("ару_3@mail.kz", "пароль-3")
    row = await db.fetchrow("SELECT * FROM account WHERE id = 4")
    assert row["birthday"] is None
    assert row["registered_at"].isoformat() == "2024-05-01T10:00:00+00:00"
    assert row["last_logged_in"] is None


async def test_the_same_file_twice_changes_nothing(load, db):
    users = [user(n) for n in range(1, 21)]
    await load(as_file(*users))
    before = await db.fetch("SELECT * FROM account ORDER BY id")
    assert await load(as_file(*users)) == (0, 20, [])
    assert await db.fetch("SELECT * FROM account ORDER BY id") == before


async def test_a_row_with_a_known_id_changes_that_account(load, accounts):
    await load(as_file(user(7)))
    changed = user(7, email="new@mail.kz", password_plain="новый пароль")
    assert await load(as_file(changed)) == (0, 1, [])
    assert (await accounts.authenticate("new@mail.kz", "новый пароль")).id == 7


async def test_a_row_with_a_known_email_changes_that_account_and_keeps_its_id(load, accounts):
    aru = await accounts.sign_up("ару_7@mail.kz", "сама придумала")
    assert await load(as_file(user(7))) == (0, 1, [])
    assert (await accounts.authenticate("ару_7@mail.kz", "пароль-7")).id == aru.id


async def test_a_row_between_two_accounts_is_rejected(load, accounts):
    await load(as_file(user(7), user(8)))
    mixed = user(7, email="ару_8@mail.kz", password_plain="чужой пароль")
    assert await load(as_file(mixed)) == (0, 0, [(2, "email-of-another-account")])
    assert (await accounts.authenticate("ару_8@mail.kz", "пароль-8")).id == 8


async def test_a_file_takes_nobodys_own_account_by_its_number(load, accounts):
    bek = await accounts.sign_up("bek@mail.kz", "сам придумал")
    assert bek.id >= OWN_IDS_FROM
    assert await load(as_file(user(bek.id))) == (0, 0, [(2, "id-of-another-account")])
    assert (await accounts.authenticate("bek@mail.kz", "сам придумал")).id == bek.id


async def test_a_file_hands_out_no_staff_login(load, accounts):
    await accounts.ensure("ops@mail.kz", "смена до вечера", "operator")
    taken = user(7, email="OPS@mail.kz")
    assert await load(as_file(taken)) == (0, 0, [(2, "staff-account")])
    assert (await accounts.authenticate("ops@mail.kz", "смена до вечера")).role == "operator"


async def test_rows_about_one_account_count_in_the_order_of_the_file(load, accounts, db):
    users = [user(n) for n in range(1, 12)]
    users[5] = user(6, email="first@mail.kz")
    users.append(user(6, email="last@mail.kz", password_plain="последний"))
    # Freed by the line before, the address is taken by somebody new.
    users.append(user(50, email="first@mail.kz"))
    assert await load(as_file(*users)) == (12, 1, [])
    assert (await accounts.authenticate("last@mail.kz", "последний")).id == 6
    assert (await accounts.authenticate("first@mail.kz", "пароль-50")).id == 50
    assert await db.fetchval("SELECT count(*) FROM account") == 12


async def test_two_new_rows_of_one_address_are_one_account(load, db):
    assert await load(as_file(user(1), user(2, email="АРУ_1@mail.kz"))) == (1, 1, [])
    assert [row["id"] for row in await db.fetch("SELECT id FROM account")] == [1]


async def test_bad_lines_are_told_and_the_good_ones_taken(load, db):
    users = [
        user(1, user_id="0"),
        user(2, user_id="x"),
        user(3, user_id=str(2**63)),
        user(4, email="без собаки"),
        user(5, password_hash="abc"),
        user(6, password_hash="", password_plain=""),
        user(7, is_active="maybe"),
        user(8, birthday="1999-13-01"),
        user(9, registered_at="вчера"),
        user(10, first_name="я" * 101),
        user(11, password_hash="", password_plain="только открытый"),
        user(12),
    ]
    reasons = ["bad-id", "bad-id", "bad-id", "bad-email", "bad-hash", "no-password", "bad-active"]
    reasons += ["bad-birthday", "bad-time", "bad-name"]
    assert await load(as_file(*users)) == (2, 0, list(enumerate(reasons, start=2)))
    assert await db.fetchval("SELECT array_agg(id ORDER BY id) FROM account") == [11, 12]


async def test_names_lose_what_nobody_sees(load, db):
    await load(
        as_file(user(1, first_name=" А\u200bр\u202eу\u2066 ", surname="Сей\ufeffтова\t Бек"))
    )
    row = await db.fetchrow("SELECT first_name, surname FROM account")
    assert tuple(row) == ("Ару", "Сейтова Бек")


async def test_a_password_in_the_open_is_used_only_without_a_hash(load, accounts):
    await load(as_file(user(1, password_hash="", password_plain="открытый пароль")))
    assert await accounts.authenticate("ару_1@mail.kz", "открытый пароль")


def test_a_file_without_its_columns_is_refused_before_anything_is_read():
    with pytest.raises(BadHeader, match="password_hash"):
        next(read_rows(as_lines("user_id,email\n1,a@b.kz\n"), Place()))
    with pytest.raises(BadHeader):
        next(read_rows(as_lines(""), Place()))


def test_broken_lines_do_not_stop_the_file():
    digest = "0" * 64
    lines = [
        "email,user_id,password_hash\r\n",
        f"aru@mail.kz,1,{digest},more\r\n",
        "\r\n",
        f"\udcffaru@mail.kz,2,{digest}\r\n",
        f"aru@mail.kz,3,{digest.upper()}\r\n",
        '"' + "x" * 20_000 + "\r\n",
        f"bek@mail.kz,4,{digest}\r\n",
    ]
    found = list(read_rows(as_lines("".join(lines)), Place()))
    assert [one.reason if isinstance(one, Reject) else one.id for one in found] == [
        "wrong-column-count",
        "bad-email",
        3,
        "broken-csv",
        4,
    ]
    assert [one.line for one in found] == [2, 4, 5, 6, 7]


async def test_ids_given_later_are_above_imported_ones(load, accounts):
    high = OWN_IDS_FROM + 5_000
    await load(as_file(user(1), user(high)))
    assert (await accounts.sign_up("bek@mail.kz", "сам придумал")).id == high + 1
    await load(as_file(user(2)))
    assert (await accounts.sign_up("dana@mail.kz", "сама придумала")).id == high + 2


async def test_many_batches_are_one_import(load, db, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_ROWS", 7)
    users = [user(n) for n in range(1, 51)]
    users[20] = user(21, email="нет")
    assert await load(as_file(*users)) == (49, 0, [(22, "bad-email")])
    assert await db.fetchval("SELECT count(*) FROM account") == 49


async def test_an_import_goes_on_where_it_was_stopped(load, passwords, db, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_ROWS", 2)
    first = [user(number) for number in range(1, 6)]
    importing = UserImport(db, passwords).run(as_file(*first), START)
    stopped = [progress.place async for progress in importing]
    # Were the first batch read again, its changed names would be written.
    again = [{**one, "first_name": "Бек"} for one in first]
    assert await load(as_file(*again), stopped[0]) == (0, 3, [])
    rows = await db.fetch("SELECT id FROM account WHERE first_name = 'Бек' ORDER BY id")
    assert [row["id"] for row in rows] == [3, 4, 5]
    broken = [*first[:4], user(5, email="нет")]
    assert await load(as_file(*broken), stopped[1]) == (0, 0, [(6, "bad-email")])
