"""Admissions: a pass of the waiting room, redeemed once, and the visit it opens.

The pass is verified offline, by signature; the row in PostgreSQL makes it single. What the room
must know (kept, ended) is staged as a notice in the transaction that made it true.
"""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from kernel.errors import Conflict, Forbidden
from sales.guard import QueueNeeded

# Time for another try after an order ended unpaid.
SECOND_CHANCE_S = 120


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


class Visitor(Protocol):
    """As much of accounts.identity.Caller as is asked here."""

    @property
    def account_id(self) -> int | None: ...

    @property
    def device(self) -> str: ...


def cookie_of(event_id: int) -> str:
    """Name of the cookie in which a browser carries its pass for the event."""
    return f"biletter_pass_{event_id}"


class Admissions(Protocol):
    """What pages and API call; being built, the class of this name will have these verbs."""

    async def enter(self, token: str, visitor: Visitor) -> Admission:
        """Redeem a pass. Raises PassForged, PassForeign, PassExpired, PassUsed (second time)."""
        ...

    async def require(self, event_id: int, visitor: Visitor, token: str | None) -> Admission | None:
        """Before booking, holding and paying. None: the event needs no pass now. A pass not
        redeemed yet is redeemed by this. Raises PassNeeded, PassExpired, AdmissionOver,
        PassForged, PassForeign, PassWrongEvent, EventUnknown.
        """
        ...

    async def keep(self, event_id: int, jti: str | None, until: datetime) -> None:
        """A new hold: the visit lasts at least until then, if the room's lease allows."""
        ...

    async def leave(self, event_id: int, visitor: Visitor, token: str | None) -> bool:
        """The visitor goes: the place is free at once. False: there was no visit."""
        ...
