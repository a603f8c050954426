"""Redis came back without its memory: the line is put back from the processes' (ADR 8)."""

import structlog

from kernel.clock import Clock
from kernel.lua import word
from waitingroom import keys
from waitingroom.cohort import Cohort
from waitingroom.memory import LEFT_MAX, Memory
from waitingroom.store import Store

# Numbers that other processes may have given since this one last read the room. They are passed
# over like numbers given up.
ISSUED_GAP = 1_000

log = structlog.get_logger()


class Recovery:
    def __init__(self, store: Store, memory: Memory, cohort: Cohort, own: Clock | None) -> None:
        """`own` is the gate's clock where it is not Redis's."""
        self._store, self._memory, self._own = store, memory, own
        self._cohort = cohort

    async def mend(self, event: int) -> bool:
        """Put back what this process remembers and Redis doesn't. False: it remembers nothing.
        Raises RoomAway.
        """
        known = self._memory.of(event)
        if known is None:
            return False
        left = list(known.left)[-LEFT_MAX:]
        generation = known.generation
        reply = await self._store.run(
            "recover",
            [
                keys.settings(event),
                keys.line(event, generation),
                keys.leases(event),
                keys.visits(event),
                keys.bucket(event),
                keys.done(event, generation),
                keys.left(event, generation),
            ],
            [
                generation,
                known.version,
                known.highest,
                known.serving,
                ISSUED_GAP,
                known.in_flight,
                known.lease_ms,
                self._own.ms() if self._own else 0,
                len(known.settings),
                len(known.line),
                len(left),
                *known.settings,
                *known.line,
                *left,
                *known.used,
            ],
        )
        await self._cohort.retell(event)
        await self._store.list_event(event)
        if word(reply) == "recovered":
            log.warning("room recovered", event_id=event, highest=known.highest, now=reply[1])
        return True
