"""`GET /api/events`: the search over what is on and the archive."""

import msgspec
from litestar import get
from litestar.di import NamedDependency

from kernel.web.numbers import digits_in
from sales.catalogue import Catalogue
from sales.web.api.shapes import (
    PAGE_SIZE_MAX,
    DayParameter,
    EventEnvelope,
    EventItem,
    PageParameter,
    PageSizeParameter,
    PhraseParameter,
    refusals,
)


class EventsShape(msgspec.Struct, frozen=True):
    """Which of the two shapes this installation answers: one of them, never both."""

    envelope: bool = False


@get(
    "/api/events",
    operation_id="searchEvents",
    tags=["events"],
    summary="Search active and archived events",
    before_request=digits_in("page", "pageSize"),
    responses=refusals(400),
)
async def search_events(
    *,
    catalogue: NamedDependency[Catalogue],
    events_shape: NamedDependency[EventsShape],
    phrase: PhraseParameter = "",
    day: DayParameter = None,
    page: PageParameter = 1,
    page_size: PageSizeParameter = PAGE_SIZE_MAX,
) -> list[EventItem] | EventEnvelope:
    """Every word of `query` must stand somewhere in title or description. What is to come stands
    first, soonest first; then what is over, newest first.
    """
    cards = await catalogue.search(phrase, day, page=page, page_size=page_size, archived=True)
    events = [EventItem(card.id, card.title) for card in cards]
    return EventEnvelope(len(events), events) if events_shape.envelope else events
