"""Sessions: a signed cookie that can be read offline, and a row that can be ended.

The token says who and until when; `read` believes it without asking anybody (the waiting room
lives by that). `check` asks the row too, and remembers the answer for as long as the caller
allows, so a sign-out on another process is honoured within that time, here at once.
A session is always begun with a new id: one that was planted before sign-in is worth nothing.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import jwt
import msgspec

from accounts.batch import Batch
from accounts.people import Person, Role
from accounts.queries import QUERIES
from kernel.clock import Clock
from kernel.db import Db

ALGORITHM = "HS256"
SID_BYTES = 18
DAY_S = 24 * 3600
BUYER_LIFE_S = 14 * DAY_S
# A working shift.
STAFF_LIFE_S = 12 * 3600
READ_MAX = 20_000
CHECKED_MAX = 50_000
SWEEP_MAX = 5_000


class SignedIn(msgspec.Struct, frozen=True):
    """What a session cookie says."""

    account_id: int
    sid: str
    role: Role
    name: str
    email: str
    issued_s: int
    expires_s: int


class _Live(msgspec.Struct, frozen=True):
    role: Role
    name: str
    email: str


class Sessions:
    def __init__(
        self,
        db: Db,
        secret: bytes,
        clock: Clock,
        *,
        audience: Literal["site", "staff"] = "site",
    ) -> None:
        """A buyer's session is renewed while it is used; a staff session ends with the shift."""
        self._db = db
        self._secret = secret
        self._clock = clock
        self._audience = audience
        self.life_s = BUYER_LIFE_S if audience == "site" else STAFF_LIFE_S
        self._renew_after_s = DAY_S if audience == "site" else None
        self._read: dict[str, SignedIn] = {}
        self._checked: dict[str, tuple[int, _Live | None]] = {}
        self._live = Batch(self._fetch)

    async def start(self, person: Person) -> str:
        """A new session; returns its token."""
        sid = secrets.token_urlsafe(SID_BYTES)
        now = self._clock.now()
        until = now + timedelta(seconds=self.life_s)
        await self._db.execute(QUERIES["insert_session"], sid, person.id, now, until)
        live = _Live(role=person.role, name=person.name, email=person.email)
        return self._token(person.id, sid, live, now, until)

    def read(self, token: str) -> SignedIn | None:
        """What the token says, or None: not ours, of the other audience, run out. Offline."""
        signed = self._read.get(token)
        if signed is None:
            signed = self._verify(token)
            if signed is None:
                return None
            if len(self._read) >= READ_MAX:
                self._read.clear()
            self._read[token] = signed
        return signed if self._clock.now().timestamp() < signed.expires_s else None

    async def check(self, signed: SignedIn, *, within_ms: int) -> SignedIn | None:
        """The session with its account's present role and name, as of at most `within_ms` ago;
        None: it was ended, or the account is inactive.
        """
        now = self._clock.ms()
        known = self._checked.get(signed.sid)
        if known is None or now - known[0] > within_ms:
            known = (now, await self._live.get(signed.sid))
            self._keep(signed.sid, known)
        live = known[1]
        if live is None:
            return None
        return msgspec.structs.replace(signed, role=live.role, name=live.name, email=live.email)

    async def renew(self, signed: SignedIn) -> str | None:
        """A token that lasts longer, when this one has been used for a day; None: keep it."""
        used_s = self._clock.now().timestamp() - signed.issued_s
        if self._renew_after_s is None or used_s < self._renew_after_s:
            return None
        return await self._prolong(signed)

    async def retell(self, signed: SignedIn) -> str | None:
        """A token that tells the account's present name; None: the session is over."""
        live = await self.check(signed, within_ms=-1)
        return await self._prolong(live) if live else None

    async def _prolong(self, signed: SignedIn) -> str | None:
        now = self._clock.now()
        until = now + timedelta(seconds=self.life_s)
        if not await self._db.fetchval(QUERIES["renew_session"], signed.sid, until):
            return None
        live = _Live(role=signed.role, name=signed.name, email=signed.email)
        return self._token(signed.account_id, signed.sid, live, now, until)

    async def end(self, signed: SignedIn) -> None:
        await self._db.execute(QUERIES["end_session"], signed.sid, self._clock.now())
        self._keep(signed.sid, (self._clock.ms(), None))

    async def end_others(self, signed: SignedIn) -> None:
        """All sessions of the account but this one."""
        now = self._clock.now()
        rows = await self._db.fetch(
            QUERIES["end_other_sessions"], signed.account_id, signed.sid, now
        )
        for row in rows:
            self._keep(row["id"], (self._clock.ms(), None))

    async def sweep(self) -> int:
        """Remove sessions that ran out a day ago, some thousands at a time; returns how many."""
        before = self._clock.now() - timedelta(days=1)
        return len(await self._db.fetch(QUERIES["sweep_sessions"], before, SWEEP_MAX))

    def _token(self, account_id: int, sid: str, live: _Live, now: datetime, until: datetime) -> str:
        claims = {
            "sub": str(account_id),
            "sid": sid,
            "role": live.role,
            "name": live.name,
            "email": live.email,
            "aud": self._audience,
            "iat": int(now.timestamp()),
            "exp": int(until.timestamp()),
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def _verify(self, token: str) -> SignedIn | None:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=self._audience,
                # Time is judged on our own clock, by `read`.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return SignedIn(
            account_id=int(claims["sub"]),
            sid=claims["sid"],
            role=claims["role"],
            name=claims["name"],
            email=claims["email"],
            issued_s=claims["iat"],
            expires_s=claims["exp"],
        )

    def _keep(self, sid: str, known: tuple[int, _Live | None]) -> None:
        if len(self._checked) >= CHECKED_MAX:
            self._checked.clear()
        self._checked[sid] = known

    async def _fetch(self, sids: list[str]) -> Mapping[str, _Live]:
        rows = await self._db.fetch(QUERIES["live_sessions"], sids, self._clock.now())
        return {
            row["id"]: _Live(
                role=row["role"],
                name=f"{row['first_name']} {row['surname']}".strip(),
                email=row["email"],
            )
            for row in rows
        }
