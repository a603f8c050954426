"""After a run: what the stores say about the promises, asked independently of the product's code.

`python -m loadtest.checker --env DATA/run/env.json [--journeys journeys.jsonl] [--ceiling N]`
reads PostgreSQL, Redis and the gateway stand-in's books, prints a table, and exits with 1 when
any promise is broken.
"""

import argparse
import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from redis.asyncio import Redis

EVENT_SEATS = "seats:{%d}"

TWO_OWNERS = """
SELECT count(*) FROM (SELECT event_id, seat FROM ticket WHERE state <> 'returned'
                      GROUP BY event_id, seat HAVING count(*) > 1) AS doubled
"""
PAID_WITHOUT_TICKETS = """
SELECT count(*) FROM orders o WHERE o.state = 'paid'
   AND (SELECT count(*) FROM order_line l WHERE l.order_id = o.id)
    <> (SELECT count(*) FROM ticket t WHERE t.order_id = o.id)
"""
CAPTURED_WITHOUT_PAID_ORDER = """
SELECT count(*) FROM payment p JOIN orders o ON o.id = p.order_id
 WHERE p.state = 'captured' AND o.state <> 'paid'
"""
TICKET_WITHOUT_CLAIM = """
SELECT count(*) FROM ticket t WHERE t.state = 'valid' AND NOT EXISTS (
  SELECT FROM seat_claim c
   WHERE c.event_id = t.event_id AND c.seat = t.seat AND c.order_id = t.order_id AND c.sold)
"""
CLAIM_WITHOUT_ORDER = """
SELECT count(*) FROM seat_claim c LEFT JOIN orders o ON o.id = c.order_id
 WHERE o.state IS NULL OR o.state NOT IN ('pending', 'paid')
"""
WRONG_TOTALS = """
SELECT count(*) FROM orders o WHERE o.state = 'paid'
   AND o.total <> (SELECT sum(price) FROM order_line l WHERE l.order_id = o.id)
"""
CAPTURED = "SELECT gateway_order_id, amount FROM payment WHERE state = 'captured'"
LAST_RESET = "SELECT max(at) FROM audit WHERE action = 'sales.reset'"
CLAIMED = "SELECT seat, sold FROM seat_claim WHERE event_id = $1"
INSIDE_AT_ONCE = """
WITH step AS (
  SELECT opened_at AS at, 1 AS change FROM admission WHERE event_id = $1
  UNION ALL
  SELECT coalesce(ended_at, expires_at), -1 FROM admission WHERE event_id = $1)
SELECT coalesce(max(inside), 0)
  FROM (SELECT sum(change) OVER (ORDER BY at, change) AS inside FROM step) AS run
"""


Journeys = list[dict[str, Any]]


class Report:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, bool]] = []

    def add(self, promise: str, found: object, *, kept: bool) -> None:
        self.rows.append((promise, str(found), kept))

    def none_of(self, promise: str, count: int) -> None:
        self.add(promise, count, kept=count == 0)

    def show(self) -> int:
        for promise, found, kept in self.rows:
            print(f"{'ok    ' if kept else 'BROKEN'}  {promise:<64}{found:>12}")
        return 0 if all(kept for _, _, kept in self.rows) else 1


async def check_sales(report: Report, db: Any) -> None:
    report.none_of("seats with two valid tickets", await db.fetchval(TWO_OWNERS))
    report.none_of("paid orders without all their tickets", await db.fetchval(PAID_WITHOUT_TICKETS))
    report.none_of("captures without a paid order", await db.fetchval(CAPTURED_WITHOUT_PAID_ORDER))
    report.none_of("tickets without the seat's claim", await db.fetchval(TICKET_WITHOUT_CLAIM))
    report.none_of("claims of orders that ended", await db.fetchval(CLAIM_WITHOUT_ORDER))
    report.none_of("orders whose total is not their lines'", await db.fetchval(WRONG_TOTALS))


async def check_redis(report: Report, db: Any, shop: Any, event: int) -> None:
    """Redis may know more (holds) but never less than PostgreSQL."""
    seats: bytes = await shop.get(EVENT_SEATS % event) or b""
    claims = await db.fetch(CLAIMED, event)
    wrong = sum(
        seats[row["seat"] : row["seat"] + 1] != (b"S" if row["sold"] else b"H") for row in claims
    )
    report.none_of(f"claims of event {event} that Redis shows otherwise", wrong if seats else 0)
    sold = sum(row["sold"] for row in claims)
    shown = f"{sold} sold, {seats.count(b'F')} free of {len(seats)}"
    report.add("sold + held + free = capacity", shown, kept=set(seats) <= set(b"FHS"))


async def check_gateway(report: Report, db: Any, books_url: str) -> None:
    """What the gateway took is what we know of, to the tiyn."""
    # A reset forgets what was sold before it, and lets the gateway keep its books.
    since = await db.fetchval(LAST_RESET)
    theirs = await _confirmed(books_url, since)
    ours = {row["gateway_order_id"]: row["amount"] for row in await db.fetch(CAPTURED)}
    report.none_of("captures at the gateway unknown to us", len(theirs.keys() - ours.keys()))
    report.none_of("captures of ours unknown to the gateway", len(ours.keys() - theirs.keys()))
    differing = sum(theirs[key] != ours[key] for key in theirs.keys() & ours.keys())
    report.none_of("captures with differing amounts", differing)
    report.add("money captured, tenge", sum(ours.values()) // 100, kept=True)


async def _confirmed(books_url: str, since: datetime | None) -> dict[str, int]:
    """Amount by order id of all that was opened at the gateway since then and captured."""
    found: dict[str, int] = {}
    after: int | None = 0
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        while after is not None:
            answer = await client.get(books_url, params={"after": after, "status": "CONFIRMED"})
            page = answer.raise_for_status().json()
            found |= {
                one["orderId"]: one["amount"]
                for one in page["payments"]
                if since is None or datetime.fromisoformat(one["createdAt"]) > since
            }
            after = page["next"]
    return found


def check_order(report: Report, journeys: Journeys) -> None:
    """Who had joined before another began to join has the lower number, and was not called
    after the other had claimed.
    """
    numbers = [one["number"] for one in journeys if "number" in one]
    accounts = {one["account"] for one in journeys if "number" in one}
    report.none_of("numbers given twice", max(0, len(accounts) - len(set(numbers))))
    joined = sorted(
        (one for one in journeys if "join_done" in one), key=lambda one: one["join_sent"]
    )
    inverted, done, highest = 0, sorted(joined, key=lambda one: one["join_done"]), 0
    index = 0
    for one in joined:
        while index < len(done) and done[index]["join_done"] < one["join_sent"]:
            highest = max(highest, done[index]["number"])
            index += 1
        inverted += one["number"] < highest
    report.none_of("later joins with an earlier number", inverted)


async def check(options: argparse.Namespace, urls: dict[str, str], journeys: Journeys) -> int:
    """0 when every promise was kept, else 1; the table is printed."""
    report = Report()
    db = await asyncpg.connect(urls["DATABASE_URL"])
    shop: Any = Redis.from_url(urls["REDIS_SHOP_URL"])
    try:
        await check_sales(report, db)
        await check_redis(report, db, shop, options.event)
        await check_gateway(report, db, f"http://127.0.0.1:{options.port + 3}/sandbox/books")
        inside = await db.fetchval(INSIDE_AT_ONCE, options.event)
        if options.ceiling:
            shown = f"{inside} of {options.ceiling}"
            report.add("most visitors inside at once", shown, kept=inside <= options.ceiling)
        if journeys:
            check_order(report, journeys)
    finally:
        await db.close()
        await shop.aclose()
    return report.show()


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, help="the running installation's run/env.json")
    parser.add_argument("--port", type=int, default=8080, help="port of the sales site")
    parser.add_argument("--event", type=int, default=1)
    parser.add_argument("--journeys", help="the log written by loadtest/locustfile.py")
    parser.add_argument("--ceiling", type=int, help="the room's ceiling during the run")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = options_of(arguments)
    urls = json.loads(Path(options.env).read_text("utf-8"))
    lines = Path(options.journeys).read_text("utf-8").splitlines() if options.journeys else []
    return asyncio.run(check(options, urls, [json.loads(line) for line in lines]))


if __name__ == "__main__":
    sys.exit(main())
