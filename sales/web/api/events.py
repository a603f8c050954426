"""`GET /api/events`: the search over what is on and the archive."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from kernel.web.numbers import digits_in
from sales.catalogue import Catalogue
from sales.web.api.hot_events import SearchAnswers
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


class EventsFace:
    """How this installation answers: in which of the two shapes (one of them, never both), and
    from where repeated questions are answered.
    """

    def __init__(self, answers: SearchAnswers, *, envelope: bool = False) -> None:
        self.answers = answers
        self.envelope = envelope


@get(
    "/api/events",
    operation_id="searchEvents",
    tags=["events"],
    summary="Search active and archived events",
    before_request=digits_in("page", "pageSize"),
    responses=refusals(400),
    media_type="application/json",
)
async def search_events(
    *,
    request: Request[Any, Any, Any],
    catalogue: NamedDependency[Catalogue],
    events_face: NamedDependency[EventsFace],
    phrase: PhraseParameter = "",
    day: DayParameter = None,
    page: PageParameter = 1,
    page_size: PageSizeParameter = PAGE_SIZE_MAX,
) -> Response[list[EventItem] | EventEnvelope]:
    """Every word of `query` must stand in title or description, in some form. What is to come
    stands first, soonest first; then what is over, newest first.
    """

    async def find() -> bytes:
        cards = await catalogue.search(phrase, day, page=page, page_size=page_size, archived=True)
        events = [EventItem(card.id, card.title) for card in cards]
        return msgspec.json.encode(
            EventEnvelope(len(events), events) if events_face.envelope else events
        )

    body: Any = await events_face.answers.once(request.scope["query_string"], find)
    return Response(body)
