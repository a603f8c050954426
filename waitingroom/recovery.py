"""Redis came back without its memory: the line is put back from the processes' (ADR 8)."""

import structlog

from kernel.clock import Clock
from kernel.lua import word
from waitingroom import keys
from waitingroom.cohort import Cohort
from waitingroom.memory import LEFT_MAX, Known, Memory
from waitingroom.store import Store

# Numbers that other processes may have given since this one last read the room. They are passed
# over like numbers given up.
ISSUED_GAP = 1_000
# Changes of hands a command.
OWN_PAGE = 1_000

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
        await self._put_back(event, known)
        lane = self._memory.of(event, lane=True)
        if lane is not None:
            await self._put_back(event, lane)
        await self._cohort.retell(event)
        await self._store.list_event(event)
        return True

    async def _tell_owners(self, event: int, known: Known) -> None:
        """Whose places are that changed hands, before anybody's place is put back."""
        line, told = known.line_id, list(known.owners.items())
        names = [keys.settings(event), keys.owners(event, line), keys.moves(event, line)]
        for start in range(0, len(told), OWN_PAGE):
            page = told[start : start + OWN_PAGE]
            flat = [part for number, owner in page for part in (number, *owner)]
            await self._store.run("own", names, [known.generation, *flat])

    async def _put_back(self, event: int, known: Known) -> None:
        await self._tell_owners(event, known)
        left = list(known.left)[-LEFT_MAX:]
        line = known.line_id
        reply = await self._store.run(
            "recover",
            [
                keys.settings(event),
                keys.line(event, line),
                keys.leases(event),
                keys.visits(event),
                keys.bucket(event),
                keys.done(event, line),
                keys.left(event, line),
            ],
            [
                known.generation,
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
        if word(reply) == "recovered":
            log.warning("room recovered", event_id=event, highest=known.highest, now=reply[1])
