"""How many requests an event gets, and what an automatic room makes of it."""

from collections.abc import Sequence

import structlog
from prometheus_client import Counter, Gauge

from kernel.clock import Clock
from kernel.lua import Arg, word
from waitingroom import keys
from waitingroom.store import Store

# Seconds told later than this count nowhere (lua/watch.lua looks at five).
KEPT_S = 10
# Longer than a teller that fell silent is missed.
LIFE_S = 600
NOTES_KEPT = 200
ARMED = Gauge("room_armed", "Whether the automatic room is armed", ["event"])
REQUESTS = Gauge("room_requests", "Requests within five seconds, of automatic rooms", ["event"])
ARMINGS = Counter("room_armings", "Automatic rooms armed and disarmed", ["event", "what"])

log = structlog.get_logger()


class Traffic:
    def __init__(self, store: Store, own: Clock | None) -> None:
        """`own` is the gate's clock where it is not Redis's."""
        self._store, self._own = store, own

    async def hear(self, event: int, teller: str, seconds: Sequence[tuple[int, int]]) -> None:
        """So many requests came (age of the second in s, count), as this teller saw. An empty
        report says that nothing came, which silence does not. Raises RoomAway.
        """
        told = [number for second in seconds for number in second]
        args: list[Arg] = [teller, self._now_ms(), KEPT_S, LIFE_S, *told]
        await self._store.run("hear", [keys.traffic(event)], args)

    async def watch(self, event: int, fence: int) -> str:
        """For the ticker's leader: `armed` or `disarmed` when this look did it; `watched`;
        `manual`: not an automatic room; `fenced`. Raises RoomUnknown, RoomAway.
        """
        reply = await self._store.run_in_line(
            "watch",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.traffic(event),
                keys.changes(event),
            ],
            [fence, self._now_ms(), NOTES_KEPT],
        )
        said = word(reply)
        if said not in ("watched", "armed", "disarmed"):
            return said
        REQUESTS.labels(event).set(reply[1])
        ARMED.labels(event).set(1 if reply[2] else 0)
        if said != "watched":
            ARMINGS.labels(event, said).inc()
            log.info("automatic room", event_id=event, now=said, requests=reply[1])
        return said

    def _now_ms(self) -> int:
        return self._own.ms() if self._own else 0
