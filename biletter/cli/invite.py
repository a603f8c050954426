"""biletter invite"""

import argparse
import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.accounts import Accounts
from accounts.addresses import BadEmail, read_email
from accounts.passwords import Passwords
from biletter.cli.surroundings import settings_beside_running
from biletter.parts import links_of
from biletter.settings import Settings, read_settings
from biletter.trouble import Trouble
from kernel.clock import SystemClock
from kernel.db import open_pool
from kernel.keyring import Keyring
from kernel.subjects import subject_of
from kernel.text import has_unseen
from kernel.values import ID_MAX
from waitingroom.invitations import LANE_MAX, LIFE_MAX_S, Invitations

COUNT_MAX = 100_000
LIFE_DAYS = 30
# The venue's, for a time without an offset.
ZONE = "Asia/Almaty"


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "invite",
        help="print invitations to the lane of an event's room",
        description="Prints links, one a line. Each leads one visitor, the first who uses it, into"
        " the lane of the invited. They are signed with this data folder's key: nothing is stored,"
        " and none can be taken back but by `biletter keys rotate invite`, twice.",
    )
    parser.add_argument("event", type=int, metavar="EVENT", help="the event's id")
    parser.add_argument("--count", type=int, default=1, help="how many (1)")
    parser.add_argument("--lane", default="guests", help="your name for these guests (guests)")
    parser.add_argument(
        "--until",
        metavar="TIME",
        help=f"2026-06-01T12:00, {ZONE} unless it has an offset ({LIFE_DAYS} days from now)",
    )
    parser.add_argument("--account", metavar="EMAIL|ID", help="good for this account alone")
    parser.add_argument("--tokens", action="store_true", help="print bare tokens, for programs")


def run(args: argparse.Namespace) -> int:
    settings = read_settings()
    if not settings.keys.is_dir():
        raise Trouble(f"There are no keys in {settings.data}: start Biletter once.")
    if not 0 < args.event <= ID_MAX:
        raise Trouble("An event's id is a whole number above 0.")
    if not 1 <= args.count <= COUNT_MAX:
        raise Trouble(f"--count is from 1 to {COUNT_MAX}.")
    if not 0 < len(args.lane) <= LANE_MAX or has_unseen(args.lane):
        raise Trouble(f"--lane is a name of at most {LANE_MAX} characters.")
    if args.account and args.count > 1:
        raise Trouble("An account needs one invitation: leave --count away.")
    keyring, until_s = Keyring(settings.keys), _until_s(args.until)
    subject = asyncio.run(_subject(keyring, args.account)) if args.account else ""
    invitations = Invitations(keyring, SystemClock())
    page = links_of(settings).base("waitingroom", "localhost") + f"/queue/{args.event}?invite="
    for _ in range(args.count):
        token = invitations.write(args.event, lane=args.lane, until_s=until_s, subject=subject)
        print(token if args.tokens else page + token)
    return 0


def _until_s(text: str | None) -> int:
    now = SystemClock().now()
    if text is None:
        return int((now + timedelta(days=LIFE_DAYS)).timestamp())
    try:
        told = datetime.fromisoformat(text)
        until_s = int((told if told.tzinfo else told.replace(tzinfo=ZoneInfo(ZONE))).timestamp())
    except (ValueError, OverflowError) as error:
        raise Trouble(f"--until must be like 2026-06-01T12:00, not {text!r}.") from error
    if not now.timestamp() < until_s <= now.timestamp() + LIFE_MAX_S:
        raise Trouble(f"--until must be ahead, by {LIFE_MAX_S // 86_400} days at most.")
    return until_s


async def _subject(keyring: Keyring, account: str) -> str:
    """Raises Trouble for an account that isn't there."""
    settings: Settings = settings_beside_running()
    assert settings.database_url is not None, "settings_beside_running gives every engine"
    db = await open_pool(settings.database_url, size_max=1)
    passwords = Passwords(keyring.secret("pepper"))
    try:
        accounts = Accounts(db, passwords, SystemClock())
        found = await accounts.find(read_email(account) if "@" in account else _id(account))
    except BadEmail as error:
        raise Trouble(f"{account!r} is no e-mail address.") from error
    finally:
        passwords.close()
        await db.close()
    if found is None:
        raise Trouble(f"There is no account {account!r}.")
    return subject_of(keyring.secret("subject"), "account", found.id)


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:17]) <= ID_MAX:
        raise Trouble(f"--account is an e-mail address or an id, not {text!r}.")
    return int(text)
