"""The halves of a sale, each alone: best seats under a crowd, orders written, holds that expire.

The halls are of the benchmark's own, put into the database of its own stand.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

from loadtest.blast import cpu_seconds
from loadtest.figures import Figures
from loadtest.purchases import buyer, sites_of
from loadtest.stand import Stand
from loadtest.visitor import CREATED, FOUND, OK, Gone, Visit, code_of

CLIENTS, HALL_SEATS, ORDERS = 160, 8_000, 1_000
# Of the hall whose holds expire: fewer than a row, so that one row more is enough.
HOLDERS = 32
ROW_SEATS = 100
# Beyond any measurement, so that nothing lapses in between.
HOLD_S = 7_200
ACCOUNTS = 5_000
LOOK_S = 0.005
EXPIRED_WITHIN_S = 120.0
HALL = """
WITH made AS (
    INSERT INTO event (title, kind, starts_at, local_day, hold_seconds)
    VALUES ('Bench', 'concert', now() + interval '60 days', current_date + 60, $2)
    RETURNING id
)
INSERT INTO zone (event_id, zone_no, name, price, first_row, row_sizes, first_seat, seat_count)
SELECT id, 1, 'Hall', 500000, 1, array_fill($3::int, ARRAY[$1::int / $3::int]), 0, $1 FROM made
RETURNING event_id
"""


class Crowd(msgspec.Struct):
    """What became of the requests for the best seats. `lost`: refused although as many were free
    as everybody under way could want.
    """

    held: int = 0
    lost: int = 0
    seconds: float = 0.0
    refusals: Counter[str] = msgspec.field(default_factory=Counter)
    bookings: list[Visit] = msgspec.field(default_factory=list)

    @property
    def lost_share(self) -> float:
        return self.lost / max(1, self.held + self.lost)


async def make_hall(stand: Stand, seats: int) -> int:
    """An event without a queue, with one zone of so many seats."""
    conn = await asyncpg.connect(stand.env["DATABASE_URL"])
    try:
        return int(await conn.fetchval(HALL, seats, HOLD_S, ROW_SEATS))
    finally:
        await conn.close()


async def best_seats(stand: Stand, buyers: int) -> tuple[float, float]:
    """A crowd that wants two each, then their orders: the share of requests lost though seats
    were left, and orders written a second.
    """
    figures, before = Figures(), cpu_seconds(stand.pids("run", "sales"))
    event = await make_hall(stand, HALL_SEATS)
    found = await crowd(stand, figures, event, clients=CLIENTS, seats=HALL_SEATS, party=2)
    spent = cpu_seconds(stand.pids("run", "sales")) - before
    print(f"\nBest two of {HALL_SEATS} seats, {CLIENTS} clients at once: ", end="")
    print(f"{found.held / found.seconds:.0f}/s, {found.lost_share:.2%} lost", end="")
    print(f" {dict(found.refusals) or ''}, sales {spent / max(1, found.held) * 1e3:.2f} ms each")
    placed, seconds = await place(found.bookings[:ORDERS], buyers)
    print(f"Orders written: {placed / seconds:.0f}/s ({placed}, each with its payment opened)")
    print(figures.table())
    return found.lost_share, placed / seconds


async def let_expire(stand: Stand, holds: int) -> float:
    """So many holds (in hundreds) of one event end at one moment: seconds until all are gone."""
    event = await make_hall(stand, holds + ROW_SEATS)
    seats = holds + HOLDERS
    await crowd(stand, Figures(), event, clients=HOLDERS, seats=seats, party=1)
    ended, seconds = await expire(stand, event)
    print(f"\n{ended} holds that end at one moment are gone after {seconds:.2f} s")
    return seconds


async def crowd(
    stand: Stand, figures: Figures, event: int, *, clients: int, seats: int, party: int
) -> Crowd:
    """So many clients at once take the best seats for a party each, until a hall of `seats` is as
    good as sold out.
    """
    sites, found, turns = sites_of(stand), Crowd(), iter(range(10**9))
    spare = clients * party

    async def one() -> None:
        while seats - party * found.held >= spare:
            visit = buyer(sites, figures, next(turns) % ACCOUNTS, event)
            answer = await visit.ask_sales("book", "POST", "/api/bookings", {"event_id": event})
            if answer.status != CREATED:
                raise Gone(f"book: {code_of(answer)}")
            visit.booking = answer.json()["id"]
            wanted = {"booking_id": visit.booking, "zone": 1, "count": party, "has": 0}
            answer = await visit.ask_sales("best", "PATCH", "/api/seats/best", wanted)
            if answer.status == OK:
                found.held += 1
                found.bookings.append(visit)
            else:
                found.lost += 1
                if found.lost > seats:
                    raise Gone(f"best: {code_of(answer)}")
                found.refusals[code_of(answer)] += 1

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    found.seconds = time.perf_counter() - started
    return found


async def place(visits: list[Visit], together: int) -> tuple[int, float]:
    """Every booking goes to its payment: orders placed, and seconds."""
    left, placed = iter(visits), 0

    async def one() -> None:
        nonlocal placed
        for visit in left:
            body = {"booking_id": visit.booking}
            answer = await visit.ask_sales(
                "checkout", "PATCH", "/api/bookings/initiatePayment", body
            )
            placed += answer.status == FOUND

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(together)))
    return placed, time.perf_counter() - started


async def expire(stand: Stand, event: int) -> tuple[int, float]:
    """All holds of the event are over at once: how many, and the seconds until the last is gone.
    The ticker is held back until then, so that it finds them together.
    """
    redis: Any = Redis.from_url(stand.env["REDIS_SHOP_URL"])
    queue = f"expiring:{{{event}}}"
    with _stopped(stand.pids("run", "ticker")):
        orders = await redis.zrange(queue, 0, -1)
        if orders:
            await redis.zadd(queue, dict.fromkeys(orders, 1), xx=True)
    # It knew other ends, and comes when it thought one near.
    await _left(redis, queue, lambda count: count < len(orders))
    started = time.perf_counter()
    await _left(redis, queue, lambda count: count == 0)
    spent = time.perf_counter() - started
    await redis.aclose()
    return len(orders), spent


@contextlib.contextmanager
def _stopped(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def _left(redis: Any, queue: str, wanted: Callable[[int], bool]) -> None:
    """Waits until so many holds are left as are wanted."""
    give_up_at = time.perf_counter() + EXPIRED_WITHIN_S
    while not wanted(await redis.zcard(queue)):
        if time.perf_counter() > give_up_at:
            raise TimeoutError("holds that do not expire")
        await asyncio.sleep(LOOK_S)
