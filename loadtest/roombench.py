"""The room's hot calls against a bare server, the room as one would first write it, the sorted set
of the tutorials, and Redis itself.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis

from loadtest import roomcalls
from loadtest.apart import apart
from loadtest.blast import Blast, blast, get, message
from loadtest.stand import Stand

CONNECTIONS = 64
# Everybody at once: what a room is for.
CROWD = 256
PIPELINE = 16
EVENT = 1
CALLS = ("status", "join", "heartbeat", "claim")
# The peer's room with the answers of ours.
SAME = "/same"
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
RATIOS = {
    "status ÷ bare": ("room status", "bare ASGI answer"),
    "join ÷ naive": ("room join", "naive join"),
    "join ÷ naive, same answer": ("room join", "same join"),
    "join ÷ naive, a crowd": ("room join, crowd", "naive join, crowd"),
    "join ÷ naive, same answer, a crowd": ("room join, crowd", "same join, crowd"),
    "join ÷ sorted set": ("room join", "sorted set join"),
    "heartbeat ÷ naive": ("room heartbeat", "naive heartbeat"),
    "heartbeat ÷ naive, same answer": ("room heartbeat", "same heartbeat"),
    "claim ÷ naive": ("room claim", "naive claim"),
    "claim ÷ naive, same answer": ("room claim", "same claim"),
}
Measure = Callable[[], Awaitable[Blast]]
Requests = Callable[[], bytes | None]


class RoomBench:
    def __init__(
        self, stand: Stand, peer_port: int, peer_pid: int, *, seconds: float, rounds: int
    ) -> None:
        self.stand, self.peer_port, self.peer_pid = stand, peer_port, peer_pid
        self.seconds, self.rounds = seconds, rounds
        self.room_port = stand.port + 1
        self.room_pids = stand.pids("run", "waitingroom")
        self.results: dict[str, float] = {}

    async def run(self, calls: Sequence[str]) -> dict[str, float]:
        """These hot calls; the rounds of all of them in turn, and of each the middle one."""
        tokens = await roomcalls.entries(self.room_port, EVENT, BEATERS)
        theirs = await roomcalls.entries(self.peer_port, EVENT, CLAIMERS, at=SAME)
        found: dict[str, list[Blast]] = {}
        for _ in range(self.rounds):
            for name, measure in self._measures(calls, tokens, theirs).items():
                found.setdefault(name, []).append(await measure())
        rows = {
            name: sorted(blasts, key=lambda one: one.rate)[len(blasts) // 2]
            for name, blasts in found.items()
        }
        if "claim" in calls:
            rows |= await self._all_claims(tokens[:CLAIMERS], theirs)
        self._table(rows, await self._raw_script())
        if "status" in calls:
            await self._polls(rows)
        for name, (ours, their) in RATIOS.items():
            if ours in rows and their in rows:
                self.results[f"{name}, rate"] = rows[ours].rate / rows[their].rate
                self.results[f"{name}, CPU"] = rows[ours].cpu_us / rows[their].cpu_us
        for name, value in self.results.items():
            print(f"{name:<36}{value:>8.2f}")
        return self.results

    def _measures(
        self, calls: Sequence[str], tokens: list[str], theirs: list[str]
    ) -> dict[str, Measure]:
        measures: dict[str, dict[str, Measure]] = {
            "status": {
                "framework route": lambda: self._peer(lambda: get("/route")),
                "room status": lambda: self._room(lambda: get(f"/rooms/{EVENT}/status")),
            },
            "join": {
                "naive join": lambda: self._peer(lambda: message("POST", "/join")),
                "same join": lambda: self._peer(roomcalls.joins(EVENT, at=SAME)),
                "room join": lambda: self._room(roomcalls.joins(EVENT)),
                "naive join, crowd": lambda: self._peer(lambda: message("POST", "/join"), CROWD),
                "same join, crowd": lambda: self._peer(roomcalls.joins(EVENT, at=SAME), CROWD),
                "room join, crowd": lambda: self._room(roomcalls.joins(EVENT), CROWD),
                "sorted set join": lambda: self._peer(lambda: message("POST", "/naive/zjoin")),
                "sorted set place": lambda: self._peer(lambda: get("/zplace")),
            },
            "heartbeat": {
                "naive heartbeat": lambda: self._peer(lambda: message("POST", "/naive/heartbeat")),
                "same heartbeat": lambda: self._peer(roomcalls.beats(EVENT, theirs, at=SAME)),
                "room heartbeat": lambda: self._room(roomcalls.beats(EVENT, tokens)),
            },
            "claim": {},
        }
        bare: dict[str, Measure] = {"bare ASGI answer": lambda: self._peer(lambda: get("/bare"))}
        return bare | {k: v for call in calls for k, v in measures[call].items()}

    async def _all_claims(self, tokens: list[str], theirs: list[str]) -> dict[str, Blast]:
        """Once each: a second claim would only get the same pass."""
        naive = await self._peer(lambda: message("POST", "/naive/claim"))
        same = await self._once(self.peer_port, roomcalls.claims(EVENT, theirs, at=SAME))
        await asyncio.sleep(roomcalls.CALLED_AFTER_S)
        ours = await self._once(self.room_port, roomcalls.claims(EVENT, tokens))
        return {"naive claim": naive, "same claim": same, "room claim": ours}

    async def _once(self, port: int, requests: Requests) -> Blast:
        return await blast(
            port,
            requests,
            seconds=10 * self.seconds,
            connections=CONNECTIONS,
            pids=self._pids(port),
        )

    async def _polls(self, rows: dict[str, Blast]) -> None:
        """What a poll asks of Redis, and how long it takes at 70 % of what came through at most;
        beside it the bare server's at its 70 %. Generator and server keep to processors of their
        own, for at such a pace they fill two. Of each the middle round.
        """
        url = self.stand.env["REDIS_ROOMS_URL"]
        start = await roomcalls.calls_of(url)
        await asyncio.sleep(self.seconds)
        before = await roomcalls.calls_of(url)
        easy = await self._at_ease(self.room_port, f"/rooms/{EVENT}/status", rows["room status"])
        asked = await roomcalls.calls_of(url) - before - (before - start) * self.rounds
        self.results["Redis commands of one poll"] = max(0, asked) / (easy.answered * self.rounds)
        self.results["polls at 70 %, p99 ÷ p50"] = _tail(easy)
        bare = await self._at_ease(self.peer_port, "/bare", rows["bare ASGI answer"])
        self.results["bare at 70 %, p99 ÷ p50"] = _tail(bare)
        for name, row in (("Polls", easy), ("Bare answers", bare)):
            print(f"{name} at {row.rate:.0f}/s: p50 {row.ms(0.5):.2f} ms, ", end="")
            print(f"p99 {row.ms(0.99):.2f} ms, server CPU {row.cpu_us:.1f} µs")

    async def _at_ease(self, port: int, path: str, full: Blast) -> Blast:
        pids = self._pids(port)
        with apart(pids):
            blasts = [
                await blast(
                    port,
                    lambda: get(path),
                    seconds=self.seconds,
                    connections=CONNECTIONS,
                    pids=pids,
                    per_second=EASY_SHARE * full.rate,
                )
                for _ in range(self.rounds)
            ]
        return sorted(blasts, key=_tail)[len(blasts) // 2]

    def _table(self, rows: dict[str, Blast], raw: float) -> None:
        bare, naive = rows["bare ASGI answer"], rows.get("naive join")
        print(f"\nRoom ({CONNECTIONS} connections, a crowd {CROWD}; ", end="")
        print(f"{self.rounds} times {self.seconds:g} s each)")
        print(f"{'':<20}{'/s':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'CPU µs':>9}", end="")
        print(f"{'÷ bare':>9}{'÷ naive':>9}{'÷ EVALSHA':>11}")
        for name, row in rows.items():
            wrong = {code: n for code, n in row.statuses.items() if code not in (200, 201, 204)}
            cells = f"{row.rate:>9.0f}{row.ms(0.5):>9.2f}{row.ms(0.95):>8.2f}{row.ms(0.99):>8.2f}"
            beside = row.rate / naive.rate if naive else 0.0
            ratios = f"{row.rate / bare.rate:>9.2f}{beside:>9.2f}{row.rate / raw:>11.2f}"
            refused = f"  REFUSED {wrong}" if wrong else ""
            print(f"{name:<20}{cells}{row.cpu_us:>9.1f}{ratios}{refused}")
        print(f"{'raw EVALSHA × 16':<20}{raw:>9.0f}   (redis-py, four commands a script)")
        print(
            "naive: an ordinary route, one script. same: so too, with the answers that ours gives"
        )

    async def _peer(self, requests: Requests, many: int = CONNECTIONS) -> Blast:
        return await self._blast(self.peer_port, requests, many)

    async def _room(self, requests: Requests, many: int = CONNECTIONS) -> Blast:
        return await self._blast(self.room_port, requests, many)

    async def _blast(self, port: int, requests: Requests, many: int) -> Blast:
        pids = self._pids(port)
        # A short one first: connections, caches and the interpreter get warm.
        await blast(port, requests, seconds=0.5, connections=many, pids=pids)
        return await blast(port, requests, seconds=self.seconds, connections=many, pids=pids)

    def _pids(self, port: int) -> list[int]:
        return self.room_pids if port == self.room_port else [self.peer_pid]

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


def _tail(row: Blast) -> float:
    return row.ms(0.99) / row.ms(0.5)
