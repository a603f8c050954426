"""What sales knows of the rooms, and the rooms of sales: one short conversation a second.

The sales process must know whether a guarded event needs a pass right now, and the two contexts
never meet in code: it asks each room's public status. A room that cannot be reached keeps its last
known state; one never heard of counts as closed, so a guarded event stays guarded. In the same
breath it tells how many requests came for each event, by which automatic rooms arm. What cannot be
told is not told again: a room makes nothing of what it doesn't hear.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import msgspec
import structlog

from kernel.service_tokens import ServiceTokens
from kernel.tally import Tally
from kernel.values import EventId

POLL_EVERY_S = 1.0
TIMEOUT_S = 2.0
OK = 200
ROOM = "waitingroom"
log = structlog.get_logger()


class Stance(msgspec.Struct, frozen=True):
    """As much of a room's status as sales needs."""

    state: str
    mode: str = "on"
    armed_at: datetime | None = None


class PolledRoomModes:
    def __init__(self, base: str, tokens: ServiceTokens, teller: str) -> None:
        """`base` is the waiting room's address as this host reaches it; `teller` is the name that
        tells this process from other ones.
        """
        self._base, self._tokens, self._teller = base, tokens, teller
        self._stances: dict[EventId, Stance] = {}
        self._tally = Tally()

    def is_open(self, event_id: EventId) -> bool:
        """No pass is needed: the room is off."""
        stance = self._stances.get(event_id)
        return stance is not None and stance.state == "off"

    def armed_at(self, event_id: EventId) -> datetime | None:
        """See sales.guard.RoomModes."""
        stance = self._stances.get(event_id)
        is_armed = stance is not None and stance.mode == "auto" and stance.state != "off"
        return stance.armed_at if stance is not None and is_armed else None

    def came(self, event_id: EventId) -> None:
        """One request more; of guarded events alone."""
        self._tally.came(event_id)

    async def run(self, guarded: Callable[[], Awaitable[list[EventId]]]) -> None:
        """For ever; for an app's lifespan. `guarded` lists the events that have a room."""
        async with httpx.AsyncClient(base_url=self._base, timeout=TIMEOUT_S) as client:
            while True:
                try:
                    await self.talk(client, await guarded())
                except Exception as error:  # noqa: BLE001  # top loop: the next round may do better
                    log.warning("room modes unknown", error=repr(error))
                await asyncio.sleep(POLL_EVERY_S)

    async def talk(self, client: httpx.AsyncClient, events: list[EventId]) -> None:
        """Ask how things stand, tell what came; once. Raises httpx.HTTPError."""
        self._tally.watch(events)
        for event_id in events:
            answer = await client.get(f"/rooms/{event_id}/status")
            if answer.status_code == OK:
                self._stances[event_id] = msgspec.json.decode(answer.content, type=Stance)
        told = {str(event): seconds for event, seconds in self._tally.take().items()}
        if not told:
            return
        report: dict[str, Any] = {"teller": self._teller, "events": told}
        header = self._tokens.header(ROOM)
        answer = await client.post("/service/traffic", json=report, headers=header)
        answer.raise_for_status()
