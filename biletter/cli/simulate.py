"""biletter simulate room | million"""

import argparse
import asyncio
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from biletter.engines.redis import start
from biletter.simulation.million import wait_with
from biletter.simulation.run import RULES, simulate
from biletter.simulation.scenarios import SCENARIOS


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "simulate",
        help="show how the waiting room calls, under virtual time",
        description="Runs the product's own commands on a Redis of its own, stopped at the end.",
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    room = kinds.add_parser(
        "room",
        help="absent people, stale signs of life, bursts: how evenly does the line move?",
        description="Each scenario under the room's rule and under two simple ones, with the same"
        " seed: admissions as parts of the configured rate. Takes two or three minutes.",
    )
    room.add_argument("--seed", type=int, default=1, help="another seed, other visitors (1)")
    room.add_argument("--scenario", type=int, help="only this one, counted from 1")
    million = kinds.add_parser(
        "million",
        help="a million waiters in one Redis: memory of each, joins a second, their status",
        description="Joins by the room's own command straight on Redis, beside a sorted set.",
    )
    million.add_argument("--count", type=int, default=1_000_000, help="how many (a million)")
    room.add_argument("--rule", choices=RULES, help="only this one")


def run(args: argparse.Namespace) -> int:
    # Changes of a virtual room's settings are nobody's news.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="biletter-") as folder:
        Path(folder).chmod(0o711)
        with start(Path(folder), "simulation") as engine:
            asyncio.run((_million if args.kind == "million" else _room)(engine.url, args))
    return 0


async def _million(url: str, args: argparse.Namespace) -> None:
    told = await wait_with(url, args.count)
    print(f"{args.count} waiters on Redis {told.version}, buckets as {told.encoding}")
    for name, crowd in (("room", told.ours), ("sorted set", told.sorted_set)):
        print(f"{name:<12}{crowd.bytes_each:>8.1f} B each{crowd.joins_per_s:>10.0f} joins/s")
    print(f"status: {told.status}")
    print(f"{told.places_per_s:.0f} places/s told from memory")


async def _room(url: str, args: argparse.Namespace) -> None:
    print(
        f"{'parts of the configured rate':<30}{'rule':<16}{'mean':>7}{'worst':>7}{'best':>7}",
        end="",
    )
    print(f"{'lost':>6}{'at the gate':>13}   (worst and best of 60 s; seed {args.seed})")
    for n, scenario in enumerate(SCENARIOS, 1):
        if args.scenario not in (None, n):
            continue
        for name, rule in RULES.items():
            if args.rule not in (None, name):
                continue
            started = time.perf_counter()
            told = await simulate(url, scenario, rule, args.seed)
            print(
                f"{scenario.name:<30}{name:<16}{told.mean:>7.3f}{told.worst:>7.3f}{told.best:>7.3f}"
                f"{told.lost:>6}{told.wait_s:>11.1f} s   {time.perf_counter() - started:.0f} s",
                flush=True,
            )
