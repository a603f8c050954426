"""`script/bench`: what the hot paths cost, as ratios measured in one run on one machine.

Starts the product and its peers by itself, loads them over loopback, stops everything. Absolute
figures depend on the machine and on what else runs there; the ratios are what to compare. The
load generator shares the processors with what it loads, so beside each rate stands the server's
own processor time for one request: no generator can flatter that.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import uvloop
from redis.asyncio import Redis

from loadtest import roombench, salesbench
from loadtest.blast import Blast, blast, cpu_seconds, get, message
from loadtest.figures import Figures
from loadtest.purchases import hold_seats, purchase_for
from loadtest.stand import ROOT, Stand, is_answering, standing

WIDE_OPEN = {"BILETTER_ROOM_MODE": "on", "BILETTER_ROOM_RATE": "1000000"}
WIDE_OPEN |= {"BILETTER_ROOM_CEILING": "1000000", "BILETTER_LOG_LEVEL": "warning"}
CONNECTIONS = 64
PIPELINE = 16
EVENT = 1
CALLS = ("status", "join", "heartbeat", "claim")
# How many beat in turn, each as seldom as a person's page does; how many of them claim, once each;
# and the part of its best rate at which polls are timed.
BEATERS = 20_000
CLAIMERS = 2_000
EASY_SHARE = 0.7
RAW_SCRIPT = """
local a = redis.call('HGET', KEYS[2], ARGV[1])
local n = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], n)
redis.call('EXPIRE', KEYS[2], 600)
return {n, a}
"""


class Bench:
    def __init__(
        self, stand: Stand, peer_port: int, peer_pid: int, *, seconds: float, rounds: int
    ) -> None:
        self.stand, self.peer_port, self.peer_pid = stand, peer_port, peer_pid
        self.seconds, self.rounds = seconds, rounds
        self.room_port = stand.port + 1
        self.room_pids = stand.pids("run", "waitingroom")
        self.results: dict[str, Any] = {}

    async def room(self, calls: Sequence[str]) -> None:
        """These hot calls against the bare server, the naive room, the sorted set, and Redis; the
        rounds of all of them in turn, and of each the middle one.
        """
        tokens = await roombench.entries(self.room_port, EVENT, BEATERS)
        found: dict[str, list[Blast]] = {}
        for _ in range(self.rounds):
            for name, measure in self._measures(calls, tokens).items():
                found.setdefault(name, []).append(await measure())
        rows = {
            name: sorted(blasts, key=lambda one: one.rate)[len(blasts) // 2]
            for name, blasts in found.items()
        }
        if "claim" in calls:
            rows["naive claim"] = await self._peer(lambda: message("POST", "/naive/claim"))
            rows["room claim"] = await self._claims(tokens[:CLAIMERS])
        raw = await self._raw_script()
        bare, naive = rows["bare ASGI answer"], rows.get("naive join")
        print(f"\nRoom ({CONNECTIONS} connections, {self.rounds} times {self.seconds:g} s each)")
        print(f"{'':<20}{'/s':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'CPU µs':>9}", end="")
        print(f"{'÷ bare':>9}{'÷ naive':>9}{'÷ EVALSHA':>11}")
        for name, row in rows.items():
            self._row(name, row, bare, naive, raw)
        print(f"{'raw EVALSHA × 16':<20}{raw:>9.0f}   (redis-py, four commands a script)")
        if "status" in calls:
            await self._polls(rows["room status"])
        self._ratios(rows)

    def _measures(
        self, calls: Sequence[str], tokens: list[str]
    ) -> dict[str, Callable[[], Awaitable[Blast]]]:
        measures: dict[str, dict[str, Callable[[], Awaitable[Blast]]]] = {
            "status": {
                "framework route": lambda: self._peer(lambda: get("/route")),
                "room status": lambda: self._room(lambda: get(f"/rooms/{EVENT}/status")),
            },
            "join": {
                "naive join": lambda: self._peer(lambda: message("POST", "/join")),
                "room join": lambda: self._room(roombench.joins(EVENT)),
                "sorted set join": lambda: self._peer(lambda: message("POST", "/naive/zjoin")),
                "sorted set place": lambda: self._peer(lambda: get("/zplace")),
            },
            "heartbeat": {
                "naive heartbeat": lambda: self._peer(lambda: message("POST", "/naive/heartbeat")),
                "room heartbeat": lambda: self._room(roombench.beats(EVENT, tokens)),
            },
            "claim": {},
        }
        bare = {"bare ASGI answer": lambda: self._peer(lambda: get("/bare"))}
        return bare | {k: v for call in calls for k, v in measures[call].items()}

    def _ratios(self, rows: dict[str, Blast]) -> None:
        ratios = {
            "status ÷ bare": ("room status", "bare ASGI answer"),
            "join ÷ naive": ("room join", "naive join"),
            "join ÷ sorted set": ("room join", "sorted set join"),
            "heartbeat ÷ naive": ("room heartbeat", "naive heartbeat"),
            "claim ÷ naive": ("room claim", "naive claim"),
        }
        for name, (ours, theirs) in ratios.items():
            if ours in rows and theirs in rows:
                self.results[f"{name}, rate"] = rows[ours].rate / rows[theirs].rate
                self.results[f"{name}, CPU"] = rows[ours].cpu_us / rows[theirs].cpu_us
        for name, value in self.results.items():
            print(f"{name:<28}{value:>8.2f}")

    async def _claims(self, tokens: list[str]) -> Blast:
        """Once each: a second claim would only get the same pass."""
        await asyncio.sleep(roombench.CALLED_AFTER_S)
        return await blast(
            self.room_port,
            roombench.claims(EVENT, tokens),
            seconds=10 * self.seconds,
            connections=CONNECTIONS,
            pids=self.room_pids,
        )

    async def _polls(self, full: Blast) -> None:
        """What a poll asks of Redis, and how long it takes at 70 % of what the server can do."""
        url = self.stand.env["REDIS_ROOMS_URL"]
        start = await roombench.calls_of(url)
        await asyncio.sleep(self.seconds)
        idle = await roombench.calls_of(url)
        easy = await blast(
            self.room_port,
            lambda: get(f"/rooms/{EVENT}/status"),
            seconds=self.seconds,
            connections=CONNECTIONS,
            pids=self.room_pids,
            per_second=EASY_SHARE * full.rate,
        )
        busy = await roombench.calls_of(url)
        each = max(0.0, (busy - idle) - (idle - start)) / max(1, easy.answered)
        tail = easy.ms(0.99) / easy.ms(0.5)
        print(
            f"\nPolls at {EASY_SHARE:.0%} of {full.rate:.0f}/s: p50 {easy.ms(0.5):.2f} ms,", end=""
        )
        print(f" p99 {easy.ms(0.99):.2f} ms ({tail:.1f} x p50)")
        print(f"Redis commands: {idle - start} idle, {busy - idle} with {easy.answered} polls")
        self.results["Redis commands of one poll"] = each
        self.results["polls, p99 ÷ p50"] = tail

    def _row(self, name: str, row: Blast, bare: Blast, naive: Blast | None, raw: float) -> None:
        wrong = {status: n for status, n in row.statuses.items() if status not in (200, 201, 204)}
        cells = f"{row.rate:>9.0f}{row.ms(0.5):>9.2f}{row.ms(0.95):>8.2f}{row.ms(0.99):>8.2f}"
        beside = row.rate / naive.rate if naive else 0.0
        ratios = f"{row.rate / bare.rate:>9.2f}{beside:>9.2f}{row.rate / raw:>11.2f}"
        print(
            f"{name:<20}{cells}{row.cpu_us:>9.1f}{ratios}" + (f"  REFUSED {wrong}" if wrong else "")
        )

    async def sales(self, buyers: int, holds: int) -> None:
        """Holds and their ends, then whole purchases through the gateway stand-in."""
        figures = Figures()
        held, spent = await hold_seats(self.stand, figures, buyers, self.seconds)
        print(f"\nHolds: {held / spent:.0f}/s ({buyers} buyers at once)\n{figures.table()}")
        figures = Figures()
        before, started = self._cpu(), time.perf_counter()
        bought, failed = await purchase_for(
            self.stand, figures, buyers, 2 * self.seconds, Random(1)
        )
        spent = time.perf_counter() - started
        print(f"\nWhole purchases: {sum(bought) / spent:.0f} tickets/s, {len(bought) / spent:.0f}")
        print(f"purchases/s ({buyers} buyers at once; failed: {dict(failed) or 'none'})")
        print(figures.table())
        after = self._cpu()
        print("\nProcessor time of one purchase, ms, by process")
        for name, value in after.items():
            print(f"  {name:<18}{(value - before[name]) / max(1, len(bought)) * 1e3:>8.2f}")
        self.results["tickets/s"] = sum(bought) / spent
        # Last, for the orders that nobody pays keep the worker asking.
        self.results["seconds to expire holds"] = await salesbench.let_expire(self.stand, holds)
        lost, orders = await salesbench.best_seats(self.stand, buyers)
        self.results["best seats, lost"], self.results["orders/s"] = lost, orders

    def _cpu(self) -> dict[str, float]:
        names = ("sales", "worker", "relay", "ticker", "toleubar", "redis", "postgres")
        return {name: cpu_seconds(self.stand.pids(name)) for name in names}

    async def _peer(self, requests: Callable[[], bytes | None]) -> Blast:
        return await self._blast(self.peer_port, requests, [self.peer_pid])

    async def _room(self, requests: Callable[[], bytes | None]) -> Blast:
        return await self._blast(self.room_port, requests, self.room_pids)

    async def _blast(
        self, port: int, requests: Callable[[], bytes | None], pids: list[int]
    ) -> Blast:
        # A short one first: connections, caches and the interpreter get warm.
        await blast(port, requests, seconds=0.5, connections=CONNECTIONS, pids=pids)
        return await blast(port, requests, seconds=self.seconds, connections=CONNECTIONS, pids=pids)

    async def _raw_script(self) -> float:
        redis: Any = Redis.from_url(self.stand.env["REDIS_ROOMS_URL"])
        sha = await redis.script_load(RAW_SCRIPT)
        done, stop_at, started = 0, time.perf_counter() + self.seconds, time.perf_counter()
        while time.perf_counter() < stop_at:
            pipe = redis.pipeline(transaction=False)
            for _ in range(PIPELINE):
                name = secrets.token_hex(8)
                pipe.execute_command("EVALSHA", sha, 2, "{raw}:n", "{raw}:h" + name[0], name)
            await pipe.execute()
            done += PIPELINE
        spent = time.perf_counter() - started
        await redis.delete("{raw}:n", *("{raw}:h" + char for char in "0123456789abcdef"))
        await redis.aclose()
        return done / spent


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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement")
    parser.add_argument("--buyers", type=int, default=40, help="purchases under way at once")
    parser.add_argument("--rounds", type=int, default=3, help="of the room's measurements, in turn")
    parser.add_argument("--holds", type=int, default=10_000, help="holds to let expire together")
    parser.add_argument("--only", choices=["room", "sales", *CALLS], help="one half, or one call")
    parser.add_argument("--json", type=Path, help="write the ratios there")
    options = parser.parse_args(arguments)
    with standing(WIDE_OPEN) as stand:
        with peers(stand.port + 9, stand.env["REDIS_ROOMS_URL"]) as peer_pid:
            bench = Bench(
                stand, stand.port + 9, peer_pid, seconds=options.seconds, rounds=options.rounds
            )
            if options.only != "sales":
                calls = [options.only] if options.only in CALLS else CALLS
                uvloop.run(bench.room(calls))
        if options.only in (None, "sales"):
            uvloop.run(bench.sales(options.buyers, options.holds))
    if options.json:
        options.json.write_text(json.dumps(bench.results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
