"""Which rooms are open doors: asked from each room's public status once a second.

The sales process must know whether a guarded event needs a pass right now, and the two contexts
never meet in code. A room that cannot be reached keeps its last known state; one never heard of
counts as closed, so a guarded event stays guarded.
"""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import structlog

from kernel.values import EventId

POLL_EVERY_S = 1.0
TIMEOUT_S = 2.0
OK = 200
log = structlog.get_logger()


class PolledRoomModes:
    def __init__(self, base: str) -> None:
        """`base` is the waiting room's address as this host reaches it."""
        self._base = base
        self._open: dict[EventId, bool] = {}

    def is_open(self, event_id: EventId) -> bool:
        """No pass is needed: the room is off."""
        return self._open.get(event_id, False)

    async def run(self, guarded: Callable[[], Awaitable[list[EventId]]]) -> None:
        """For ever; for an app's lifespan. `guarded` lists the events that have a room."""
        async with httpx.AsyncClient(base_url=self._base, timeout=TIMEOUT_S) as client:
            while True:
                try:
                    await self._ask(client, await guarded())
                except Exception as error:  # noqa: BLE001  # top loop: the next round may do better
                    log.warning("room modes unknown", error=repr(error))
                await asyncio.sleep(POLL_EVERY_S)

    async def _ask(self, client: httpx.AsyncClient, events: list[EventId]) -> None:
        for event_id in events:
            answer = await client.get(f"/rooms/{event_id}/status")
            if answer.status_code == OK:
                self._open[event_id] = answer.json()["state"] == "off"
