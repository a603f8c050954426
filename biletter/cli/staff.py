"""biletter staff"""

import argparse
import getpass
import sys
from typing import Any

from accounts.accounts import Accounts
from accounts.addresses import read_email
from accounts.passwords import LENGTH_MAX, Passwords, check_strength
from accounts.people import ROLES, Person
from accounts.staffing import Staffing
from admin.audit import STAFF, Audit
from biletter.cli.surroundings import settings_beside_running, told
from biletter.trouble import Trouble
from kernel.clock import SystemClock
from kernel.db import Db, open_pool
from kernel.keyring import Keyring

ACTOR = "cli"
STAFF_ROLES = tuple(role for role in ROLES if role != "buyer")
NEEDS_PASSWORD = frozenset({"add", "password"})
# A line of standard input, with its end.
LINE_MAX = LENGTH_MAX * 4 + 2


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "staff",
        help="make, list, change and shut accounts of staff",
        description="Accounts for the console. A password is asked for twice, or read from one"
        " line of standard input; it is never an argument. Whoever's role or password changes, or"
        " whose account is shut, is signed out. The audit keeps all of it.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    deeds.add_parser("list", help="print everybody who is no buyer")
    added = deeds.add_parser("add", help="make an account")
    role = deeds.add_parser("role", help="give an account another role; buyer: no staff any more")
    shut = deeds.add_parser("disable", help="shut an account: nobody signs in to it")
    opened = deeds.add_parser("enable", help="open one that was shut")
    password = deeds.add_parser("password", help="give an account another password")
    for one in (added, role, shut, opened, password):
        one.add_argument("email", metavar="EMAIL")
    added.add_argument("--role", required=True, choices=STAFF_ROLES)
    added.add_argument("--name", default="", help="first name and surname")
    role.add_argument("role", choices=ROLES)


def run(args: argparse.Namespace) -> int:
    settings = settings_beside_running()
    assert settings.database_url is not None, "settings_beside_running gives every engine"
    about = "Staff" if args.deed == "list" else args.email
    return told(about, _run(args, settings.database_url, Keyring(settings.keys)))


async def _run(args: argparse.Namespace, url: str, keyring: Keyring) -> int:
    if args.deed != "list":
        read_email(args.email)
    password = _password() if args.deed in NEEDS_PASSWORD else ""
    db, clock = await open_pool(url, size_max=1), SystemClock()
    passwords = Passwords(keyring.secret("pepper"))
    try:
        accounts = Accounts(db, passwords, clock)
        if args.deed == "list":
            for one in await accounts.staff():
                print(_line(one))
        else:
            print(await _do(Staffing(db, accounts, passwords, clock), db, args, password))
    finally:
        passwords.close()
        await db.close()
    return 0


async def _do(staffing: Staffing, db: Db, args: argparse.Namespace, password: str) -> str:
    """What was done, in a line."""
    audit, action = Audit(db, SystemClock()), f"staff.{args.deed}"
    if args.deed == "add":
        email = read_email(args.email)
        async with audit.deed(ACTOR, action, STAFF, email=email, after=args.role):
            return _line(await staffing.add(email, password, args.role, args.name))
    person = await staffing.find(args.email)
    change = {"before": person.role, "after": args.role} if args.deed == "role" else {}
    async with audit.deed(ACTOR, action, STAFF, email=person.email, **change):
        if args.deed == "role":
            await staffing.give_role(person, args.role)
        elif args.deed == "password":
            await staffing.set_password(person, password)
        elif args.deed == "disable":
            await staffing.shut(person)
        else:
            await staffing.open(person)
    return _line(await staffing.find(args.email))


def _line(one: Person) -> str:
    shut = "" if one.is_active else "  (disabled)"
    return f"{one.role:<9} {one.email}{f'  {one.name}' if one.name else ''}{shut}"


def _password() -> str:
    """Asked for twice on a terminal, else one line. Raises WeakPassword, Trouble."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        check_strength(password)
        if getpass.getpass("Once more: ") != password:
            raise Trouble("These were two different passwords: nothing was changed.")
        return password
    password = sys.stdin.readline(LINE_MAX).removesuffix("\n").removesuffix("\r")
    check_strength(password)
    return password
