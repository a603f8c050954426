"""Writing the demonstration into the database: deterministic, and harmless when repeated."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from accounts.accounts import Accounts, Newcomer
from biletter.seed.accounts import PEOPLE, crowd
from biletter.seed.archive import archive
from biletter.seed.owned import owned
from biletter.seed.plan import HALL_ZONE, PlannedEvent
from biletter.seed.programme import programme
from biletter.seed.star import STAR_ID, star_concert
from biletter.settings import Owner
from kernel.clock import Clock
from kernel.db import Conn, Db
from kernel.sql import load_queries
from sales.outbox import Draft, stage
from sales.refills import REFILL

Q = load_queries(Path(__file__).parent / "sql")
Say = Callable[[str], None]


async def is_fresh(db: Db, clock: Clock) -> bool:
    """Whether the demonstration is there and its great evening is still to come."""
    starts_at = await db.fetchval(Q["read_star_start"], STAR_ID)
    return starts_at is not None and starts_at > clock.now()


async def seed_events(db: Db, clock: Clock, person_limit: int | None, say: Say) -> None:
    """Event 1, the programme around it and a little archive, dated from today at the halls.
    Seeding again later moves the dates; orders, tickets and seats stay.
    """
    today = clock.now().astimezone(HALL_ZONE).date()
    planned = [star_concert(person_limit), *programme(), *owned()]
    async with db.acquire() as conn, conn.transaction():
        say(f"event {STAR_ID}: {planned[0].title}")
        await conn.executemany(Q["put_event"], [_event_row(one, today) for one in planned])
        say(f"events: {len(planned)}, {planned[0].local_day(today)} is the great evening")
        zones = [row for one in planned for row in _zone_rows(one)]
        await conn.executemany(Q["put_zone"], zones)
        say(f"zones: {len(zones)}, {sum(row[7] for row in zones):,} seats".replace(",", " "))
        shares = [row for one in planned for row in _share_rows(one, today)]
        await conn.executemany(Q["put_allotment"], shares)
        await conn.execute(Q["forget_reports"])
        await _seed_archive(conn, say)


async def seed_accounts(accounts: Accounts, say: Say) -> None:
    """The people with strong hashes, the crowd with quick ones; their passwords as printed."""
    for one in PEOPLE:
        await accounts.ensure(one.email, one.password, one.role, one.name)
        say(f"account {one.email}, password {one.password}, {one.role}")
    newcomers = [Newcomer(one.email, one.password, one.role, one.name) for one in crowd()]
    await accounts.ensure_many(newcomers)
    say(f"accounts of the crowd: {newcomers[0].email} … {newcomers[-1].email}")


async def limit_star(db: Db, person_limit: int | None) -> None:
    """What this installation's settings say about event 1 holds at every start."""
    await db.execute(Q["set_person_limit"], STAR_ID, person_limit)


async def own_star(db: Db, clock: Clock, owner: Owner) -> bool:
    """Whose the seats of event 1 are, as this start wants it. False: somebody has seats already,
    and an order begun with one owner is not finished with another.
    """
    async with db.acquire() as conn, conn.transaction():
        row = await conn.fetchrow(Q["own_star"], STAR_ID, owner)
        if row is not None and row["has_changed"]:
            await stage(conn, clock.now(), [Draft(REFILL, STAR_ID)])
    return row is not None and bool(row["may"])


async def _seed_archive(conn: Conn, say: Say) -> None:
    finished = archive()
    rows = [
        (one.id, one.title, one.description, one.kind, one.starts_at, one.starts_at.date())
        for one in finished
    ]
    await conn.executemany(Q["put_archived"], rows)
    say(f"archived events: {len(rows)}")


def _event_row(event: PlannedEvent, today: date) -> tuple[object, ...]:
    return (
        event.id,
        event.title,
        event.description,
        event.kind,
        event.hall,
        event.city,
        event.starts_at(today),
        event.local_day(today),
        event.guarded,
        event.person_limit,
        event.look,
        event.ownership,
    )


def _zone_rows(event: PlannedEvent) -> list[tuple[int, int, str, int, int, list[int], int, int]]:
    return [
        (
            event.id,
            zone.zone_no,
            zone.name,
            zone.price,
            zone.first_row,
            list(zone.row_sizes),
            zone.first_seat,
            zone.seat_count,
        )
        for zone in event.zones
    ]


def _share_rows(event: PlannedEvent, today: date) -> list[tuple[object, ...]]:
    zones = {zone.zone_no: zone for zone in event.zones}
    rows: list[tuple[object, ...]] = []
    for share in event.shares:
        seats = share.seats(zones[share.zone_no])
        places = share.places if seats is None else len(seats)
        deadline = event.starts_at(today) - timedelta(days=share.days_before)
        rows.append((event.id, share.zone_no, share.channel, places, seats, deadline))
    return rows
