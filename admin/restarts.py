"""Starting a room's line anew: every number given so far is void, for everybody at once.

For a line that was opened by mistake or flooded. Nothing gives the old numbers back, so whoever
does it is shown how many wait, says why, and means the line they were shown.
"""

import msgspec

from accounts.identity import Caller
from admin.audit import Audit, actor_of, room_subject
from waitingroom.room import Rooms
from waitingroom.store import RoomAway


class Standing(msgspec.Struct, frozen=True):
    """Who stands in the line of this `generation`: `waiting` to be called, of them `invited` in the
    lane and `living` heard from lately; `in_flight` are inside, and stay.
    """

    event: int
    title: str
    state: str
    generation: int
    waiting: int
    invited: int
    living: int
    in_flight: int


class Restarts:
    def __init__(self, rooms: Rooms, audit: Audit) -> None:
        self._rooms, self._audit = rooms, audit

    async def standing(self, event: int) -> Standing:
        """As Redis has it now. Raises RoomUnknown, RoomAway."""
        if not await self._rooms.reader.refresh():
            raise RoomAway
        seen = self._rooms.snapshot(event)
        lane = seen.lane
        return Standing(
            event=event,
            title=seen.settings.title,
            state=seen.state,
            generation=seen.settings.generation,
            waiting=seen.waiting + (lane.waiting if lane else 0),
            invited=lane.waiting if lane else 0,
            living=seen.living + (lane.living if lane else 0),
            in_flight=seen.in_flight,
        )

    async def restart(self, standing: Standing, reason: str, who: Caller | str) -> None:
        """The line of this standing begins anew, and no later one. Raises ChangedMeanwhile,
        RoomUnknown, RoomAway.
        """
        event, generation = standing.event, standing.generation
        async with self._audit.deed(
            who, "room.restart", room_subject(event), waiting=standing.waiting, reason=reason
        ):
            await self._rooms.reset(event, actor_of(who), generation)
        await self._rooms.reader.refresh()
