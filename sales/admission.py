"""Admissions: a pass of the waiting room, redeemed once, and the visit it opens.

The pass is verified offline, by signature; the row in PostgreSQL makes it single. What the room
must know (kept, ended) is staged as a notice in the transaction that made it true. Without
PostgreSQL nobody enters and nobody buys: this fails closed.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import Conflict, Forbidden
from kernel.keyring import Keyring, TokenRefusedError
from kernel.sql import load_queries
from kernel.subjects import subject_of
from kernel.values import ID_MAX, EventId
from sales.catalogue import Catalogue
from sales.guard import QueueNeeded, RoomModes
from sales.outbox import Draft, stage

Q = load_queries(Path(__file__).parent / "sql")
PURPOSE, TYP, ISSUER = "pass", "pass+jwt", "biletter-room"
# Time for another try after an order ended unpaid.
SECOND_CHANCE_S = 120
# Visits ended by one look of the ticker; what is left waits a second.
LAPSE_MAX = 500
JTI_CHARS_MAX = 64
# A pass is about 400 characters; whatever is much longer is not looked at.
PASS_CHARS_MAX = 2_000


class PassNeeded(QueueNeeded):
    """На это мероприятие очередь: сначала займите место в ней."""

    code: ClassVar[str] = "pass-needed"


class PassExpired(QueueNeeded):
    """Пропуск больше не действует: вернитесь в очередь."""

    code: ClassVar[str] = "pass-expired"


class AdmissionOver(QueueNeeded):
    """Время покупки закончилось: займите место в очереди снова."""

    code: ClassVar[str] = "admission-over"


class PassUsed(Conflict):
    """Этот пропуск уже использован."""

    code: ClassVar[str] = "pass-used"


class PassForged(Forbidden):
    """Пропуск не настоящий."""

    code: ClassVar[str] = "pass-forged"


class PassForeign(Forbidden):
    """Это чужой пропуск."""

    code: ClassVar[str] = "pass-foreign"


class PassWrongEvent(Forbidden):
    """Пропуск на другое мероприятие."""

    code: ClassVar[str] = "pass-wrong-event"


class Admission(msgspec.Struct, frozen=True):
    """A visit: over at `expires_at`, which never goes beyond `lease_until`."""

    event_id: int
    jti: str
    subject: str
    expires_at: datetime
    lease_until: datetime
    ended_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


class Visitor(Protocol):
    """As much of accounts.identity.Caller as is asked here."""

    @property
    def account_id(self) -> int | None: ...

    @property
    def device(self) -> str: ...


class Pass(msgspec.Struct, frozen=True):
    """What a pass says. Times are epoch seconds; `lease` is the latest end of the visit."""

    aud: str
    sub: str
    jti: str
    iss: str
    nbf: int
    exp: int
    lease: int

    @property
    def event_id(self) -> int:
        return int(self.aud)


def cookie_of(event_id: int) -> str:
    """Name of the cookie in which a browser carries its pass for the event."""
    return f"biletter_pass_{event_id}"


class Admissions:
    def __init__(
        self, db: Db, clock: Clock, *, keyring: Keyring, catalogue: Catalogue, modes: RoomModes
    ) -> None:
        self._db, self._clock = db, clock
        self._keyring, self._catalogue, self._modes = keyring, catalogue, modes
        self._secret = keyring.secret("subject")

    async def enter(self, token: str, visitor: Visitor) -> Admission:
        """Redeem a pass. Raises PassForged, PassForeign, PassExpired, PassUsed (second time)."""
        good = self._read(token, visitor)
        self._check_time(good)
        opened = await self._open(good)
        if opened is None:
            raise PassUsed(event_id=good.event_id)
        return opened

    async def visit(self, event_id: int, visitor: Visitor) -> Admission | None:
        """The visit of this person or device that is going on. For pages: a browser may have lost
        the pass, or be another one of the same person's. Programs show their pass.
        """
        subjects, now = self._subjects(visitor), self._clock.now()
        row = await self._db.fetchrow(Q["read_visit"], event_id, subjects, now)
        return Admission(**row) if row else None

    async def require(self, event_id: int, visitor: Visitor, token: str | None) -> Admission | None:
        """Before booking, holding and paying. None: the event needs no pass now. A pass not
        redeemed yet is redeemed by this. Raises PassNeeded, PassExpired, AdmissionOver,
        PassForged, PassForeign, PassWrongEvent, EventUnknown.
        """
        event = await self._catalogue.event(event_id)
        if not event.guarded or self._modes.is_open(EventId(event_id)):
            return None
        if not token:
            raise PassNeeded(event_id)
        good = self._read(token, visitor)
        if good.event_id != event_id:
            raise PassWrongEvent
        visit = await self._visit(good)
        if visit is None:
            self._check_time(good)
            # Two first uses at once: the other one opened it.
            visit = await self._open(good) or await self._visit(good)
        if visit is None or not visit.lives(self._clock.now()):
            raise AdmissionOver(event_id)
        return visit

    async def keep(self, event_id: int, jti: str | None, until: datetime) -> None:
        """A new hold: the visit lasts at least until then, if the room's lease allows."""
        if jti is not None:
            await self._db.execute(Q["keep_admission"], event_id, jti, until, self._clock.now())

    async def shorten(self, event_id: int, jti: str | None) -> None:
        """An order ended unpaid: the visit goes on for a second try, and not for long."""
        if jti is not None:
            until = self._clock.now() + timedelta(seconds=SECOND_CHANCE_S)
            await self._db.execute(Q["shorten_admission"], event_id, jti, until)

    async def leave(self, event_id: int, visitor: Visitor, token: str | None) -> bool:
        """The visitor goes: the place is free at once. False: there was no visit."""
        if not token:
            return False
        good = self._read(token, visitor)
        return good.event_id == event_id and await self.end(event_id, good.jti, "left")

    async def end(self, event_id: int, jti: str | None, reason: str) -> bool:
        """The visit is over, and the room hears of it. False: it was over before."""
        if jti is None:
            return False
        now = self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            subject = await conn.fetchval(Q["end_admission"], event_id, jti, now)
            if subject is None:
                return False
            await stage(conn, now, [_ended(event_id, jti, subject, reason)])
        return True

    async def lapse(self) -> int:
        """End visits whose time is over, a batch of them; how many. For the ticker."""
        now = self._clock.now()
        async with self._db.acquire() as conn, conn.transaction():
            rows = await conn.fetch(Q["lapse_admissions"], now, LAPSE_MAX)
            await stage(conn, now, [_ended(**row, reason="lapsed") for row in rows])
        return len(rows)

    def _read(self, token: str, visitor: Visitor) -> Pass:
        """A pass of ours made out to this visitor; its event and its time are not looked at."""
        try:
            if len(token) > PASS_CHARS_MAX:
                raise PassForged
            claims = self._keyring.verify(PURPOSE, token, typ=TYP, audience=None, now_s=None)
            good = msgspec.convert(claims, Pass)
        except (TokenRefusedError, msgspec.ValidationError) as error:
            raise PassForged from error
        if good.iss != ISSUER or not good.aud.isdecimal() or not 1 <= good.event_id <= ID_MAX:
            raise PassForged
        if not 0 < len(good.jti) <= JTI_CHARS_MAX:
            raise PassForged
        if good.sub not in self._subjects(visitor):
            raise PassForeign
        return good

    def account_subject(self, visitor: Visitor) -> str:
        """Of who has signed in."""
        assert visitor.account_id is not None
        return subject_of(self._secret, "account", visitor.account_id)

    def _subjects(self, visitor: Visitor) -> list[str]:
        subjects = [subject_of(self._secret, "device", visitor.device)]
        if visitor.account_id is not None:
            subjects.append(self.account_subject(visitor))
        return subjects

    def _check_time(self, good: Pass) -> None:
        now_s = self._clock.ms() / 1000
        if now_s < good.nbf:
            raise PassForged
        if now_s >= min(good.exp, good.lease):
            raise PassExpired(good.event_id)

    async def _visit(self, good: Pass) -> Admission | None:
        row = await self._db.fetchrow(Q["read_admission"], good.event_id, good.jti)
        return Admission(**row) if row else None

    async def _open(self, good: Pass) -> Admission | None:
        """None: the pass has been redeemed before."""
        now = self._clock.now()
        lease_until = datetime.fromtimestamp(good.lease, UTC)
        payload: dict[str, Any] = {
            "event_id": good.event_id,
            "subject": good.sub,
            "jti": good.jti,
            "until_ms": good.lease * 1000,
        }
        async with self._db.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(
                Q["open_admission"], good.event_id, good.jti, good.sub, now, lease_until
            )
            if row is None:
                return None
            await stage(conn, now, [Draft("admission.opened", good.event_id, payload)])
        return Admission(**row)


def _ended(event_id: int, jti: str, subject: str, reason: str) -> Draft:
    payload = {"event_id": event_id, "subject": subject, "jti": jti, "reason": reason}
    return Draft("admission.ended", event_id, payload)
