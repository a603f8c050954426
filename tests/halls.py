"""Builders of events with seats, for tests of the sales core."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg

from kernel.clock import ManualClock
from sales.geometry import Zone

START = ManualClock().now() + timedelta(days=30)
# Two zones, eleven seats: rows of 3 and 4, then one row of 4.
SMALL = (
    Zone(1, "Партер", 500_000, 1, (3, 4), 0, 7),
    Zone(2, "Балкон", 300_000, 3, (4,), 7, 4),
)


def big_zones(rows: int = 1000, row_size: int = 100, zones: int = 5) -> tuple[Zone, ...]:
    """A stadium: equal zones of equal rows."""
    each = rows // zones
    return tuple(
        Zone(
            n + 1,
            f"Зона {n + 1}",
            4_000_000 * (n + 1),
            n * each + 1,
            (row_size,) * each,
            n * each * row_size,
            each * row_size,
        )
        for n in range(zones)
    )


async def build_event(
    db: asyncpg.Pool,
    zones: tuple[Zone, ...] = SMALL,
    *,
    starts_at: datetime = START,
    **columns: Any,
) -> int:
    """An event on sale with these zones; `columns` replace what its row says. Returns its id."""
    row = {
        "title": "Концерт",
        "kind": "concert",
        "starts_at": starts_at,
        "local_day": starts_at.date(),
        **columns,
    }
    names = ", ".join(row)
    marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    event_id: int = await db.fetchval(
        f"INSERT INTO event ({names}) VALUES ({marks}) RETURNING id", *row.values()
    )
    await db.executemany(
        "INSERT INTO zone VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                event_id,
                zone.zone_no,
                zone.name,
                zone.price,
                zone.first_row,
                list(zone.row_sizes),
                zone.first_seat,
                zone.seat_count,
            )
            for zone in zones
        ],
    )
    return event_id


async def claim_seats(
    db: asyncpg.Pool,
    event_id: int,
    order_id: int,
    account_id: int,
    seats: list[int],
    *,
    sold: bool = False,
) -> None:
    """What a committed checkout leaves, without its order."""
    await db.executemany(
        "INSERT INTO seat_claim VALUES ($1, $2, $3, $4, $5, now())",
        [(event_id, seat, order_id, account_id, sold) for seat in seats],
    )
