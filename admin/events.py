"""What staff do to an event: cancel it, move it, have failed refunds tried again.

Only the fact is written here; the worker does the rest, and speaks to the gateway.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from accounts.identity import Caller
from admin.audit import actor_of
from admin.consent import reason_with_number
from kernel.clock import Clock
from kernel.errors import BadInput
from sales.cancellations import Cancellations, CancelledEvent, Failure, Progress
from sales.catalogue import Catalogue, Event, EventCard
from sales.event_rows import VENUE_ZONE
from sales.reschedules import Reschedules
from sales.search import QUERY_CHARS_MAX

FOUND_MAX = 20
FAILURES_PAGE = 50
# A typing error in the year is likelier than a concert that far away.
AHEAD_MAX = timedelta(days=5 * 366)


class BadMoment(BadInput):
    """Нужны день и время, не дальше пяти лет вперёд."""

    code: ClassVar[str] = "bad-moment"


class EventView(msgspec.Struct, frozen=True):
    """An event with its orders and their money."""

    event: Event
    progress: Progress
    failures: list[Failure]


class EventDesk:
    def __init__(
        self,
        clock: Clock,
        catalogue: Catalogue,
        cancellations: Cancellations,
        reschedules: Reschedules,
    ) -> None:
        self._clock, self._catalogue = clock, catalogue
        self._cancellations, self._reschedules = cancellations, reschedules

    async def find(self, query: str) -> list[EventCard]:
        """By title, those that are over too; cancelled ones are not among them."""
        query = query.strip()[:QUERY_CHARS_MAX]
        if not query:
            return []
        return await self._catalogue.search(query, page_size=FOUND_MAX, archived=True)

    async def cancelled(self) -> list[CancelledEvent]:
        return await self._cancellations.newest()

    async def view(self, event_id: int, after: int = 0) -> EventView:
        """With a page of the failures after order `after`. Raises EventUnknown."""
        self._catalogue.forget(event_id)
        event = await self._catalogue.event(event_id)
        failures = await self._cancellations.failures(event.id, after, FAILURES_PAGE)
        return EventView(event, await self._cancellations.progress(event.id), failures)

    async def progress(self, event_id: int) -> Progress:
        """Raises EventUnknown."""
        event = await self._catalogue.event(event_id)
        return await self._cancellations.progress(event.id)

    async def cancel(self, event_id: int, number: str, reason: str, caller: Caller) -> None:
        """`number` is typed by whoever does it. Said again: no change. Raises EventUnknown,
        EventOver, NotConfirmed, ReasonNeeded.
        """
        event = await self._catalogue.event(event_id)
        reason = reason_with_number(event.id, number, reason)
        await self._cancellations.cancel(event.id, **_who(caller), reason=reason)

    async def move(self, event_id: int, starts_at: str, caller: Caller) -> None:
        """`starts_at` by the hall's clock. Said again: no change. Raises EventUnknown, EventOver,
        EventInPast, BadMoment.
        """
        event = await self._catalogue.event(event_id)
        try:
            moment = datetime.fromisoformat(starts_at.strip())
        except ValueError as error:
            raise BadMoment from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=VENUE_ZONE)
        if moment - self._clock.now() > AHEAD_MAX:
            raise BadMoment
        await self._reschedules.move(event.id, moment, **_who(caller))

    async def try_again(self, event_id: int, caller: Caller) -> None:
        """Raises EventUnknown, EventOver."""
        await self._cancellations.try_again(event_id, **_who(caller))


def event_subject(event_id: int) -> str:
    return f"event:{event_id}"


def _who(caller: Caller) -> dict[str, Any]:
    return {"actor": actor_of(caller), "by": caller.email}
