"""The entrance of a guarded event: by a pass, by a visit that goes on, by having been there before
an automatic room armed, and, for programs, by asking that room.
"""

from kernel.errors import Forbidden
from kernel.values import EventId
from sales.admission import Admission, AdmissionOver, Admissions, PassNeeded, Visitor
from sales.guard import QueueNeeded, RoomModes
from sales.room_desk import Asker, Busy
from sales.shoppers import Shoppers

MS = 1000


class Entrance:
    def __init__(
        self, admissions: Admissions, modes: RoomModes, shoppers: Shoppers, asker: Asker
    ) -> None:
        self._admissions, self._modes = admissions, modes
        self._shoppers, self._asker = shoppers, asker

    async def person(self, event_id: int, visitor: Visitor, token: str | None) -> Admission | None:
        """Before holding and paying. None: no pass is needed. A cookie that is no pass of this
        visitor is as good as none. Raises PassNeeded, EventUnknown.
        """
        try:
            return await self._admissions.require(event_id, visitor, token)
        except (QueueNeeded, Forbidden) as refusal:
            visit = await self._admissions.visit(event_id, visitor)
            if visit is None and not await self._goes_on(event_id, visitor):
                raise PassNeeded(event_id) from refusal
            return visit

    async def program(self, event_id: int, visitor: Visitor, token: str | None) -> Admission | None:
        """As Admissions.require; at an automatic room an account needs no pass while nobody waits
        and the gate has room. Raises RoomAway as well.
        """
        self._modes.came(EventId(event_id))
        try:
            return await self._admissions.require(event_id, visitor, token)
        except PassNeeded:
            if self._modes.armed_at(EventId(event_id)) is None or visitor.account_id is None:
                raise
        visit = await self._admissions.visit(event_id, visitor)
        if visit is not None or await self._goes_on(event_id, visitor):
            return visit
        return await self._admit(event_id, visitor)

    async def _goes_on(self, event_id: int, visitor: Visitor) -> bool:
        armed_at = self._modes.armed_at(EventId(event_id))
        if armed_at is None or visitor.account_id is None:
            return False
        return await self._shoppers.go_on(event_id, visitor.account_id, armed_at)

    async def _admit(self, event_id: int, visitor: Visitor) -> Admission | None:
        subject, over = self._admissions.account_subject(visitor), None
        # Twice: the word that a visit has ended may still be on its way to the room.
        for _ in range(2):
            said = await self._asker.ask(event_id, subject, over)
            if said is None:
                return None
            if isinstance(said, Busy):
                retry_s = -(-said.retry_ms // MS)
                raise PassNeeded(event_id, retry_after_s=retry_s, reason=said.reason)
            try:
                return await self._admissions.require(event_id, visitor, said.token)
            except AdmissionOver:
                over = said.jti
        raise PassNeeded(event_id)
