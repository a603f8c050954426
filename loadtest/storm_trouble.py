"""What befalls an installation in the storm besides the gateway's faults: `kill -9` at random, and
events that their organiser cancels in the middle of the sale.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from loadtest.stand import ROOT, Stand

# How a victim is told by its command line. Only processes of the stand are ever looked at.
VICTIMS: Final = {
    "sales": ("biletter", "run", "sales"),
    "waitingroom": ("biletter", "run", "waitingroom"),
    "worker": ("biletter", "run", "worker"),
    "relay": ("biletter", "run", "relay"),
    "ticker": ("biletter", "run", "ticker"),
    "admin": ("biletter", "run", "admin"),
    "the gateway's stand-in": ("biletter", "run", "toleubar"),
    "the partner's stand-in": ("biletter", "run", "provider"),
    "the shop's Redis": ("redis-server", "redis-shop"),
    "the rooms' Redis": ("redis-server", "redis-rooms"),
    "PostgreSQL": ("bin/postgres", "-D"),
}
CANCEL_TIMEOUT_S: Final = 40.0
CANCEL_TRIES: Final = 3
LOOK_S: Final = 0.3
PROGRESS_EVERY_S: Final = 15.0


async def kill_at_random(
    stand: Stand, chance: Random, every_s: tuple[float, float], tally: Counter[str]
) -> None:
    """Until cancelled. Everybody has his turn before anybody has the next."""
    line: list[str] = []
    while True:
        await asyncio.sleep(chance.uniform(*every_s))
        line = line or chance.sample(sorted(VICTIMS), len(VICTIMS))
        name = line.pop()
        for pid in stand.pids(*VICTIMS[name]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                tally[f"kill -9: {name}"] += 1


async def cancel_events(
    stand: Stand, on_sale: list[int], count: int, share: Callable[[], float], tally: Counter[str]
) -> None:
    """So many of the events on sale are cancelled, by the organiser's command, evenly spread over
    the sale; `share`: how much of it is over.
    """
    for turn in range(count):
        while share() < (turn + 1) / (count + 1):  # noqa: ASYNC110  # a look at a clock, too
            await asyncio.sleep(LOOK_S)
        event = on_sale.pop()
        for _ in range(CANCEL_TRIES):
            if await _cancel(stand, event):
                tally["events cancelled in the middle"] += 1
                break
            tally["cancelling an event: tried again"] += 1


async def _cancel(stand: Stand, event: int) -> bool:
    """Whether it was done: a store may be away."""
    words = ["biletter", "event", "cancel", str(event), "--yes"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *words,
        cwd=ROOT,
        env={**os.environ, "BILETTER_DATA": str(stand.data), "BILETTER_PORT": str(stand.port)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CANCEL_TIMEOUT_S):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def tell_progress(tally: Counter[str], purchases: int) -> None:
    """Until cancelled: a line now and then."""
    started = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_EVERY_S)
        told = {
            "ended": count_of(tally, "purchases: "),
            "paid": count_of(tally, "purchases: paid"),
            "kill -9": count_of(tally, "kill -9: "),
        }
        line = ", ".join(f"{count} {name}" for name, count in told.items())
        print(f"{time.monotonic() - started:>5.0f} s  of {purchases}: {line}", flush=True)


def count_of(tally: Counter[str], begin: str) -> int:
    return sum(count for name, count in tally.items() if name.startswith(begin))
