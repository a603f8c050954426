"""biletter lottery"""

import argparse
import sys
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from biletter.trouble import Trouble
from waitingroom.lottery import Lottery, Published

FETCH_TIMEOUT_S = 10
# Published data is under a kilobyte.
PUBLISHED_MAX = 65_536
# About a minute of work; a byte a place of memory.
VERIFY_MAX = 20_000_000


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "lottery",
        help="recompute a pre-queue's lottery from its published data",
        description="Checks a lottery with nothing but its published data: no engine is asked.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    verify = deeds.add_parser(
        "verify",
        help="recompute every place",
        description="Reads /rooms/EVENT/lottery, from a file or over the network, checks that the"
        " seed is the one whose hash was published, and computes every place anew.",
    )
    verify.add_argument("source", metavar="FILE_OR_URL", help="the published data; - reads stdin")
    verify.add_argument(
        "--commitment", help="the hash as you saved it before the draw, in hexadecimal"
    )
    verify.add_argument("--entrant", type=int, help="also print the place of this entrant")
    verify.add_argument(
        "--places", action="store_true", help="print `entrant place` for everybody instead"
    )


def run(args: argparse.Namespace) -> int:
    published = read(args.source)
    lottery = drawn(published)
    if lottery.commitment != published.commitment.lower():
        raise Trouble("The seed is NOT the one that was committed to: its hash differs.")
    if args.commitment and args.commitment.strip().lower() != lottery.commitment:
        raise Trouble("The commitment was CHANGED since you saved it.")
    place_of = lottery.permutation()
    if args.entrant is not None and not 1 <= args.entrant <= lottery.count:
        raise Trouble(f"Entrants are 1 to {lottery.count}; later ones follow in their order.")
    taken = bytearray(lottery.count + 1)
    for entrant, place in enumerate(place_of.places(), start=1):
        if taken[place]:
            raise Trouble(f"Place {place} was given TWICE.")
        taken[place] = 1
        if args.places:
            print(entrant, place)
    print(_verdict(lottery, published), file=sys.stderr if args.places else sys.stdout)
    if args.entrant is not None:
        print(f"entrant {args.entrant} has place {place_of(args.entrant)}")
    return 0


def read(source: str) -> Published:
    """The published data of a file, an address or standard input (`-`)."""
    try:
        if source == "-":
            raw = sys.stdin.buffer.read(PUBLISHED_MAX)
        elif source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310  # its scheme was looked at
                raw = answer.read(PUBLISHED_MAX)
        else:
            with Path(source).open("rb") as file:
                raw = file.read(PUBLISHED_MAX)
        return msgspec.json.decode(raw, type=Published)
    except (OSError, ValueError) as error:
        raise Trouble(f"{source} can't be read as a lottery: {error}") from error


def drawn(published: Published) -> Lottery:
    try:
        lottery = published.lottery()
    except ValueError as error:
        raise Trouble(f"This is no lottery: {error}.") from error
    if lottery is None:
        so_far = ""
        if published.awaits:
            so_far = f" {published.count} entrants were counted; it waits for the value from"
            so_far += f" outside: {published.outside_source}."
        raise Trouble(f"Not drawn yet.{so_far} Committed to: {published.commitment}")
    if lottery.count > VERIFY_MAX:
        raise Trouble(f"More than {VERIFY_MAX} entrants are not checked here.")
    return lottery


def _verdict(lottery: Lottery, published: Published) -> str:
    outside = f"value from outside: {lottery.outside}" if lottery.outside else "no outside value"
    source = f" ({published.outside_source})" if published.outside_source else ""
    if published.outside_source and not lottery.outside:
        outside = "drawn WITHOUT the value from outside that was announced"
    return (
        f"event {lottery.event}: {lottery.count} entrants, every place given once\n"
        f"commitment {lottery.commitment} holds\n{outside}{source}"
    )
