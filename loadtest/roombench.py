"""What visitors do all the time, measured on entries of their own: heartbeats, claims, polls; and
what a poll asks of Redis.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any

from redis.asyncio import Redis

from loadtest.blast import message
from loadtest.wire import Wire

JOINERS = 16
CALLED_AFTER_S = 3.0


async def entries(base: str, event: int, count: int) -> list[str]:
    """So many visitors' entries, each of another device."""
    wire, tokens = Wire(base), list[str]()

    async def join() -> None:
        while len(tokens) < count:
            cookie = {"Cookie": f"biletter_device={secrets.token_urlsafe(16)}"}
            answer = await wire.request("POST", f"/rooms/{event}/entries", headers=cookie)
            if answer.status not in (200, 201):
                raise RuntimeError(f"a join was answered with {answer.status}: {answer.body!r}")
            tokens.append(answer.json()["entry"])

    await asyncio.gather(*(join() for _ in range(JOINERS)))
    await wire.close()
    return tokens


def beats(event: int, tokens: Iterable[str]) -> Callable[[], bytes]:
    """One after another's heartbeat, round and round."""
    return _of(f"/rooms/{event}/heartbeats", cycle(list(tokens)))


def claims(event: int, tokens: Iterable[str]) -> Callable[[], bytes | None]:
    """Everybody's claim, once."""
    waiting = iter(list(tokens))
    call = f"/rooms/{event}/claims"

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
