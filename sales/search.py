"""The search over what is on and what is over.

Every word of the query must stand somewhere in title or description: as a word, the beginning or
the inside of one, or in another form of it (Russian stems). What is to come stands first, soonest
first; then what is over, newest first. Nothing is counted, and nothing sorted beyond the page.

Events share texts, and each text's words are indexed once (migration 0008). So a query is spread to
the words that answer it, these find texts, and the texts' events are read by one of two ways: text
by text where few match, in the order of time where many do. Both stop as soon as the page is full.
A day is a span of time first, so that no index of days is kept for it.
"""

from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from pathlib import Path

import msgspec

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.errors import BadInput
from kernel.sql import load_queries
from sales.event_rows import VENUE_ZONE, YEARS

Q = load_queries(Path(__file__).parent / "sql")
QUERY_CHARS_MAX = 200
WORDS_MAX = 12
# Shorter ones stand inside nearly every word: only words that begin so are meant.
INSIDE_FROM_CHARS = 3
# Words that one word of a query may be spread to; those that begin with it are not counted.
SPREAD_MAX = 400
# Nobody leafs this far; further pages are empty and cost nothing.
DEPTH_MAX = 5_000
# Reading a text's own events costs about as much as asking this many whether their text matches.
PROBE = 7
WORDINGS_MIN = 50
# Events begin between these.
EVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
# A hall's day may be so much earlier or later than that of the country's zone.
OTHER_ZONES = timedelta(hours=6)
# Texts are counted anew this often; only a choice between two right ways hangs on it.
COUNTED_MS = 60_000


class QueryTooLong(BadInput):
    """Слишком длинный запрос."""

    code = "query-too-long"


class Sought(msgspec.Struct, frozen=True):
    """What is looked for. `archived`: what is over belongs to it."""

    query: str = ""
    day: date | None = None
    kind: str | None = None
    archived: bool = False


class _Ways(msgspec.Struct, frozen=True):
    """The statements that read events."""

    of_wordings: str
    by_time: str
    of_day: str


COMING = _Ways(Q["coming_of_wordings"], Q["coming_by_time"], Q["coming_of_day"])
PAST = _Ways(Q["past_of_wordings"], Q["past_by_time"], Q["past_by_time"])
# How the texts are given: as few ids, or as the condition (None: all).
_Texts = list[int] | str | None


class _Wanted(msgspec.Struct, frozen=True):
    """What the statements ask, in their order."""

    texts: _Texts
    begin: datetime
    end: datetime
    kind: str | None
    limit: int
    day: date | None


class Search:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._counted = (0, 0)

    async def ids(self, sought: Sought, offset: int, limit: int) -> list[int]:
        """Ids of one page. Raises QueryTooLong."""
        if len(sought.query) > QUERY_CHARS_MAX:
            raise QueryTooLong(f"Запрос длиннее {QUERY_CHARS_MAX} знаков.")
        if offset >= DEPTH_MAX:
            return []
        async with self._db.acquire() as conn:
            condition = await self._condition(conn, sought.query)
            if condition == "":
                return []
            needed = offset + limit
            texts = await self._texts(conn, condition, needed)
            if texts == []:
                return []
            now, (begin, end) = self._clock.now(), _span(sought.day)
            coming = _Wanted(texts, max(now, begin), end, sought.kind, needed, sought.day)
            found = await _read(conn, COMING, coming)
            if sought.archived and len(found) < needed:
                left = needed - len(found)
                past = _Wanted(texts, begin, min(now, end), sought.kind, left, sought.day)
                found += await _read(conn, PAST, past)
            return found[offset:needed]

    async def _condition(self, conn: Conn, query: str) -> str | None:
        """A tsquery: every word, as itself or as what it is spread to. None: no words were
        given; empty: nothing can match.
        """
        query = query.encode("utf-8", "ignore").decode().replace("\0", " ").strip()
        if not query:
            return None
        words = await conn.fetchval(Q["words_of_query"], query)
        return " & ".join([await self._spread(conn, word) for word in words[:WORDS_MAX]])

    async def _spread(self, conn: Conn, word: str) -> str:
        is_inside = len(word) >= INSIDE_FROM_CHARS
        rows = await conn.fetch(Q["spread_word"], word, SPREAD_MAX, is_inside)
        spread = [f"'{row['word']}'" for row in rows]
        return "(" + " | ".join([f"'{word}':*", *spread]) + ")"

    async def _texts(self, conn: Conn, condition: str | None, needed: int) -> _Texts:
        if condition is None:
            return None
        few = max(WORDINGS_MIN, int(sqrt(needed * await self._count(conn) / PROBE)))
        rows = await conn.fetch(Q["list_wordings"], condition, few + 1)
        return condition if len(rows) > few else [row["id"] for row in rows]

    async def _count(self, conn: Conn) -> int:
        count, until_ms = self._counted
        if self._clock.ms() >= until_ms:
            count = await conn.fetchval(Q["count_wordings"])
            self._counted = (count, self._clock.ms() + COUNTED_MS)
        return count


async def _read(conn: Conn, ways: _Ways, wanted: _Wanted) -> list[int]:
    if wanted.begin >= wanted.end:
        return []
    of_time = ways.by_time if wanted.day is None else ways.of_day
    way = ways.of_wordings if isinstance(wanted.texts, list) else of_time
    rows = await conn.fetch(way, *msgspec.structs.astuple(wanted))
    return [row["id"] for row in rows]


def _span(day: date | None) -> tuple[datetime, datetime]:
    """Within which everything of this day begins, wherever the hall; an empty one for days before
    and after all events.
    """
    if day is None:
        return EVER
    if day.year not in YEARS:
        return EVER[0], EVER[0]
    midnight = datetime.combine(day, time(), VENUE_ZONE)
    return midnight - OTHER_ZONES, midnight + timedelta(days=1) + OTHER_ZONES
