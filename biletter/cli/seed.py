"""biletter seed"""

import argparse
import asyncio
from typing import Any

from accounts.accounts import Accounts
from accounts.passwords import Passwords
from biletter.cli.surroundings import settings_beside_running
from biletter.partner_side import PartnerSide
from biletter.seed.demo import is_fresh, limit_star, own_star, seed_accounts, seed_events
from biletter.seed.owned import CINEMA_ID
from biletter.seed.partner_halls import HallsPrepared
from biletter.seed.star import STAR_ID
from biletter.settings import Settings
from biletter.trouble import Trouble
from kernel.clock import SystemClock
from kernel.db import Db, open_pool
from kernel.keyring import Keyring
from sales.catalogue import Catalogue
from sales.halls import Halls

POOL_MAX = 2


def add(subparsers: Any) -> None:
    command = subparsers.add_parser(
        "seed",
        help="fill the database with the demonstration",
        description="demo: writes events and accounts; repeating it moves the events' dates"
        " ahead and resets the demo passwords, orders and tickets stay. halls: lays the halls that"
        " a partner owns at his stand-in and connects them, where that is not done yet; needs the"
        " stand-in running.",
    )
    command.add_argument("what", choices=["demo", "halls"], help="what to write")
    command.add_argument(
        "--if-empty",
        action="store_true",
        help="do nothing when the demonstration is there and its star concert still to come",
    )


def run(args: argparse.Namespace) -> int:
    settings = settings_beside_running()
    asyncio.run(_seed(settings, args.what, if_empty=args.if_empty))
    return 0


async def _seed(settings: Settings, what: str, *, if_empty: bool) -> None:
    assert settings.database_url is not None, "settings_beside_running gives every engine"
    db = await open_pool(settings.database_url, size_max=POOL_MAX)
    try:
        if what == "halls":
            await _prepare_halls(db, settings)
        elif if_empty and await is_fresh(db, SystemClock()):
            await limit_star(db, settings.person_limit)
            _say("the demonstration is there already")
            await _own_star(db, settings)
        else:
            await _seed_everything(db, settings)
            await _own_star(db, settings)
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


async def _own_star(db: Db, settings: Settings) -> None:
    if not await own_star(db, SystemClock(), settings.event1):
        raise Trouble(
            f"BILETTER_EVENT1={settings.event1}: event 1 has tickets or orders under way with"
            " its other owner; reset first (POST /api/reset), or leave the setting as it was."
        )


async def _prepare_halls(db: Db, settings: Settings) -> None:
    """A partner who is away stops nobody."""
    catalogue = Catalogue(db, SystemClock())
    side = PartnerSide(settings, db, SystemClock(), catalogue)
    is_ours = settings.provider_endpoint is None and settings.provider_extras
    prepared = HallsPrepared(
        db, side.halls(Halls(catalogue)), settings.provider_url, _say, is_ours=is_ours
    )
    try:
        await prepared.prepare([STAR_ID, CINEMA_ID])
    finally:
        await side.close()


def _say(line: str) -> None:
    print(f"seed: {line}", flush=True)
