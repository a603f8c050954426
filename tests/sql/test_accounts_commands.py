"""`biletter import users` and `biletter keys`, as typed."""

import asyncio
import hashlib
import json

import pytest

from accounts.accounts import Accounts
from accounts.passwords import Passwords
from biletter.cli.importing import Import
from biletter.cli.main import main
from kernel import intake
from kernel.keyring import Keyring

HEADER = "user_id,email,password_hash,first_name\n"
DIGEST = hashlib.sha256(b"parol-bez-bukv").hexdigest()


@pytest.fixture
def command(db_url, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("REDIS_ROOMS_URL", "redis://unused")
    monkeypatch.setenv("REDIS_SHOP_URL", "redis://unused")
    monkeypatch.setenv("BILETTER_DATA", str(tmp_path / "data"))

    async def run(*words: str) -> int:
        return await asyncio.to_thread(main, words)

    return run


async def test_users_come_in_by_a_command_and_sign_in(command, db, tmp_path, clock, capsys):
    file = tmp_path / "users.csv"
    text = HEADER + f"1,aru@mail.kz,{DIGEST},Ару\n2,bek,{DIGEST},Бек\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert await command("import", "users", str(file)) == 0
    said = capsys.readouterr().out
    assert "1 new, 0 updated, 1 rejected" in said
    assert "users.csv.rejects.csv" in said
    rejects = tmp_path / "users.csv.rejects.csv"
    assert rejects.read_text() == "line,reason,id,email\n3,bad-email,2,bek\n"
    passwords = Passwords(Keyring(tmp_path / "data" / "keys").secret("pepper"))
    accounts = Accounts(db, passwords, clock)
    assert (await accounts.authenticate("aru@mail.kz", "parol-bez-bukv")).name == "Ару"
    passwords.close()
    file.write_text(HEADER + f"1,aru@mail.kz,{DIGEST},Ару\n")
    assert await command("import", "users", str(file)) == 0
    assert not rejects.exists()


async def test_a_file_of_which_nothing_could_be_taken_is_a_failure(command, tmp_path):
    file = tmp_path / "users.csv"
    file.write_text(HEADER + f"1,aru,{DIGEST},Ару\n")
    assert await command("import", "users", str(file)) == 1


@pytest.mark.parametrize(("text", "words"), [("id,mail\n", "столбцов"), (None, "can't be read")])
async def test_a_file_that_is_none_is_one_clear_sentence(command, tmp_path, capsys, text, words):
    file = tmp_path / "users.csv"
    if text is not None:
        file.write_text(text)
    assert await command("import", "users", str(file)) == 1
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


async def test_a_stopped_import_goes_on_where_it_was_and_keeps_its_account(
    command, db, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(intake, "BATCH_ROWS", 2)
    file = tmp_path / "archive.json"
    good = {"title": "Ночь", "type": "film", "datetime_start": "2020-01-01T19:00:00"}
    file.write_text(json.dumps([{**good, "id": 100_000 + (0 if n % 2 else n)} for n in range(5)]))
    note = Import.note

    def stopped(current, progress):
        note(current, progress)
        if progress.place.row == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Import, "note", stopped)
        assert await command("import", "archive", str(file)) == 130
    assert (tmp_path / "archive.json.progress").exists()
    assert await command("import", "archive", str(file)) == 0
    told = capsys.readouterr()
    assert "going on after row 2" in told.err
    assert "3 new, 2 updated, 0 rejected" in told.out
    assert not (tmp_path / "archive.json.progress").exists()
    assert await db.fetchval("SELECT count(*) FROM event") == 3


async def test_a_new_pass_key_signs_and_the_one_before_stays_valid(command, tmp_path, capsys):
    assert await command("keys", "list") == 1
    assert "no keys" in capsys.readouterr().err
    keyring = Keyring(tmp_path / "data" / "keys")
    before = [key["kid"] for key in keyring.jwks("pass")["keys"]]
    assert await command("keys", "rotate", "pass") == 0
    assert await command("keys", "list") == 0
    told = capsys.readouterr().out
    assert before[0] in told
    assert len(Keyring(tmp_path / "data" / "keys").jwks("pass")["keys"]) == 2
