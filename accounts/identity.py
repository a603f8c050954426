"""Who a request comes from: an account (session cookie, or HTTP Basic for programs) and a device.

Writes ask whether the session still lives, within WRITE_WITHIN_MS; reading believes the last
answer for longer, and the signature alone while the database is away.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request

from accounts.accounts import Accounts
from accounts.addresses import normalise
from accounts.attempts import Asker
from accounts.basic import read_basic
from accounts.cookies import (
    MET_COOKIE,
    SESSION_COOKIE,
    YEAR_S,
    cookie_line,
    device_in,
    new_device,
)
from accounts.people import Person, Role
from accounts.sessions import Sessions, SignedIn
from kernel.db import GONE
from kernel.errors import SignInNeeded
from kernel.subjects import subject_of
from kernel.web.cookies import cookie_in
from kernel.web.headers import header_of
from kernel.web.networks import Networks

WRITE_WITHIN_MS = 1_500
READ_WITHIN_MS = 10_000
# A family shares a tablet.
MET_MAX = 5
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Where programs speak, and HTTP Basic is listened to.
API = re.compile(r"/(api(/|$)|(enter|leave)$)")

log = structlog.get_logger()


class Caller(msgspec.Struct, frozen=True):
    """Without an account: somebody who has not signed in, known by the device alone."""

    account_id: int | None
    email: str | None
    name: str | None
    role: Role
    device: str
    # The session it came by; None for HTTP Basic.
    session: SignedIn | None = None

    def need_account(self) -> int:
        """The account's id, or SignInNeeded."""
        if self.account_id is None:
            raise SignInNeeded
        return self.account_id


class Identity:
    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        subject_secret: bytes,
        *,
        secure: bool,
        cookie: str = SESSION_COOKIE,
        networks: Networks | None = None,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._subject_secret = subject_secret
        self._secure = secure
        self._cookie = cookie
        self._networks = networks or Networks()

    async def identify(self, request: Request[Any, Any, Any]) -> Caller:
        """Litestar dependency `caller`. Basic is heard where programs speak; wrong Basic
        credentials are refused, a session that is over makes a caller without account.
        """
        header = header_of(request.scope, b"authorization")
        if header and API.match(request.scope["path"]):
            credentials = read_basic(header)
            if credentials:
                person = await self._by_basic(request, credentials)
                return self._keep(request, _of_person(person, device_of(request)))
        signed = self.signed_in(request)
        if signed is not None:
            signed = await self._still(request, signed)
        return self._keep(request, _of_session(signed, device_of(request)))

    async def visitor(self, request: Request[Any, Any, Any]) -> str:
        """The waiting room's dependency `visitor`: the subject of the account (HTTP Basic, or a
        session cookie believed offline), else of the device.
        """
        credentials = read_basic(header_of(request.scope, b"authorization"))
        if credentials:
            person = await self._by_basic(request, credentials)
            return subject_of(self._subject_secret, "account", person.id)
        signed = self.signed_in(request)
        if signed is not None:
            return subject_of(self._subject_secret, "account", signed.account_id)
        return subject_of(self._subject_secret, "device", device_of(request))

    def near(self, headers: Mapping[bytes, bytes], device: str) -> str:
        """What `visitor` tells of a request without credentials, by its cookies."""
        token = cookie_in(headers.get(b"cookie", b""), self._cookie)
        signed = self._sessions.read(token) if token else None
        if signed is not None:
            return subject_of(self._subject_secret, "account", signed.account_id)
        return subject_of(self._subject_secret, "device", device)

    def subjects(self, caller: Caller) -> tuple[str | None, str]:
        """What a pass of this caller may be made out to: its account, its device."""
        account = None
        if caller.account_id is not None:
            account = subject_of(self._subject_secret, "account", caller.account_id)
        return account, subject_of(self._subject_secret, "device", caller.device)

    def ambient(self, request: Request[Any, Any, Any]) -> dict[str, Any]:
        """For kernel.web.pages: every page knows its caller."""
        known = request.scope.get("caller")
        if known is None:
            known = _of_session(self.signed_in(request), device_of(request))
        return {"caller": known}

    def signed_in(self, request: Request[Any, Any, Any]) -> SignedIn | None:
        """What the session cookie says; offline."""
        token = request.cookies.get(self._cookie)
        return self._sessions.read(token) if token else None

    def remember(self, request: Request[Any, Any, Any], token: str) -> None:
        """The answer to this request sets the session cookie; an empty token removes it."""
        age = self._sessions.life_s if token else 0
        lines = set_cookies_of(request)
        lines[:] = [line for line in lines if not line.startswith(f"{self._cookie}=")]
        lines.append(cookie_line(self._cookie, token, max_age_s=age, secure=self._secure))

    def met(self, request: Request[Any, Any, Any], email: str) -> None:
        """From now on this device is known to the account; the answer says so in a cookie."""
        mine = self._mark(request, email)
        others = [mark for mark in _marks_in(request) if mark != mine]
        marks = ".".join([mine, *others][:MET_MAX])
        line = cookie_line(MET_COOKIE, marks, max_age_s=YEAR_S, secure=self._secure)
        set_cookies_of(request).append(line)

    def asker(self, request: Request[Any, Any, Any], email: str) -> Asker:
        """Who offers a password for this account: a device that has signed in to it before, or a
        stranger from somewhere.
        """
        if self._mark(request, email) in _marks_in(request):
            return Asker(device=device_of(request))
        return Asker(network=self._networks.prefix_of(request.scope) or "")

    async def _by_basic(
        self, request: Request[Any, Any, Any], credentials: tuple[str, str]
    ) -> Person:
        asker = Asker(network=self._networks.prefix_of(request.scope) or "")
        return await self._accounts.authenticate(*credentials, asker=asker)

    def _mark(self, request: Request[Any, Any, Any], email: str) -> str:
        # What was typed may hold what no encoding takes.
        typed = normalise(email).encode("utf-8", "replace").decode()
        return subject_of(self._subject_secret, "met", f"{device_of(request)} {typed}")

    async def _still(self, request: Request[Any, Any, Any], signed: SignedIn) -> SignedIn | None:
        is_reading = request.method in SAFE_METHODS
        within = READ_WITHIN_MS if is_reading else WRITE_WITHIN_MS
        try:
            live = await self._sessions.check(signed, within_ms=within)
            token = await self._sessions.renew(live) if live else ""
        except GONE as error:
            if not is_reading:
                raise
            log.warning("session believed unseen", why=repr(error))
            return signed
        if token is not None:
            self.remember(request, token)
        return live

    def _keep(self, request: Request[Any, Any, Any], caller: Caller) -> Caller:
        request.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]  # for `ambient`
        return caller


def device_of(request: Request[Any, Any, Any]) -> str:
    """The device's token. Without CookieEdge and without a cookie: a token nobody else has, so
    that nameless callers are never taken for each other.
    """
    known = request.scope.get("device")
    if known is None:
        cookie = (header_of(request.scope, b"cookie") or "").encode("latin-1", "replace")
        known = device_in(cookie) or new_device()
        request.scope["device"] = known  # type: ignore[typeddict-unknown-key]  # ours
    return str(known)


def set_cookies_of(request: Request[Any, Any, Any]) -> list[str]:
    """The lines that CookieEdge will add to the answer."""
    lines = request.scope.get("set_cookies")
    assert isinstance(lines, list), "the app is wrapped in accounts.cookies.CookieEdge"
    return lines


def _marks_in(request: Request[Any, Any, Any]) -> list[str]:
    return request.cookies.get(MET_COOKIE, "").split(".")[:MET_MAX]


def _of_person(person: Person, device: str) -> Caller:
    return Caller(person.id, person.email, person.name, person.role, device)


def _of_session(signed: SignedIn | None, device: str) -> Caller:
    if signed is None:
        return Caller(None, None, None, "buyer", device)
    return Caller(signed.account_id, signed.email, signed.name, signed.role, device, session=signed)
