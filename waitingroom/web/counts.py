"""Requests to other sites, as their web servers ask about them at /authorize, told to the room."""

import asyncio
from contextlib import suppress

from waitingroom.room import Rooms
from waitingroom.store import RoomAway

TELL_EVERY_S = 1.0


class Counts:
    """`teller` is the name of this process. It tells of an event once somebody has asked about it
    here: from then on its silence would be no calm (lua/watch.lua).
    """

    def __init__(self, rooms: Rooms, teller: str) -> None:
        self._rooms, self._teller = rooms, teller
        self._asked_about: set[int] = set()

    async def run(self) -> None:
        """Forever; for a lifespan."""
        while True:
            await self.tell()
            await asyncio.sleep(TELL_EVERY_S)

    async def tell(self) -> None:
        """What came since the last time. What Redis doesn't take isn't told again."""
        counts = self._rooms.doorman.counts
        events = self._rooms.reader.events()
        counts.watch(e for e in events if self._rooms.snapshot(e).settings.mode == "auto")
        for event, seconds in counts.take().items():
            if seconds:
                self._asked_about.add(event)
            if event in self._asked_about:
                with suppress(RoomAway):
                    await self._rooms.hear(event, self._teller, seconds)
