"""Events out of a file, streamed and written in batches; each batch is found by search at once.

The file wins over what was there: title, description, kind, provider and time. Hall, zones and
state of an event that exists stay, for somebody may hold seats in it. The same file may be
imported again, or gone on with after the place of the last batch.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from kernel.db import Conn, Db
from kernel.incoming import Objects
from kernel.intake import Intake, Progress, Written
from kernel.sql import load_queries
from sales.event_rows import EventReject, EventRow, read_events
from sales.geometry import Zone

Q = load_queries(Path(__file__).parent / "sql")
FIELDS = ("row", "id", "title", "description", "kind", "provider", "starts_at", "local_day")
PLACED_FIELDS = ("hall", "city", "look")
State = Literal["on_sale", "archived"]


class Hall(msgspec.Struct, frozen=True):
    """Where a new event takes place; prices of its zones in tiyn. None of it for the archive."""

    hall: str = ""
    city: str = ""
    look: dict[str, Any] = {}
    zones: tuple[Zone, ...] = ()


class EventImport:
    def __init__(
        self, db: Db, state: State, ids: range, hall_of: Callable[[EventRow], Hall]
    ) -> None:
        """`db`: a pool of its own, with two minutes or so for a statement. `ids` may be written;
        `hall_of` gives a new event its hall.
        """
        self._state, self._ids, self._hall_of = state, ids, hall_of
        self._intake = Intake(
            db, table="incoming_event", make=Q["make_incoming_events"], write=self._write
        )

    def run(self, objects: Objects) -> AsyncGenerator[Progress, None]:
        """Import the file from where `objects` begin, one progress a batch."""
        return self._intake.run(read_events(objects, self._ids), objects)

    async def _write(self, conn: Conn, batch: Sequence[EventRow | EventReject]) -> Written:
        rows = [one for one in batch if isinstance(one, EventRow)]
        made = await self._put(conn, rows) if rows else 0
        rejects = [one for one in batch if isinstance(one, EventReject)]
        return Written(made, len(rows) - made, rejects)

    async def _put(self, conn: Conn, rows: Sequence[EventRow]) -> int:
        """How many of them are new."""
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
        return len(new)


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
