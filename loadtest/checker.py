"""After a run: what the stores say about the promises, asked independently of the product's code.

`python -m loadtest.checker --env DATA/run/env.json [--at-rest] [--journeys journeys.jsonl]
[--ceiling N]` reads PostgreSQL, Redis, and the books of the stand-ins of gateway and partner,
prints a table, and exits with 1 when any promise is broken. `--at-rest`: everything has had its
time, so every order is final, every hold gone, and the money adds up order by order.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis

from loadtest.checks.money import check_money
from loadtest.checks.partners import check_partners
from loadtest.checks.report import Report
from loadtest.checks.room import Journeys, check_inside, check_leases, check_order
from loadtest.checks.sales import check_sales
from loadtest.checks.seats import check_seats

STATEMENT_S = 120


async def check_stores(
    urls: dict[str, str], books_url: str, provider: str, *, at_rest: bool
) -> Report:
    """What the sales core promises. `urls` as an installation's run/env.json names them;
    `books_url` of the gateway's stand-in, `provider` the address of the partner's.
    """
    report = Report()
    db = await asyncpg.connect(urls["DATABASE_URL"], command_timeout=STATEMENT_S)
    shop: Any = Redis.from_url(urls["REDIS_SHOP_URL"])
    rooms: Any = Redis.from_url(urls["REDIS_ROOMS_URL"])
    try:
        await check_sales(report, db, at_rest=at_rest)
        await check_seats(report, db, shop, at_rest=at_rest)
        if at_rest:
            await check_leases(report, db, rooms)
        await check_money(report, db, books_url, at_rest=at_rest)
        await check_partners(report, db, provider, at_rest=at_rest)
    finally:
        await db.close()
        await shop.aclose()
        await rooms.aclose()
    return report


async def check(options: argparse.Namespace, urls: dict[str, str], journeys: Journeys) -> int:
    """0 when every promise was kept, else 1; the table is printed."""
    books_url = f"http://127.0.0.1:{options.port + 3}/sandbox/books"
    provider = f"http://127.0.0.1:{options.port + 4}"
    report = await check_stores(urls, books_url, provider, at_rest=options.at_rest)
    if options.ceiling:
        db = await asyncpg.connect(urls["DATABASE_URL"], command_timeout=STATEMENT_S)
        try:
            await check_inside(report, db, options.event, options.ceiling)
        finally:
            await db.close()
    if journeys:
        check_order(report, journeys)
    return report.show()


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, help="the running installation's run/env.json")
    parser.add_argument("--port", type=int, default=8080, help="port of the sales site")
    parser.add_argument("--at-rest", action="store_true", help="all is over: nothing may be left")
    parser.add_argument("--event", type=int, default=1, help="the event of --ceiling")
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
