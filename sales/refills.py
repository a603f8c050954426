"""Seats whose owner has changed: what Redis was told of the owner before is not true any more.

A partner's seats that others have are marked in Redis alone, so nothing of them is left when an
event's seats are written anew from PostgreSQL. Holds of buyers stay.
"""

from typing import Final

from kernel.clock import Clock
from sales.outbox import Again, Notice
from sales.seatstore import SeatStore

# Its subject is the event.
REFILL: Final = "seats.refill"
# By then every process knows the new owner (sales.catalogue), and no list of the old one is read.
KNOWN_S: Final = 15.0


class Refills:
    def __init__(self, store: SeatStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def refill(self, notice: Notice) -> Again | None:
        """For the outbox: at once, and again when nobody marks for the old owner any more."""
        await self._store.rebuild(notice.subject_id)
        age_s = (self._clock.now() - notice.created_at).total_seconds()
        return Again(KNOWN_S) if age_s < KNOWN_S else None
