"""A stadium that is sold out, and the one call that makes it empty again."""

import time

import asyncpg
import httpx

from loadtest.salesbench import make_hall
from loadtest.stand import Stand

SEATS, ORDER_SEATS, PRICE = 100_000, 50, 500_000
# The contract's client gives up earlier: what takes longer has failed.
TIMEOUT_S = 30.0
ORDERS = """
INSERT INTO orders (id, account_id, event_id, state, epoch, created_at, updated_at)
SELECT -n, n, $1, 'paid', (SELECT epoch FROM epoch), now(), now()
FROM generate_series(1, $2::int / $3::int) AS n
"""
PLACES = "SELECT -1 - n / $3::int AS number, n AS seat FROM generate_series(0, $2::int - 1) AS n"
LINES = f"""
INSERT INTO order_line SELECT number, $1, seat, 1, 1, 1, {PRICE} FROM ({PLACES}) AS place
"""  # noqa: S608 - constants of this file
CLAIMS = f"""
INSERT INTO seat_claim (event_id, seat, order_id, account_id, sold, claimed_at)
SELECT $1, seat, number, -number, true, now() FROM ({PLACES}) AS place
"""  # noqa: S608 - constants of this file
TICKETS = f"""
INSERT INTO ticket (order_id, account_id, event_id, seat, zone_no, row_no, seat_no, price, serial,
                    refund_until, issued_at)
SELECT number, -number, $1, seat, 1, 1, 1, {PRICE}, 'bench-' || seat, now(), now()
FROM ({PLACES}) AS place
"""  # noqa: S608 - constants of this file


async def reset_stadium(stand: Stand) -> float:
    """Seconds until `POST /api/reset` has answered."""
    event = await make_hall(stand, SEATS)
    conn = await asyncpg.connect(stand.env["DATABASE_URL"])
    try:
        for statement in (ORDERS, LINES, CLAIMS, TICKETS):
            await conn.execute(statement, event, SEATS, ORDER_SEATS)
        async with httpx.AsyncClient(base_url=stand.base(), timeout=TIMEOUT_S) as client:
            started = time.perf_counter()
            answer = await client.post("/api/reset")
            seconds = time.perf_counter() - started
        answer.raise_for_status()
        left = await conn.fetchval("SELECT count(*) FROM seat_claim")
    finally:
        await conn.close()
    print(f"\nA sold-out hall of {SEATS} seats is reset in {seconds:.2f} s ({left} claims left)")
    return seconds
