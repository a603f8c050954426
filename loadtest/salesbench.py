"""The halves of a sale, each alone: best seats under a crowd, orders written, holds that expire.

The halls are of the benchmark's own, put into the database of its own stand.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

from loadtest.figures import Figures
from loadtest.purchases import buyer, sites_of
from loadtest.stand import Stand
from loadtest.visitor import CREATED, FOUND, OK, Gone, Visit, code_of

CLIENTS = 160
ROW_SEATS = 100
# Beyond any measurement, so that nothing lapses in between.
HOLD_S = 7_200
ACCOUNTS = 5_000
LOOK_S = 0.02
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
    started = time.perf_counter()
    await _until(lambda: redis.zcard(queue))
    spent = time.perf_counter() - started
    await redis.aclose()
    return len(orders), spent


@contextlib.contextmanager
def _stopped(pids: list[int]) -> Any:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def _until(left: Callable[[], Awaitable[int]], within_s: float = 120.0) -> None:
    give_up_at = time.perf_counter() + within_s
    while await left():
        if time.perf_counter() > give_up_at:
            raise TimeoutError("holds that do not expire")
        await asyncio.sleep(LOOK_S)
