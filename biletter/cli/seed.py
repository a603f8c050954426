"""biletter seed"""

import argparse
import asyncio
from typing import Any

from accounts.accounts import Accounts
from accounts.passwords import Passwords
from biletter.cli.surroundings import settings_beside_running
from biletter.seed.demo import is_fresh, limit_star, seed_accounts, seed_events
from biletter.settings import Settings
from kernel.clock import SystemClock
from kernel.db import Db, open_pool
from kernel.keyring import Keyring

POOL_MAX = 2


def add(subparsers: Any) -> None:
    command = subparsers.add_parser(
        "seed",
        help="fill the database with the demonstration",
        description="Writes demo events and accounts. Repeating it moves the events' dates"
        " ahead and resets the demo passwords; orders and tickets stay.",
    )
    command.add_argument("what", choices=["demo"], help="what to write")
    command.add_argument(
        "--if-empty",
        action="store_true",
        help="do nothing when the demonstration is there and its star concert still to come",
    )


def run(args: argparse.Namespace) -> int:
    asyncio.run(_seed(settings_beside_running(), if_empty=args.if_empty))
    return 0


async def _seed(settings: Settings, *, if_empty: bool) -> None:
    assert settings.database_url is not None, "settings_beside_running gives every engine"
    db = await open_pool(settings.database_url, size_max=POOL_MAX)
    try:
        if if_empty and await is_fresh(db, SystemClock()):
            await limit_star(db, settings.person_limit)
            _say("the demonstration is there already")
        else:
            await _seed_everything(db, settings)
    finally:
        await db.close()


async def _seed_everything(db: Db, settings: Settings) -> None:
    passwords = Passwords(Keyring(settings.keys).secret("pepper"))
    try:
        await seed_accounts(Accounts(db, passwords, SystemClock()), _say)
    finally:
        passwords.close()
    # Last, for its presence says that the whole demonstration is there.
    await seed_events(db, SystemClock(), settings.person_limit, _say)


def _say(line: str) -> None:
    print(f"seed: {line}", flush=True)
