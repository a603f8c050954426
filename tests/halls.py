"""Builders of events with seats, for tests of the sales core."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from kernel.clock import ManualClock
from sales.geometry import Zone
from sales.keys import EXPIRING, FROZEN, HOLDERS, HOLDS, SEATS, TALLY, key

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


async def give_places(
    db: asyncpg.Pool,
    event_id: int,
    zone_no: int,
    places: int | None = None,
    *,
    seats: list[int] | None = None,
    channel: str = "any",
    seconds: float = 3600,
) -> None:
    """Its owner gives us this of a zone, for so many seconds by the database's clock."""
    await db.execute(
        "INSERT INTO allotment (event_id, zone_no, channel, places, seats, deadline, given_at,"
        " updated_at) VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), now(), now())",
        event_id,
        zone_no,
        channel,
        len(seats) if seats is not None else places,
        seats,
        seconds,
    )


async def assert_consistent(redis: Any, event_id: int) -> Counter[str]:
    """What the seat keys of an event say about each other agrees. Returns how many seats are in
    each state.
    """
    seats = ((await redis.get(key(SEATS, event_id))) or b"").decode()
    holders = _ints(await redis.hgetall(key(HOLDERS, event_id)))
    holds = _ints(await redis.hgetall(key(HOLDS, event_id)))
    tally = _ints(await redis.hgetall(key(TALLY, event_id)))
    assert {seat for seat, state in enumerate(seats) if state not in "FX"} == set(holders)
    owners = Counter(int(holder.split(":")[1]) for holder in holders.values())
    assert {account: int(count) for account, count in tally.items()} == owners
    ends: dict[str, dict[int, int]] = {"b": {}, "f": {}}
    held = []
    for order, pack in holds.items():
        account, expires, _, mode, names = pack.split(":")
        ends[mode][order] = int(expires)
        for seat in map(int, names.split(",")):
            held.append(seat)
            assert holders[seat] == f"{order}:{account}"
    assert len(held) == len(set(held)), "a seat is in two holds"
    assert {seat for seat, state in enumerate(seats) if state == "H"} == set(held)
    for name, mode in ((EXPIRING, "b"), (FROZEN, "f")):
        queue = await redis.zrange(key(name, event_id), 0, -1, withscores=True)
        assert {int(order): int(score) for order, score in queue} == ends[mode]
    return Counter(seats)


def _ints(raw: dict[bytes, bytes]) -> dict[int, str]:
    return {int(field): value.decode() for field, value in raw.items()}
