"""What is on: events, their zones, and the search over them.

Reading is cheap on purpose: the event behind every hold and page is kept in memory for a
moment, and a search never counts or sorts more than the pages asked for.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from kernel.clock import Clock
from kernel.db import Db
from kernel.errors import NotFound
from kernel.sql import load_queries
from kernel.values import ID_MAX, EventId
from sales.geometry import Zone
from sales.search import Search, Sought

Q = load_queries(Path(__file__).parent / "sql")
# A price, a limit or a cancellation changed by staff is seen by every process after this long.
EVENT_KEPT_MS = 2_000
EVENTS_KEPT_MAX = 2_000
# Zones never change while an event is on sale; a reseed of the demo is seen after this long.
ZONES_KEPT_MS = 60_000
ZONES_KEPT_MAX = 2_000
KINDS_KEPT_MS = 10_000
# What every page shows beside its own: asked for by the whole crowd, so not of the database.
CARDS_KEPT_MS = 5_000
CARDS_MAX = 20
PAGE_SIZE_MAX = 50
KINDS_MAX = 50
# Rooms are for the few events that everybody wants.
GUARDED_MAX = 200

K = TypeVar("K")
T = TypeVar("T")


class EventUnknown(NotFound):
    """Такого мероприятия нет."""

    code = "event-unknown"


class Event(msgspec.Struct, frozen=True):
    """What people go to see. `starts_at` is aware, in UTC; `local_day` is the day at the hall."""

    id: int
    title: str
    description: str
    kind: str
    hall: str
    city: str
    provider: str
    starts_at: datetime
    local_day: date
    ownership: str
    state: str
    guarded: bool
    # Places a person may hold and own across orders; None: no limit.
    person_limit: int | None
    order_limit: int
    hold_seconds: int
    refund_hours: int
    look: dict[str, Any]
    # When it was to begin first, where it was moved since.
    moved_from: datetime | None = None


class EventCard(msgspec.Struct, frozen=True):
    """An event as a list shows it. `price_from` is its cheapest zone in tiyn; None: no zones."""

    id: int
    title: str
    kind: str
    hall: str
    city: str
    starts_at: datetime
    guarded: bool
    price_from: int | None
    look: dict[str, Any]


class Catalogue:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._search = Search(db, clock)
        self._clock = clock
        self._events: Kept[int, Event] = Kept(clock, EVENT_KEPT_MS, EVENTS_KEPT_MAX)
        self._zones: Kept[int, list[Zone]] = Kept(clock, ZONES_KEPT_MS, ZONES_KEPT_MAX)
        self._kinds: Kept[int, list[str]] = Kept(clock, KINDS_KEPT_MS, 1)
        self._hot: Kept[str, list[EventCard]] = Kept(clock, CARDS_KEPT_MS, 1)
        self._nearest: Kept[str, list[EventCard]] = Kept(clock, CARDS_KEPT_MS, KINDS_MAX)

    async def event(self, event_id: int) -> Event:
        """The event in any state, at most EVENT_KEPT_MS old. Raises EventUnknown."""
        if not 1 <= event_id <= ID_MAX:
            raise EventUnknown
        return await self._events.of(event_id, self._read_event)

    async def zones(self, event_id: int) -> list[Zone]:
        """The zones in seat order; empty for an event of the archive. Not to be changed."""
        if not 1 <= event_id <= ID_MAX:
            return []
        return await self._zones.of(event_id, self._read_zones)

    async def search(
        self,
        query: str = "",
        day: date | None = None,
        kind: str | None = None,
        page: int = 1,
        page_size: int = 20,
        *,
        archived: bool = False,
    ) -> list[EventCard]:
        """A page of cards, as sales.search finds and orders them. Raises QueryTooLong."""
        assert page >= 1
        assert 1 <= page_size <= PAGE_SIZE_MAX
        sought = Sought(query, day, kind or None, archived)
        ids = await self._search.ids(sought, (page - 1) * page_size, page_size)
        rows = await self._db.fetch(Q["read_cards"], ids) if ids else []
        return [_card(row) for row in rows]

    async def nearest(self, limit: int, kind: str | None = None) -> list[EventCard]:
        """Cards of the events that start soonest, at most CARDS_MAX of them."""
        return (await self._nearest.of(kind or "", self._read_nearest))[:limit]

    async def hot(self, limit: int) -> list[EventCard]:
        """Cards of the events everybody wants, at most CARDS_MAX: those behind a waiting room
        first.
        """
        return (await self._hot.of("", self._read_hot))[:limit]

    async def guarded(self) -> list[EventId]:
        """The events on sale that have a waiting room in front of them."""
        rows = await self._db.fetch(Q["list_guarded"], GUARDED_MAX)
        return [EventId(row["id"]) for row in rows]

    async def kinds(self) -> list[str]:
        """Kinds of the coming events, the most frequent first."""
        return await self._kinds.of(0, self._read_kinds)

    def forget(self, event_id: int) -> None:
        """Whoever changed the event sees the change at once in this process."""
        self._events.forget(event_id)
        self._zones.forget(event_id)

    async def _read_event(self, event_id: int) -> Event:
        row = await self._db.fetchrow(Q["read_event"], event_id)
        if row is None:
            raise EventUnknown
        return Event(**row)

    async def _read_zones(self, event_id: int) -> list[Zone]:
        return [Zone(**row) for row in await self._db.fetch(Q["read_zones"], event_id)]

    async def _read_nearest(self, kind: str) -> list[EventCard]:
        return await self.search(kind=kind or None, page_size=CARDS_MAX)

    async def _read_hot(self, _: str) -> list[EventCard]:
        rows = await self._db.fetch(Q["list_hot"], self._clock.now(), CARDS_MAX)
        return [_card(row) for row in rows]

    async def _read_kinds(self, _: int) -> list[str]:
        rows = await self._db.fetch(Q["list_kinds"], self._clock.now(), KINDS_MAX)
        return [row["kind"] for row in rows]


class Kept(Generic[K, T]):
    """Answers kept in memory for a moment. While one caller renews an answer the others get the
    old one, so that a crowd never asks the database together.
    """

    def __init__(self, clock: Clock, kept_ms: int, size_max: int) -> None:
        self._clock = clock
        self._kept_ms = kept_ms
        self._size_max = size_max
        self._answers: dict[K, tuple[int, T]] = {}

    async def of(self, key: K, read: Callable[[K], Awaitable[T]]) -> T:
        """The answer for `key`, read anew when it is too old. What `read` raises is not kept."""
        now = self._clock.ms()
        kept = self._answers.get(key)
        if kept is not None:
            if now < kept[0]:
                return kept[1]
            self._answers[key] = (now + self._kept_ms, kept[1])
        try:
            answer = await read(key)
        except BaseException:
            self._answers.pop(key, None)
            raise
        if len(self._answers) >= self._size_max and key not in self._answers:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = (now + self._kept_ms, answer)
        return answer

    def forget(self, key: K) -> None:
        self._answers.pop(key, None)


def _card(row: Any) -> EventCard:
    return EventCard(**row)
