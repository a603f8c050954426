"""biletter payouts"""

import argparse
from typing import Any

from biletter.cli.surroundings import settings_beside_running, told
from kernel.clock import SystemClock
from kernel.db import open_pool
from kernel.values import tenge
from sales.payouts import Payouts


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "payouts",
        help="list refunds to be paid by hand, and mark one as paid",
        description="Refunds that the gateway does not give back: parts of a payment, what is left"
        " after a fee, and what it refused.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    deeds.add_parser("list", help="print the queue, the oldest first")
    paid = deeds.add_parser("paid", help="mark one as paid by hand")
    paid.add_argument("refund", type=int, metavar="REFUND")
    paid.add_argument("reference", help="a transfer's number, a cash desk's receipt")


def run(args: argparse.Namespace) -> int:
    return told(f"Refund {args.refund}" if args.deed == "paid" else "Refunds", _run(args))


async def _run(args: argparse.Namespace) -> int:
    url = settings_beside_running().database_url
    assert url is not None, "settings_beside_running gives every engine"
    db = await open_pool(url, size_max=1)
    try:
        payouts = Payouts(db, SystemClock())
        if args.deed == "paid":
            await payouts.pay(args.refund, args.reference, "cli")
            return 0
        after = 0
        while page := await payouts.waiting(after):
            for one in page:
                who = " ".join(filter(None, (one.first_name, one.surname, one.email)))
                print(
                    f"{one.id:>8}{tenge(one.amount):>14}  {one.created_at:%Y-%m-%d %H:%M}"
                    f"  order {one.order_id}  {one.reason}  {who or one.account_id}"
                    f"{f'  ({one.last_error})' if one.last_error else ''}"
                )
            after = page[-1].id
    finally:
        await db.close()
    return 0
