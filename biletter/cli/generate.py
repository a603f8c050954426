"""biletter generate KIND --count N --seed S"""

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from biletter.generate import events, tickets, users
from biletter.trouble import Trouble

KINDS = ("users", "events", "archive", "tickets")
COUNTS = {"users": 1_000_000, "events": 10_000, "archive": 6_000_000, "tickets": 1_000_000}
# Ids of the archive end below those of events made here.
COUNT_MAX = {"users": 9_000_000, "events": 99_999, "archive": 9_800_000, "tickets": 10**10}


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "generate",
        help="write a file of made-up data for import",
        description="Writes users (CSV), events or archive (JSON), or archived tickets (CSV);"
        " the same seed gives the same file, except that events start from today on.",
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--count", type=int, help=", ".join(f"{k} {n}" for k, n in COUNTS.items()))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, metavar="FILE", help="standard output if not given")


def run(args: argparse.Namespace) -> int:
    count = COUNTS[args.kind] if args.count is None else args.count
    if not 0 <= count <= COUNT_MAX[args.kind]:
        raise Trouble(f"--count must be between 0 and {COUNT_MAX[args.kind]}.")
    pieces = _pieces(args.kind, count, args.seed)
    if args.out is None:
        _write(sys.stdout.buffer, pieces)
        return 0
    try:
        with args.out.open("wb") as out:
            _write(out, pieces)
    except OSError as error:
        raise Trouble(f"{args.out} can't be written: {error.strerror}.") from error
    return 0


def _pieces(kind: str, count: int, seed: int) -> Iterable[bytes]:
    if kind == "users":
        return users.users(count, seed)
    if kind == "tickets":
        return tickets.tickets(count, seed)
    if kind == "archive":
        return events.as_json(events.archived(count, seed))
    return events.as_json(events.active(count, seed, datetime.now(UTC).date()))


def _write(out: BinaryIO, pieces: Iterable[bytes]) -> None:
    out.writelines(pieces)
    out.flush()
