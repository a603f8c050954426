"""biletter reconcile"""

import argparse
import asyncio
import os
import socket
from datetime import date
from typing import Any

from biletter.cli.surroundings import settings_beside_running
from biletter.parts import Parts
from biletter.reconcilers import rota_of
from biletter.settings import Settings
from biletter.shop import NobodyAsks, Shop
from biletter.trouble import Trouble
from kernel.errors import TryAgain
from sales.reconcile.rota import Rota, Totals

WHATS = ("stuck", "seats", "allotments", "ledger", "gateway", "partner-health", "partners")
DB_CONNECTIONS = 2


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "reconcile",
        help="compare orders, seats, ledger, gateway and partners now",
        description="Runs the reconcilers that the ticker runs by the clock, and prints what they"
        " found. Status 1 where something waits for staff.",
    )
    parser.add_argument("--what", action="append", choices=WHATS, help="only this; may be repeated")
    parser.add_argument(
        "--day",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day to compare with the gateway; yesterday if not given",
    )


def run(args: argparse.Namespace) -> int:
    settings = settings_beside_running()
    done, waiting = asyncio.run(_run(settings, args.what or list(WHATS), args.day))
    print(f"{'what':<15}{'looked at':>11}{'repaired':>10}{'differ':>8}{'new':>6}{'vanished':>10}")
    for what, totals in done.items():
        print(
            f"{what:<15}{totals.looked_at:>11}{totals.repaired:>10}{totals.found:>8}"
            f"{totals.fresh:>6}{totals.vanished:>10}"
        )
    for kind, count in sorted(waiting.items()):
        if count:
            print(f"waits for staff: {kind} {count}")
    return 1 if any(waiting.values()) else 0


async def _run(
    settings: Settings, whats: list[str], day: date | None
) -> tuple[dict[str, Totals], dict[str, int]]:
    parts = Parts(settings)
    nobody = NobodyAsks()
    shop = Shop(parts, await parts.db(DB_CONNECTIONS), parts.redis_shop(), nobody, nobody)
    rota = rota_of(parts, shop, f"cli:{socket.gethostname()}:{os.getpid()}")
    try:
        done = {what: await _whole(rota, what, day) for what in dict.fromkeys(whats)}
        return done, await rota.items.measure()
    finally:
        await shop.close()


async def _whole(rota: Rota, what: str, day: date | None) -> Totals:
    cursor = {"day": str(day)} if day and what == "gateway" else None
    try:
        return await rota.run_now(what, cursor)
    except TryAgain as refusal:
        raise Trouble(f"{what} could not be compared: {refusal.detail}") from refusal
