"""`biletter staff`, as typed."""

import asyncio
import io

import pytest

from accounts.accounts import AccountInactive, Accounts, WrongCredentials
from accounts.passwords import Passwords
from accounts.sessions import Sessions
from biletter.cli.main import main
from kernel.keyring import Keyring

DANA, SECRET = "dana@mail.kz", b"s" * 32
PASSWORD, OTHER = "смена до вечера", "ключ под ковриком"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def staff(db_url, tmp_path, monkeypatch):
    """The command; `typed` is what stands on its standard input."""
    monkeypatch.setattr("accounts.passwords.MEMORY_KIB", 64)
    for name in ("REDIS_ROOMS_URL", "REDIS_SHOP_URL"):
        monkeypatch.setenv(name, "redis://unused")
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("BILETTER_DATA", str(tmp_path / "data"))

    async def run(*words: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return await asyncio.to_thread(main, ["staff", *words])

    return run


@pytest.fixture
def accounts(db, clock, tmp_path):
    """As another process sees them, which has judged nobody yet."""
    passwords = Passwords(Keyring(tmp_path / "data" / "keys").secret("pepper"))
    yield lambda: Accounts(db, passwords, clock)
    passwords.close()


async def lines(db):
    rows = await db.fetch("SELECT actor, action, subject, detail FROM audit ORDER BY id")
    assert {(row["actor"], row["subject"]) for row in rows} == {("cli", "staff")}
    return [(row["action"], {k: v for k, v in row["detail"].items() if k != "by"}) for row in rows]


async def test_a_life_of_staff(staff, accounts, db, clock, capsys):
    assert await staff("list") == 0
    assert capsys.readouterr().out == ""
    made = ("add", "Dana@mail.kz", "--role", "operator", "--name", "Дана Касымова")
    assert await staff(*made, typed=f"{PASSWORD}\n") == 0
    assert capsys.readouterr().out == f"operator  {DANA}  Дана Касымова\n"
    dana = await accounts().authenticate(DANA, PASSWORD)
    sessions = Sessions(db, SECRET, clock, audience="staff")

    async def signed_in():
        signed = sessions.read(await sessions.start(dana))
        assert signed
        return lambda: sessions.check(signed, within_ms=-1)

    here = await signed_in()
    assert (await here()).role == "operator"
    assert await staff("role", DANA, "admin") == 0
    assert await here() is None, "signed out: the next sign-in has the new rights"
    here = await signed_in()
    assert await staff("disable", DANA) == 0
    assert await here() is None
    with pytest.raises(AccountInactive):
        await accounts().authenticate(DANA, PASSWORD)
    assert await staff("list") == 0
    assert capsys.readouterr().out.endswith(f"admin     {DANA}  Дана Касымова  (disabled)\n")
    assert await staff("enable", DANA) == 0
    assert await staff("password", DANA, typed=OTHER) == 0
    with pytest.raises(WrongCredentials):
        await accounts().authenticate(DANA, PASSWORD)
    assert (await accounts().authenticate(DANA, OTHER)).role == "admin"
    assert await staff("role", DANA, "buyer") == 0
    capsys.readouterr()
    assert await staff("list") == 0
    assert capsys.readouterr().out == ""
    told = {"email": DANA, "outcome": "done"}
    assert await lines(db) == [
        ("staff.add", told | {"after": "operator"}),
        ("staff.role", told | {"before": "operator", "after": "admin"}),
        ("staff.disable", told),
        ("staff.enable", told),
        ("staff.password", told),
        ("staff.role", told | {"before": "admin", "after": "buyer"}),
    ]


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["add", "dana", "--role", "operator"], PASSWORD, "bad-email"),
        (["add", DANA, "--role", "operator"], "short", "weak-password"),
        (["add", DANA, "--role", "operator"], "", "weak-password"),
        (["add", DANA, "--role", "operator"], "x" * 129, "weak-password"),
        (["role", DANA, "admin"], "", "account-unknown"),
        (["disable", DANA], "", "account-unknown"),
        (["password", DANA], PASSWORD, "account-unknown"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(staff, db, capsys, words, typed, said):
    assert await staff(*words, typed=typed) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err
    assert await db.fetchval("SELECT count(*) FROM account") == 0
    assert await db.fetchval("SELECT count(*) FROM audit") == 0


async def test_an_account_that_is_there_keeps_its_password(staff, accounts, db, capsys):
    await accounts().sign_up(DANA, PASSWORD)
    assert await staff("add", DANA, "--role", "cashier", typed=OTHER) == 1
    assert "email-taken" in capsys.readouterr().err
    assert (await accounts().authenticate(DANA, PASSWORD)).role == "buyer"
    assert [detail["outcome"] for _, detail in await lines(db)] == ["email-taken"]


async def test_on_a_terminal_the_password_is_asked_for_twice(staff, accounts, monkeypatch, capsys):
    typed = iter([PASSWORD, OTHER, PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    monkeypatch.setattr("io.StringIO", Terminal)
    assert await staff("add", DANA, "--role", "admin") == 1
    assert "two different passwords" in capsys.readouterr().err
    assert await staff("add", DANA, "--role", "admin") == 0
    assert (await accounts().authenticate(DANA, PASSWORD)).role == "admin"


@pytest.mark.parametrize("words", [["add", DANA], ["add", DANA, "--role", "buyer"], ["role", DANA]])
async def test_a_role_must_be_one(staff, words, capsys):
    with pytest.raises(SystemExit):
        await staff(*words, typed=PASSWORD)
    assert "role" in capsys.readouterr().err
