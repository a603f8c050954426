"""`python -m loadtest.logins`: a sale's first minutes, when imported people show their passwords
for the first time, so many in so many minutes.

An installation of its own with more imported users than come: no login was ever judged, and each is
shown once, by HTTP Basic with the contract's cheapest call. It ends by itself and leaves nothing.
"""

import argparse
import csv
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import asyncpg
import uvloop

from loadtest.apicalls import first_calls
from loadtest.blast import Blast, blast
from loadtest.stand import ROOT, Stand, standing

COUNT_MAX, MINUTES_MAX = 200_000, 60.0
CONNECTIONS = 64
# A fifth of the users of a file are inactive; a few more, for chance.
USERS_EACH = 1.3
TARGET_S = 1.0
# What came late may be answered late; then it is over.
GRACE_S = 30.0
IMPORT_TIMEOUT_S = 600
OK = 200
HASHES = """
SELECT count(*) FILTER (WHERE password_hash LIKE 'hmac-sha256$%') AS keyed,
       count(*) FILTER (WHERE password_hash LIKE '$argon2id$%') AS argon2id,
       count(*) AS every
FROM account WHERE id <= $1
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtest.logins", description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, help="people who come")
    parser.add_argument("--minutes", type=float, default=10.0, help="in which they come, evenly")
    parser.add_argument("--seed", type=int, default=1, help="of the made-up users")
    options = parser.parse_args(arguments)
    if not 1 <= options.count <= COUNT_MAX or not 0 < options.minutes <= MINUTES_MAX:
        parser.error(f"at most {COUNT_MAX} people in {MINUTES_MAX:g} minutes")
    with standing({"BILETTER_LOG_LEVEL": "warning"}) as stand:
        people = arrive(stand, options.count, options.seed)
        seconds = 60 * options.minutes
        print(f"{len(people)} people come, {len(people) / seconds:.0f} a second", flush=True)
        row, hashes = uvloop.run(_come(stand, people, seconds))
    return tell(row, hashes)


def arrive(stand: Stand, count: int, seed: int) -> list[tuple[str, str]]:
    """Users are made up and imported; e-mail and password of `count` active ones."""
    path = stand.data.parent / "users.csv"
    made = ["generate", "users", "--count", str(int(USERS_EACH * count) + 100)]
    for words in ([*made, "--seed", str(seed), "--out", str(path)], ["import", "users", str(path)]):
        environment = os.environ | {"BILETTER_DATA": str(stand.data)} | stand.env
        environment["BILETTER_PORT"] = str(stand.port)
        command = [sys.executable, "-m", "biletter", *words]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=IMPORT_TIMEOUT_S)
    return active_in(path, count)


def active_in(path: Path, count: int) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = (row for row in csv.DictReader(file) if row["is_active"] == "true")
        return [(row["email"], row["password_plain"]) for row in islice(rows, count)]


async def _come(
    stand: Stand, people: list[tuple[str, str]], seconds: float
) -> tuple[Blast, "asyncpg.Record"]:
    row = await blast(
        stand.port,
        first_calls(people),
        seconds=seconds + GRACE_S,
        connections=CONNECTIONS,
        pids=stand.pids("run", "sales"),
        per_second=len(people) / seconds,
    )
    conn = await asyncpg.connect(stand.env["DATABASE_URL"])
    try:
        hashes = await conn.fetchrow(HASHES, int(USERS_EACH * len(people)) + 100)
    finally:
        await conn.close()
    assert hashes is not None
    return row, hashes


def tell(row: Blast, hashes: "asyncpg.Record") -> int:
    """Status 1 when one was refused, or the slowest twentieth waited too long."""
    print(f"{'first logins':<16}{'/s':>8}{'p50 ms':>9}{'p95':>9}{'p99':>9}{'slowest':>9}", end="")
    print(f"{'sales CPU ms':>14}{'of a core':>11}")
    cells = "".join(f"{row.ms(share):>9.1f}" for share in (0.5, 0.95, 0.99, 1.0))
    print(f"{row.answered:<16}{row.rate:>8.1f}{cells}{row.cpu_us / 1e3:>14.2f}", end="")
    print(f"{row.server_cpu_s / row.seconds:>11.1%}")
    refused = {status: count for status, count in row.statuses.items() if status != OK}
    print(f"refused: {refused or 'nobody'}; to be below {TARGET_S:g} s at p95")
    print("stored hashes: " + ", ".join(f"{name} {value}" for name, value in hashes.items()))
    return 1 if refused or row.ms(0.95) >= 1e3 * TARGET_S else 0


if __name__ == "__main__":
    sys.exit(main())
