"""Accounts of staff: made, given another role, shut and opened, given another password.

Whoever's rights change is signed out everywhere: the next sign-in has the new ones.
"""

from accounts.accounts import Accounts, EmailTaken
from accounts.addresses import read_email
from accounts.passwords import Passwords, check_strength
from accounts.people import NAME_MAX, Person, Role, person_of, split_name
from accounts.queries import QUERIES
from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import NotFound
from kernel.text import seen_line


class AccountUnknown(NotFound):
    """Учётной записи с таким адресом нет."""

    code = "account-unknown"


class Staffing:
    def __init__(self, db: Db, accounts: Accounts, passwords: Passwords, clock: Clock) -> None:
        self._db, self._accounts, self._passwords, self._clock = db, accounts, passwords, clock

    async def find(self, email: str) -> Person:
        """Raises BadEmail, AccountUnknown."""
        found = await self._accounts.find(read_email(email))
        if found is None:
            raise AccountUnknown
        return found

    async def add(self, email: str, password: str, role: Role, name: str = "") -> Person:
        """A new account. Raises BadEmail, WeakPassword, EmailTaken: an account that is there
        already keeps its password, and is given a role instead.
        """
        email = read_email(email)
        check_strength(password)
        first, surname = (part[:NAME_MAX] for part in split_name(seen_line(name)))
        hashed = await self._passwords.hash(password)
        row = await self._db.fetchrow(
            QUERIES["insert_account"], email, hashed, first, surname, role
        )
        if row is None:
            raise EmailTaken
        return person_of(row)

    async def give_role(self, person: Person, role: Role) -> None:
        await self._db.execute(QUERIES["set_role"], person.id, role)
        await self._sign_out(person)

    async def shut(self, person: Person) -> None:
        """Nobody signs in to it any more."""
        await self._db.execute(QUERIES["set_active"], person.id, False)  # a parameter of SQL
        await self._sign_out(person)

    async def open(self, person: Person) -> None:
        await self._db.execute(QUERIES["set_active"], person.id, True)  # a parameter of SQL

    async def set_password(self, person: Person, password: str) -> None:
        """Raises WeakPassword."""
        check_strength(password)
        await self._db.execute(
            QUERIES["set_password"], person.id, await self._passwords.hash(password)
        )
        await self._sign_out(person)

    async def _sign_out(self, person: Person) -> None:
        await self._db.execute(QUERIES["end_sessions"], person.id, self._clock.now())
