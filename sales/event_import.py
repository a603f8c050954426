"""Events out of a file, streamed and written in batches; each batch is found by search at once.

The file wins over what was there: title, description, kind, provider and time. Hall, zones and
state of an event that exists stay, for somebody may hold seats in it. The same file may be
imported again, or gone on with after the place of the last batch.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from kernel.db import Conn, Db
from kernel.incoming import Objects, Place
from kernel.sql import load_queries
from sales.event_rows import EventReject, EventRow, read_events
from sales.geometry import Zone

Q = load_queries(Path(__file__).parent / "sql")
BATCH_ROWS = 10_000
FIELDS = ("row", "id", "title", "description", "kind", "provider", "starts_at", "local_day")
PLACED_FIELDS = ("hall", "city", "look")
State = Literal["on_sale", "archived"]


class Hall(msgspec.Struct, frozen=True):
    """Where a new event takes place; prices of its zones in tiyn. None of it for the archive."""

    hall: str = ""
    city: str = ""
    look: dict[str, Any] = {}
    zones: tuple[Zone, ...] = ()


class EventProgress(msgspec.Struct, frozen=True):
    """After a batch: how many rows so far, the rejected ones of this batch, and where to go on."""

    made: int
    changed: int
    rejected: int
    rejects: Sequence[EventReject]
    place: Place


class _Batch(msgspec.Struct, frozen=True):
    rows: Sequence[EventRow | EventReject]
    place: Place


class EventImport:
    def __init__(
        self, db: Db, state: State, ids: range, hall_of: Callable[[EventRow], Hall]
    ) -> None:
        """`db`: a pool of its own, with two minutes or so for a statement. `ids` may be written;
        `hall_of` gives a new event its hall.
        """
        self._db, self._state, self._ids, self._hall_of = db, state, ids, hall_of
        self._made = self._changed = self._rejected = 0

    async def run(self, objects: Objects, start: Place) -> AsyncGenerator[EventProgress, None]:
        """Import the file from `start` on (where `objects` begin), one progress a batch.

        While PostgreSQL works on a batch, the next one is read.
        """
        rows = read_events(objects, self._ids, start.row + 1)
        async with self._db.acquire() as conn:
            await conn.execute(Q["make_incoming_events"])
            try:
                batch = await asyncio.to_thread(_take, rows, objects, start.row)
                while batch.rows:
                    writing = asyncio.create_task(self._write(conn, batch))
                    try:
                        batch = await asyncio.to_thread(_take, rows, objects, batch.place.row)
                    finally:
                        progress = await writing
                    yield progress
            finally:
                await conn.execute("DROP TABLE incoming_event")

    async def _write(self, conn: Conn, batch: _Batch) -> EventProgress:
        rejects = [one for one in batch.rows if isinstance(one, EventReject)]
        rows = [one for one in batch.rows if isinstance(one, EventRow)]
        if rows:
            await self._put(conn, rows)
        self._rejected += len(rejects)
        return EventProgress(self._made, self._changed, self._rejected, rejects, batch.place)

    async def _put(self, conn: Conn, rows: Sequence[EventRow]) -> None:
        halls = {row.id: self._hall_of(row) for row in rows}
        records = [
            (*(getattr(row, name) for name in FIELDS), *_placed(halls[row.id])) for row in rows
        ]
        async with conn.transaction():
            await conn.copy_records_to_table(
                "incoming_event", records=records, columns=[*FIELDS, *PLACED_FIELDS]
            )
            await conn.execute(Q["word_incoming_events"])
            put = await conn.fetch(Q["put_incoming_events"], self._state)
            new = [row["id"] for row in put if row["is_new"]]
            zones = [_record(number, zone) for number in new for zone in halls[number].zones]
            await conn.executemany(Q["put_incoming_zone"], zones)
        self._made += len(new)
        self._changed += len(rows) - len(new)


def _take(rows: Iterator[EventRow | EventReject], objects: Objects, row: int) -> _Batch:
    taken = list(islice(rows, BATCH_ROWS))
    return _Batch(taken, Place(objects.offset, row + len(taken)))


def _placed(hall: Hall) -> tuple[str, str, dict[str, Any]]:
    return hall.hall, hall.city, hall.look


def _record(event_id: int, zone: Zone) -> tuple[Any, ...]:
    return (
        event_id,
        zone.zone_no,
        zone.name,
        zone.price,
        zone.first_row,
        list(zone.row_sizes),
        zone.first_seat,
        zone.seat_count,
    )
