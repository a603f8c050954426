"""The contract's twelve searches, asked of the database each time, one after another and some at
once: how long each takes at an installation as large as it is.
"""

from urllib.parse import parse_qs, urlsplit

import msgspec

from loadtest import apicalls
from loadtest.blast import Blast, blast

TOGETHER = 4
TARGET_MS = 50.0
OK = 200


async def search(port: int, seconds: float) -> dict[str, float]:
    """Each query alone for so many seconds, then all in turn by TOGETHER at once."""
    print("\nSearches that no memory answers, one at a time")
    print(f"{'phrase':<32}{'day':<12}{'found':>6}{'times':>7}", end="")
    print(f"{'p50 ms':>9}{'p95':>8}{'p99':>8}")
    alone: list[float] = []
    for path in apicalls.addresses():
        bodies: list[bytes] = []
        await _ask(port, [path], seconds / 4, bodies=bodies)
        row = await _ask(port, [path], seconds)
        alone += row.latencies
        asked = {name: text[0] for name, text in parse_qs(urlsplit(path).query).items()}
        print(f"{asked['query']:<32}{asked.get('date', ''):<12}{_count(bodies[0]):>6}", end="")
        print(f"{row.answered:>7}{row.ms(0.5):>9.1f}{row.ms(0.95):>8.1f}{row.ms(0.99):>8.1f}")
    whole = Blast(len(alone), seconds, 0.0, {OK: len(alone)}, sorted(alone))
    crowd = await _ask(port, apicalls.addresses(), 4 * seconds, connections=TOGETHER)
    for name, row in (("all, one at a time", whole), (f"all, {TOGETHER} at once", crowd)):
        print(f"{name:<50}{row.answered:>7}{row.ms(0.5):>9.1f}", end="")
        print(f"{row.ms(0.95):>8.1f}{row.ms(0.99):>8.1f}")
    print(f"(to be below {TARGET_MS:g} ms at p95)")
    return {
        "search, p95 ms, one at a time": whole.ms(0.95),
        f"search, p95 ms, {TOGETHER} at once": crowd.ms(0.95),
    }


async def _ask(
    port: int,
    paths: list[str],
    seconds: float,
    *,
    connections: int = 1,
    bodies: list[bytes] | None = None,
) -> Blast:
    row = await blast(
        port,
        apicalls.never_twice(paths),
        seconds=seconds,
        connections=connections,
        pids=[],
        bodies=bodies,
    )
    if set(row.statuses) != {OK}:
        raise RuntimeError(f"searches were answered with {row.statuses}")
    return row


def _count(body: bytes) -> int:
    told = msgspec.json.decode(body)
    return len(told["events"] if isinstance(told, dict) else told)
