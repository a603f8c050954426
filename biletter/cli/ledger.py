"""biletter ledger"""

import argparse
import asyncio
from typing import Any

from biletter.cli.surroundings import settings_beside_running
from kernel.db import open_pool
from kernel.values import tenge
from sales.ledger import Difference, Ledger


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "ledger",
        help="check the ledger against orders, payments and tickets",
        description="The double-entry ledger beside the orders.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    deeds.add_parser(
        "check",
        help="print the balances and every difference",
        description="Prints what each account stands at, in tenge, and every place where the ledger"
        " disagrees with itself or with orders, payments and tickets. Status 1 where one does.",
    )


def run(_: argparse.Namespace) -> int:
    url = settings_beside_running().database_url
    assert url is not None, "settings_beside_running gives every engine"
    balances, differences = asyncio.run(_read(url))
    for account, amount in balances.items():
        print(f"{account:<24}{tenge(amount):>20}")
    print(f"{'sum':<24}{tenge(sum(balances.values())):>20}")
    for one in differences:
        print(
            f"DIFFERENCE {one.kind} {one.subject}:"
            f" {tenge(one.expected)} expected, {tenge(one.found)} found"
        )
    if not differences:
        print("agrees with orders, payments and tickets")
    return 1 if differences else 0


async def _read(url: str) -> tuple[dict[str, int], list[Difference]]:
    db = await open_pool(url, size_max=1)
    try:
        ledger = Ledger(db)
        return await ledger.balances(), await ledger.check()
    finally:
        await db.close()
