"""Accounts: sign up, authenticate, change the password; and the same for seeds.

There is one way to judge a password, `authenticate`, for the page and for HTTP Basic alike. An
unknown address and a wrong password get the same answer. Their timing is not levelled: signing up
tells who has an account anyway, and a dummy argon2 for every stranger would let a stranger fill
the queue that real people wait in.
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from accounts.addresses import BadEmail, read_email
from accounts.attempts import SOMEBODY, Asker, Attempts
from accounts.batch import Batch
from accounts.passwords import LENGTH_MAX, Passwords, PasswordsBusy, check_strength, is_imported
from accounts.people import NAME_MAX, Person, Role, person_of, split_name
from accounts.queries import QUERIES
from accounts.upgrades import Upgrade, Upgrades
from accounts.verified import FRESH_MS, Judgement, Verified
from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Refusal
from kernel.text import seen_line

PUT_BATCH = 5_000
STAFF_MAX = 1_000


class WrongCredentials(Refusal):
    """Неверный адрес или пароль."""

    status, code = 401, "wrong-credentials"


class WrongCurrentPassword(Refusal):
    """Нынешний пароль неверен."""

    status, code = 400, "wrong-current-password"


class AccountInactive(Refusal):
    """Эта учётная запись отключена."""

    status, code = 403, "account-inactive"


class EmailTaken(Refusal):
    """Учётная запись с таким адресом уже есть."""

    status, code = 409, "email-taken"


class Newcomer(msgspec.Struct, frozen=True):
    email: str
    password: str
    role: Role = "buyer"
    name: str = ""


class Accounts:
    def __init__(self, db: Db, passwords: Passwords, clock: Clock) -> None:
        self._db = db
        self._passwords = passwords
        self._clock = clock
        self._attempts = Attempts(clock)
        self._verified = Verified()
        self._by_email = Batch(self._fetch)
        self._judging: dict[tuple[bytes, Asker], asyncio.Task[Judgement]] = {}
        # For the process's lifespan: `upgrades.run`.
        self.upgrades = Upgrades(db, passwords, self._verified)

    async def sign_up(
        self, email: str, password: str, *, first_name: str = "", surname: str = ""
    ) -> Person:
        """A new buyer. BadEmail, WeakPassword, EmailTaken, PasswordsBusy."""
        email = read_email(email)
        check_strength(password)
        if await self._by_email.get(email):
            raise EmailTaken
        hashed = await self._passwords.hash(password)
        names = seen_line(first_name)[:NAME_MAX], seen_line(surname)[:NAME_MAX]
        row = await self._db.fetchrow(QUERIES["insert_account"], email, hashed, *names, "buyer")
        if row is None:
            raise EmailTaken
        return person_of(row)

    async def sign_in(self, email: str, password: str, *, asker: Asker = SOMEBODY) -> Person:
        """`authenticate`, and the visit is noted."""
        person = await self.authenticate(email, password, asker=asker)
        await self._db.execute(QUERIES["note_sign_in"], person.id, self._clock.now())
        return person

    async def authenticate(self, email: str, password: str, *, asker: Asker = SOMEBODY) -> Person:
        """Who this is. WrongCredentials, AccountInactive (only for the right password),
        TooManyGuesses, PasswordsBusy. Costs microseconds when asked lately. Each `asker`'s
        guesses are counted apart.
        """
        try:
            email = read_email(email)
        except BadEmail:
            raise WrongCredentials from None
        if len(password) > LENGTH_MAX:
            raise WrongCredentials
        key = self._verified.key(email, password)
        judgement = self._verified.get(key)
        if judgement is None or self._clock.ms() - judgement.read_at_ms > FRESH_MS:
            judgement = await self._judge_once(key, email, password, asker)
        if not judgement.good or judgement.person is None:
            raise WrongCredentials
        if not judgement.person.is_active:
            raise AccountInactive
        return judgement.person

    async def change_password(
        self, account_id: int, old: str, new: str, *, asker: Asker = SOMEBODY
    ) -> None:
        """WeakPassword, WrongCurrentPassword, TooManyGuesses, PasswordsBusy. Other processes
        forget the old one within FRESH_MS; ending other sessions is the caller's part.
        """
        check_strength(new)
        person = await self.person(account_id)
        try:
            await self.authenticate(person.email, old, asker=asker)
        except WrongCredentials:
            raise WrongCurrentPassword from None
        hashed = await self._passwords.hash(new)
        await self._db.execute(QUERIES["set_password"], account_id, hashed)
        self._verified.forget(account_id)

    async def rename(self, account_id: int, first_name: str, surname: str) -> None:
        names = seen_line(first_name)[:NAME_MAX], seen_line(surname)[:NAME_MAX]
        await self._db.execute(QUERIES["set_name"], account_id, *names)

    async def find(self, who: str | int) -> Person | None:
        """By address (read by `read_email`) or id."""
        if isinstance(who, str):
            return await self._by_email.get(who)
        row = await self._db.fetchrow(QUERIES["account_by_id"], who)
        return person_of(row) if row else None

    async def staff(self) -> list[Person]:
        """Everybody who is no buyer, by address."""
        return [
            person_of(row) for row in await self._db.fetch(QUERIES["staff_accounts"], STAFF_MAX)
        ]

    async def person(self, account_id: int) -> Person:
        row = await self._db.fetchrow(QUERIES["account_by_id"], account_id)
        assert row is not None, "accounts are never deleted"
        return person_of(row)

    async def ensure(self, email: str, password: str, role: Role = "buyer", name: str = "") -> int:
        """The account exists with this password and role; returns its id. For seeds: repeating
        it changes nothing.
        """
        email = read_email(email)
        found = await self._by_email.get(email)
        names = split_name(name)
        if found is None or not await self._passwords.verify(password, found.password_hash):
            hashed = await self._passwords.hash(password)
        else:
            hashed = found.password_hash
        row = await self._db.fetchrow(
            QUERIES["put_accounts"], [email], [hashed], [names[0]], [names[1]], [role]
        )
        assert row is not None
        return int(row["id"])

    async def ensure_many(self, newcomers: Sequence[Newcomer]) -> dict[str, int]:
        """Thousands of `ensure` a second, with the quick hash: id by e-mail. For made-up
        accounts whose passwords machines chose.
        """
        unique = {read_email(one.email): one for one in newcomers}
        emails = list(unique)
        ids: dict[str, int] = {}
        for first in range(0, len(emails), PUT_BATCH):
            chunk = emails[first : first + PUT_BATCH]
            people = [unique[email] for email in chunk]
            names = [split_name(one.name) for one in people]
            rows = await self._db.fetch(
                QUERIES["put_accounts"],
                chunk,
                [self._passwords.import_password(one.password) for one in people],
                [first_name for first_name, _ in names],
                [surname for _, surname in names],
                [one.role for one in people],
            )
            ids |= {row["email"]: row["id"] for row in rows}
        return ids

    async def _judge_once(self, key: bytes, email: str, password: str, asker: Asker) -> Judgement:
        """Calls with the same credentials at the same time share one judgement."""
        asked = (key, asker)
        task = self._judging.get(asked)
        if task is None:
            task = asyncio.create_task(self._judge(key, email, password, asker))
            self._judging[asked] = task
            task.add_done_callback(lambda done: self._judged(asked, done))
        return await asyncio.shield(task)

    def _judged(self, asked: tuple[bytes, Asker], task: "asyncio.Task[Judgement]") -> None:
        del self._judging[asked]
        if not task.cancelled():
            # All who asked may have hung up: then its refusal is nobody's.
            task.exception()

    async def _judge(self, key: bytes, email: str, password: str, asker: Asker) -> Judgement:
        read_at = self._clock.ms()
        person = await self._by_email.get(email)
        known = self._verified.get(key)
        if known is not None and known.password_hash == (person and person.password_hash):
            good = known.good
        else:
            self._attempts.require(email, asker)
            good = await self._is_right(email, asker, password, person)
        judgement = Judgement(person, good, read_at)
        self._verified.keep(key, judgement)
        if good and person is not None and is_imported(person.password_hash):
            self.upgrades.offer(Upgrade(key, person, password))
        return judgement

    async def _is_right(
        self, email: str, asker: Asker, password: str, person: Person | None
    ) -> bool:
        # Counted before it is looked at, so that a thousand guesses at once are a thousand.
        self._attempts.count_wrong(email, asker)
        try:
            good = person is not None and await self._passwords.verify(
                password, person.password_hash
            )
        except PasswordsBusy:
            self._attempts.withdraw(email, asker)
            raise
        if good:
            self._attempts.forgive(email, asker)
        return good

    async def _fetch(self, emails: list[str]) -> Mapping[str, Person]:
        rows = await self._db.fetch(QUERIES["accounts_by_email"], emails)
        return {row["email"]: person_of(row) for row in rows}
