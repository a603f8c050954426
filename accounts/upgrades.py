"""Imported passwords become argon2id after their owner has shown them, without haste.

One at a time, nine tenths of the time resting, so that a flood of first sign-ins is not slowed by
it. What doesn't fit in the queue is offered again at the next sign-in.
"""

import asyncio
import time

import msgspec
import structlog

from accounts.passwords import Passwords, PasswordsBusy
from accounts.people import Person
from accounts.queries import QUERIES
from accounts.verified import Verified
from kernel.db import GONE, Db

# Each waits with its password in memory: few, and not for long.
WAITING_MAX = 200
REST_SHARE = 9

log = structlog.get_logger()


class Upgrade(msgspec.Struct, frozen=True):
    key: bytes
    person: Person
    password: str


class Upgrades:
    def __init__(self, db: Db, passwords: Passwords, verified: Verified) -> None:
        self._db = db
        self._passwords = passwords
        self._verified = verified
        self._waiting: dict[int, Upgrade] = {}
        self._rung = asyncio.Event()

    def offer(self, upgrade: Upgrade) -> None:
        """Queue it, or let it go when the queue is full."""
        if len(self._waiting) < WAITING_MAX:
            self._waiting[upgrade.person.id] = upgrade
            self._rung.set()

    async def run(self) -> None:
        """For the process's lifespan; ends by cancellation."""
        while True:
            await self._rung.wait()
            started = time.monotonic()
            await self.drain_one()
            await asyncio.sleep(REST_SHARE * (time.monotonic() - started))

    async def drain_one(self) -> None:
        """Upgrade the oldest, if there is one."""
        if not self._waiting:
            self._rung.clear()
            return
        upgrade = self._waiting.pop(next(iter(self._waiting)))
        person = upgrade.person
        try:
            stronger = await self._passwords.hash(upgrade.password)
            done = await self._db.fetchval(
                QUERIES["upgrade_password"], person.id, person.password_hash, stronger
            )
        except (PasswordsBusy, *GONE) as error:
            log.info("password upgrade put off", account=person.id, why=repr(error))
            return
        if done:
            renewed = msgspec.structs.replace(person, password_hash=stronger)
            self._verified.rehashed(upgrade.key, renewed)
