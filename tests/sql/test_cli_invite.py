"""`biletter invite`, as typed."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.accounts import Accounts
from accounts.passwords import Passwords
from biletter.cli.main import main
from kernel.clock import SystemClock
from kernel.keyring import Keyring
from kernel.subjects import subject_of
from waitingroom.invitations import Invitations, InviteNotYours


@pytest.fixture
def keyring(tmp_path, monkeypatch):
    monkeypatch.setenv("BILETTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BILETTER_PORT", "18000")
    return Keyring(tmp_path / "data" / "keys")


def read(keyring, link, subject="somebody"):
    """What an invitation's link says."""
    parts = urlsplit(link)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://localhost:18001/queue/7"
    token = parse_qs(parts.query)["invite"][0]
    return Invitations(keyring, SystemClock()).read(7, token, subject)


def test_links_are_printed_each_another_invitation(keyring, capsys):
    assert main(["invite", "7", "--count", "3", "--lane", "fan club"]) == 0
    links = capsys.readouterr().out.split()
    told = [read(keyring, link) for link in links]
    assert len({one.jti for one in told}) == 3
    assert {(one.lane, one.aud, one.sub) for one in told} == {("fan club", "7", "")}
    assert main(["invite", "7", "--tokens"]) == 0
    assert capsys.readouterr().out.count(".") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ["0"],
        ["7", "--count", "0"],
        ["7", "--count", "100001"],
        ["7", "--until", "yesterday"],
        ["7", "--until", "2001-01-01T00:00"],
        ["7", "--until", "2099-01-01T00:00"],
        ["7", "--lane", ""],
        ["7", "--lane", "x" * 31],
        ["7", "--account", "1", "--count", "2"],
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(keyring, capsys, wrong):
    keyring.secret("subject")
    assert main(["invite", *wrong]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


async def test_an_invitation_may_be_made_out_to_an_account(
    keyring, capsys, db, db_url, clock, monkeypatch
):
    for name in ("REDIS_ROOMS_URL", "REDIS_SHOP_URL"):
        monkeypatch.setenv(name, "redis://unused")
    monkeypatch.setenv("DATABASE_URL", db_url)
    passwords = Passwords(b"p" * 32)
    aru = await Accounts(db, passwords, clock).sign_up("aru@mail.kz", "тюльпаны цветут")
    passwords.close()
    subject = subject_of(keyring.secret("subject"), "account", aru.id)
    for account in ("Aru@mail.kz", str(aru.id)):
        assert await asyncio.to_thread(main, ["invite", "7", "--account", account]) == 0
        link = capsys.readouterr().out.strip()
        assert read(keyring, link, subject).sub == subject
        with pytest.raises(InviteNotYours):
            read(keyring, link, "somebody else")
    for nobody in ("bek@mail.kz", "404", "no@address", "-1"):
        assert await asyncio.to_thread(main, ["invite", "7", f"--account={nobody}"]) == 1
