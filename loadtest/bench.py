"""`script/bench`: what the hot paths cost, as ratios measured in one run on one machine.

Starts the product and its peers by itself, loads them over loopback, stops everything. Absolute
figures depend on the machine and on what else runs there; the ratios are what to compare. The
load generator shares the processors with what it loads, so beside each rate stands the server's
own processor time for one request: no generator can flatter that.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from loadtest import salesbench
from loadtest.apibench import ApiBench
from loadtest.blast import cpu_seconds
from loadtest.figures import Figures
from loadtest.purchases import WHOLE, hold_seats, purchase_for
from loadtest.resetbench import reset_stadium
from loadtest.roombench import CALLS, RoomBench
from loadtest.searchbench import search
from loadtest.stand import ROOT, Stand, is_answering, standing

WIDE_OPEN = {"BILETTER_ROOM_MODE": "on", "BILETTER_ROOM_RATE": "1000000"}
WIDE_OPEN |= {"BILETTER_ROOM_CEILING": "1000000", "BILETTER_LOG_LEVEL": "warning"}
WARM_UP_S = 4.0
PARTS = ["room", "api", "search", "sales", *CALLS]


class Bench:
    def __init__(self, stand: Stand, *, seconds: float) -> None:
        self.stand, self.seconds = stand, seconds
        self.results: dict[str, Any] = {}

    async def sales(self, buyers: int, holds: int) -> None:
        """Holds and their ends, then whole purchases through the gateway stand-in."""
        figures = Figures()
        held, spent = await hold_seats(self.stand, figures, buyers, self.seconds)
        print(f"\nHolds: {held / spent:.0f}/s ({buyers} buyers at once)\n{figures.table()}")
        figures = Figures()
        # Not counted: halls are read, plans are made, connections are opened.
        await purchase_for(self.stand, Figures(), buyers, WARM_UP_S, Random(2))
        before, started = self._cpu(), time.perf_counter()
        bought, failed = await purchase_for(
            self.stand, figures, buyers, 2 * self.seconds, Random(1)
        )
        spent, after = time.perf_counter() - started, self._cpu()
        print(f"\nWhole purchases: {sum(bought) / spent:.0f} tickets/s, {len(bought) / spent:.0f}")
        print(f"purchases/s ({buyers} buyers at once; failed: {dict(failed) or 'none'})")
        print(figures.table(WHOLE if bought else None))
        print("\nProcessor time of one purchase, ms, by process")
        each = {name: (after[name] - before[name]) / max(1, len(bought)) for name in after}
        for name, value in {**each, "all": sum(each.values())}.items():
            print(f"  {name:<18}{value * 1e3:>8.2f}")
        busy = sum(each.values()) * len(bought) / spent / (os.cpu_count() or 1)
        print(f"  (the processors were busy with it for {busy:.0%} of the time)")
        self.results["tickets/s"] = sum(bought) / spent
        self.results["CPU ms of a purchase"] = sum(each.values()) * 1e3
        # Last, for the orders that nobody pays keep the worker asking.
        self.results["seconds to expire holds"] = await salesbench.let_expire(self.stand, holds)
        lost, orders = await salesbench.best_seats(self.stand, buyers)
        self.results["best seats, lost"], self.results["orders/s"] = lost, orders
        # After all others: it takes their sales away.
        self.results["seconds to reset"] = await reset_stadium(self.stand)

    def _cpu(self) -> dict[str, float]:
        names = ("sales", "worker", "relay", "ticker", "toleubar", "redis", "postgres")
        spent = {name: cpu_seconds(self.stand.pids(name)) for name in names}
        return spent | {"load generator": time.process_time()}


@contextlib.contextmanager
def peers(port: int, redis_url: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtest.peers", str(port), redis_url], cwd=ROOT
    )
    try:
        for _ in range(100):
            if is_answering(port, "/bare"):
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _at(options: argparse.Namespace) -> dict[str, Any]:
    """What can be asked of an installation that isn't ours, and changes nothing there."""
    return uvloop.run(search(options.at, options.seconds))


def _standing(options: argparse.Namespace) -> dict[str, Any]:
    only = options.only
    with standing(WIDE_OPEN) as stand:
        bench = Bench(stand, seconds=options.seconds)
        with peers(stand.port + 9, stand.env["REDIS_ROOMS_URL"]) as peer_pid:
            beside = (stand, stand.port + 9, peer_pid)
            turns = {"seconds": options.seconds, "rounds": options.rounds}
            if only in (None, "room", *CALLS):
                calls = [only] if only in CALLS else CALLS
                bench.results |= uvloop.run(RoomBench(*beside, **turns).run(calls))
            if only in (None, "api"):
                bench.results |= uvloop.run(ApiBench(*beside, **turns).run(options.buyers))
            if only == "search":
                bench.results |= uvloop.run(search(stand.port, options.seconds))
        if only in (None, "sales"):
            uvloop.run(bench.sales(options.buyers, options.holds))
        return bench.results


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement")
    parser.add_argument("--buyers", type=int, default=40, help="purchases under way at once")
    parser.add_argument("--rounds", type=int, default=3, help="of the room's measurements, in turn")
    parser.add_argument("--holds", type=int, default=10_000, help="holds to let expire together")
    parser.add_argument("--only", choices=PARTS, help="one part, or one call")
    parser.add_argument(
        "--at", type=int, metavar="PORT", help="searches at the installation that runs there"
    )
    parser.add_argument("--json", type=Path, help="write the ratios there")
    options = parser.parse_args(arguments)
    if options.at and options.only != "search":
        parser.error("--at goes with --only search")
    results = _at(options) if options.at else _standing(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
