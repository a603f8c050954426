"""A million waiters in one Redis: what each costs in memory, beside the tutorial's sorted set.

They join through the room's own command, straight on Redis; the status is then read as a process
of the waiting room reads it, and places are told from its memory.
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis

import waitingroom
from kernel.clock import SystemClock
from kernel.keyring import Keyring
from kernel.subjects import SUBJECT_BYTES
from waitingroom import keys
from waitingroom.entries import Entry
from waitingroom.joins import JOINS_MAX, keys_of
from waitingroom.pace import eta_of
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings
from waitingroom.signs import LIVE_TTL_S

EVENT = 1
PIPELINE = 1_000
PLACES = 100_000
JOIN = Path(waitingroom.__file__).parent / "lua" / "join.lua"
# The usual design: who waits is a member of a sorted set, the time of joining is the score.
SORTED_SET = "return redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])"

Calls = Callable[[int], Iterator[tuple[Any, ...]]]


class Crowd(msgspec.Struct, frozen=True):
    """`bytes_each` by INFO memory, before and after."""

    joins_per_s: float
    bytes_each: float


class Million(msgspec.Struct, frozen=True):
    version: str
    encoding: str
    ours: Crowd
    sorted_set: Crowd
    status: str
    places_per_s: float


async def wait_with(url: str, count: int) -> Million:
    """Empties the Redis at `url`, which is the caller's."""
    redis: Any = Redis.from_url(url)
    try:
        await redis.flushall()
        sorted_set = await _join(redis, SORTED_SET, count, _sorted_calls)
        await redis.flushall()
        with tempfile.TemporaryDirectory(prefix="biletter-million-") as folder:
            return await _ours(redis, Path(folder), count, sorted_set)
    finally:
        await redis.aclose()


async def _ours(redis: Any, folder: Path, count: int, sorted_set: Crowd) -> Million:
    clock = SystemClock()
    rooms = Rooms(redis, clock=clock, keyring=Keyring(folder))
    await rooms.open(EVENT, RoomSettings(state="paused"))
    generation = (await rooms.settings(EVENT)).generation

    def calls(sent: int) -> Iterator[tuple[Any, ...]]:
        now_ms = clock.ms()
        for first in range(sent, min(sent + PIPELINE, count), JOINS_MAX):
            size = min(JOINS_MAX, sent + PIPELINE - first, count - first)
            whos = [secrets.token_bytes(SUBJECT_BYTES) for _ in range(size)]
            names = keys_of(EVENT, generation, now_ms, whos)
            yield (len(names), *names, generation, now_ms, LIVE_TTL_S, 0, 0, *whos)

    ours = await _join(redis, JOIN.read_text("utf-8"), count, calls)
    await rooms.tick(EVENT, clock.ms())
    await rooms.reader.refresh()
    status = rooms.reader.status_bytes(EVENT)
    assert status is not None, "just read"
    bucket = keys.places_bucket(EVENT, generation, 0)
    return Million(
        version=(await redis.info("server"))["redis_version"],
        encoding=(await redis.object("encoding", bucket) or b"").decode(),
        ours=ours,
        sorted_set=sorted_set,
        status=status.decode(),
        places_per_s=await _places(rooms, generation, count),
    )


async def _places(rooms: Rooms, generation: int, count: int) -> float:
    """Places told a second, from memory."""
    started = time.perf_counter()
    for step in range(PLACES):
        entry = Entry(EVENT, generation, 1 + step * 7919 % count, "somebody", 0)
        place = await rooms.place(entry)
        assert place.ahead is not None
        assert place.ahead < count
    eta_of(rooms.snapshot(EVENT), count)
    return PLACES / (time.perf_counter() - started)


def _sorted_calls(sent: int) -> Iterator[tuple[Any, ...]]:
    for step in range(PIPELINE):
        yield 1, "queue", secrets.token_urlsafe(SUBJECT_BYTES), sent + step


async def _join(redis: Any, script: str, count: int, calls: Calls) -> Crowd:
    sha = await redis.script_load(script)
    before = (await redis.info("memory"))["used_memory"]
    started = time.perf_counter()
    for sent in range(0, count, PIPELINE):
        pipe = redis.pipeline(transaction=False)
        for call in calls(sent):
            pipe.execute_command("EVALSHA", sha, *call)
        await pipe.execute()
    spent = time.perf_counter() - started
    after = (await redis.info("memory"))["used_memory"]
    return Crowd(count / spent, (after - before) / count)
