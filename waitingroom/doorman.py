"""The doorman: decides for web servers that ask instead of verifying passes themselves."""

from typing import Protocol

import msgspec
import structlog

from kernel.clock import Clock
from kernel.keyring import Keyring, TokenRefusedError
from kernel.tally import Tally
from waitingroom.gate.used import MemoryUsedPasses, visit_by
from waitingroom.gate.visits import ISSUER, Pass, Refused, Visit, VisitBook, visit_cookie
from waitingroom.passes import MS, PURPOSE, TYP
from waitingroom.store import RoomAway

log = structlog.get_logger()


class Inside(Protocol):
    """Who counts those inside."""

    async def keep(
        self, event: int, subject: str, until_ms: int, jti: str | None = None
    ) -> bool: ...


class Doorman:
    def __init__(self, keyring: Keyring, clock: Clock, inside: Inside) -> None:
        self._keyring, self._clock, self._inside = keyring, clock, inside
        self._book = VisitBook(keyring.secret("visit"))
        self._used = MemoryUsedPasses(self._now_s)
        # Requests that web servers asked about, for automatic rooms.
        self.counts = Tally()

    def visit(self, event: int, cookie: str | None) -> Visit | None:
        """The visit that the cookie carries, if it is going on."""
        return self._book.read(cookie, str(event), self._now_s()) if cookie else None

    async def begin(self, event: int, token: str, visitor: str) -> Visit:
        """The visit of a pass, which belongs to whoever uses it first; the room counts them
        until its lease ends. Raises Refused.
        """
        try:
            claims = self._keyring.verify(PURPOSE, token, typ=TYP, audience=None, now_s=None)
            good = msgspec.convert(claims, Pass)
        except (TokenRefusedError, msgspec.ValidationError) as error:
            raise Refused("pass-forged", 403) from error
        if good.iss != ISSUER or self._now_s() < good.nbf:
            raise Refused("pass-forged", 403)
        if good.aud != str(event):
            raise Refused("pass-wrong-event", 403)
        is_first = await self._used.holder(good.jti) is None
        visit = await visit_by(good, self._used, visitor, self._now_s())
        if is_first:
            await self._tell(event, visit)
        return visit

    def cookie(self, visit: Visit, *, secure: bool) -> str:
        """A line of Set-Cookie for the site that asks."""
        return visit_cookie(self._book, visit, self._now_s(), secure=secure)

    async def _tell(self, event: int, visit: Visit) -> None:
        try:
            await self._inside.keep(event, visit.sub, visit.until * MS, visit.jti)
        except RoomAway:
            # The visit stands; the room stops counting it when the pass has expired.
            log.warning("a visit was not told", event_id=event)

    def _now_s(self) -> float:
        return self._clock.ms() / MS
