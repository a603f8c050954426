"""`/`: what is on, the search, and the events everybody wants."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import msgspec
from babel.dates import format_date
from litestar import Response, get
from litestar.di import NamedDependency

from kernel.errors import BadInput
from kernel.web.pages import VENUE_ZONE
from sales.catalogue import Catalogue, EventCard
from sales.web.pages.forms import Req, day_of, whole_or
from sales.web.pages.site import Site

PAGE_SIZE = 24
# No further than Catalogue answers; a page number beyond is the last one.
PAGE_MAX = 800
HOT_MAX = 4
QUERY_CHARS_MAX = 200
SATURDAY = 5


class Asked(msgspec.Struct, frozen=True):
    """What the visitor looks for; `wrong` says which part of it could not be understood."""

    query: str
    day: date | None
    kind: str | None
    page: int
    wrong: str | None = None

    @property
    def is_narrow(self) -> bool:
        return bool(self.query or self.day or self.kind)

    def with_page(self, page: int) -> str:
        return self._address(self.day, self.kind, page)

    def with_day(self, day: date | None) -> str:
        return self._address(day, self.kind, 1)

    def with_kind(self, kind: str | None) -> str:
        return self._address(self.day, kind, 1)

    def _address(self, day: date | None, kind: str | None, page: int) -> str:
        given = {"query": self.query, "date": day, "kind": kind, "page": page if page > 1 else ""}
        query = urlencode({name: str(value) for name, value in given.items() if value})
        return f"/?{query}" if query else "/"


class Day(msgspec.Struct, frozen=True):
    """Cards of one day at the halls, with the day's name in the visitor's language."""

    day: date
    month: str
    weekday: str
    cards: list[EventCard]


class NearDay(msgspec.Struct, frozen=True):
    day: date
    name: str


@get("/", include_in_schema=False)
async def show_afisha(request: Req, site: NamedDependency[Site]) -> Response[Any]:
    asked = _asked(request)
    pages, catalogue = site.pages, site.catalogue
    cards = await catalogue.search(
        asked.query, asked.day, asked.kind, page=asked.page, page_size=PAGE_SIZE
    )
    language = pages.language(request)
    today = site.clock.now().astimezone(VENUE_ZONE).date()
    near = [
        NearDay(today, pages.text(request, "Сегодня")),
        NearDay(today + timedelta(days=1), pages.text(request, "Завтра")),
        *_weekend(today, language),
    ]
    return pages.show(
        request,
        "sales/afisha.html",
        asked=asked,
        days=_by_day(cards, language),
        hot=[] if asked.is_narrow or asked.page > 1 else await catalogue.hot(HOT_MAX),
        kinds=await catalogue.kinds(),
        near_days=near,
        has_next=len(cards) == PAGE_SIZE and await _is_more(catalogue, asked),
    )


def _asked(request: Req) -> Asked:
    given = request.query_params
    page = max(1, min(whole_or(given.get("page"), 1), PAGE_MAX))
    query = given.get("query", "").strip()[:QUERY_CHARS_MAX]
    kind = given.get("kind", "").strip()[:40] or None
    try:
        return Asked(query, day_of(given.get("date")), kind, page)
    except BadInput as refusal:
        return Asked(query, None, kind, page, wrong=refusal.detail)


async def _is_more(catalogue: Catalogue, asked: Asked) -> bool:
    """Whether anything follows this page: one card is asked for, nothing is counted."""
    after = asked.page * PAGE_SIZE + 1
    return bool(await catalogue.search(asked.query, asked.day, asked.kind, page=after, page_size=1))


def _by_day(cards: Sequence[EventCard], language: str) -> list[Day]:
    days = []
    for day, group in groupby(cards, lambda card: card.starts_at.astimezone(VENUE_ZONE).date()):
        month = format_date(day, "MMMM", locale=language)
        days.append(Day(day, month, format_date(day, "EEEE", locale=language), list(group)))
    return days


def _weekend(today: date, language: str) -> list[NearDay]:
    """The next Saturday and Sunday, unless they are today or tomorrow."""
    saturday = today + timedelta(days=(SATURDAY - today.weekday()) % 7)
    days = [one for one in (saturday, saturday + timedelta(days=1)) if (one - today).days > 1]
    return [NearDay(day, format_date(day, "EEEE, d", locale=language)) for day in days]
