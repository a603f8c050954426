"""What visitors do all the time, as requests: joins, heartbeats and claims on entries of their own;
and what a poll asks of Redis.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any

import msgspec
from redis.asyncio import Redis

from loadtest.blast import blast, message

JOINERS = 16
CALLED_AFTER_S = 3.0
LONG_S = 60.0
DEVICE_BYTES = 16


def joins(event: int, count: int | None = None, *, at: str = "") -> Callable[[], bytes | None]:
    """Every join is another device's; so many of them. `at`: of another room than ours."""
    path = f"{at or f'/rooms/{event}'}/entries"
    begin = message("POST", path, {"Cookie": "biletter_device=DEVICE"})
    head, tail = begin.split(b"DEVICE")
    # Random enough for a device, and cheap: the generator shares the machine with the server.
    start = secrets.randbits(8 * DEVICE_BYTES - 1)
    numbers = iter(range(start, start + (count or 1 << 62)))

    def one() -> bytes | None:
        number = next(numbers, None)
        if number is None:
            return None
        device = urlsafe_b64encode(number.to_bytes(DEVICE_BYTES, "little"))
        return head + device[:-2] + tail

    return one


async def entries(port: int, event: int, count: int, *, at: str = "") -> list[str]:
    """So many visitors' entries, each of another device."""
    bodies: list[bytes] = []
    many = joins(event, count, at=at)
    joined = await blast(port, many, seconds=LONG_S, connections=JOINERS, pids=[], bodies=bodies)
    if set(joined.statuses) != {201}:
        raise RuntimeError(f"joins were answered with {joined.statuses}")
    return [msgspec.json.decode(body)["entry"] for body in bodies]


def beats(event: int, tokens: Iterable[str], *, at: str = "") -> Callable[[], bytes]:
    """One after another's heartbeat, round and round. There should be so many of them that each
    beats as seldom as people do: what was heard within the minute costs less.
    """
    return _of(f"{at or f'/rooms/{event}'}/heartbeats", cycle(list(tokens)))


def claims(event: int, tokens: Iterable[str], *, at: str = "") -> Callable[[], bytes | None]:
    """Everybody's claim, once."""
    waiting = iter(list(tokens))
    call = f"{at or f'/rooms/{event}'}/claims"

    def one() -> bytes | None:
        token = next(waiting, None)
        return None if token is None else _signed(call, token)

    return one


def _of(path: str, tokens: Any) -> Callable[[], bytes]:
    return lambda: _signed(path, next(tokens))


def _signed(path: str, token: str) -> bytes:
    return message("POST", path, {"Authorization": f"Entry {token}"})


async def calls_of(redis_url: str) -> int:
    """Commands Redis has run so far, by INFO commandstats; those inside a script count too."""
    redis: Any = Redis.from_url(redis_url)
    try:
        stats = await redis.info("commandstats")
        return sum(int(one["calls"]) for one in stats.values())
    finally:
        await redis.aclose()
