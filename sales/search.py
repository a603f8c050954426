"""The search over what is on and what is over.

Every word of the query must stand somewhere in title or description: as a word, the beginning or
the inside of one, or in another form of it (Russian stems). What is to come stands first, soonest
first; then what is over, newest first. Nothing is counted, and nothing sorted beyond the page.

Events share texts, and each text's words are indexed once (migration 0008). So a query is spread to
the words that answer it, these find texts, and the texts' events are read by one of two ways: text
by text where few match, in the order of time where many do. Both stop as soon as the page is full.
"""

from datetime import date, datetime
from math import sqrt
from pathlib import Path

import msgspec

from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.errors import BadInput
from kernel.sql import load_queries

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

    of_day: str
    of_wordings: str
    by_time: str


COMING = _Ways(Q["coming_of_day"], Q["coming_of_wordings"], Q["coming_by_time"])
PAST = _Ways(Q["past_of_day"], Q["past_of_wordings"], Q["past_by_time"])
# How the texts are given: as few ids, or as the condition (None: all).
_Texts = list[int] | str | None


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
            texts = await self._texts(conn, condition, sought, needed)
            if texts == []:
                return []
            given = (texts, self._clock.now(), sought.kind)
            found = await _read(conn, COMING, sought.day, (*given, needed))
            if sought.archived and len(found) < needed:
                found += await _read(conn, PAST, sought.day, (*given, needed - len(found)))
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

    async def _texts(
        self, conn: Conn, condition: str | None, sought: Sought, needed: int
    ) -> _Texts:
        if condition is None or sought.day is not None:
            return condition
        few = max(WORDINGS_MIN, int(sqrt(needed * await self._count(conn) / PROBE)))
        rows = await conn.fetch(Q["list_wordings"], condition, few + 1)
        return condition if len(rows) > few else [row["id"] for row in rows]

    async def _count(self, conn: Conn) -> int:
        count, until_ms = self._counted
        if self._clock.ms() >= until_ms:
            count = await conn.fetchval(Q["count_wordings"])
            self._counted = (count, self._clock.ms() + COUNTED_MS)
        return count


async def _read(
    conn: Conn, ways: _Ways, day: date | None, given: tuple[_Texts, datetime, str | None, int]
) -> list[int]:
    """`given`: texts, now, kind, how many."""
    if day is not None:
        rows = await conn.fetch(ways.of_day, *given, day)
    elif isinstance(given[0], list):
        rows = await conn.fetch(ways.of_wordings, *given)
    else:
        rows = await conn.fetch(ways.by_time, *given)
    return [row["id"] for row in rows]
