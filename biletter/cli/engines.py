"""biletter engines"""

import argparse
import os
import sys
from typing import Any

from biletter.engines.binaries import find_postgres, find_redis
from biletter.trouble import Trouble

# Name, Debian's package, the variables that name one elsewhere, and how ours is found.
ENGINES = (
    ("Redis", "redis-server", ("REDIS_ROOMS_URL", "REDIS_SHOP_URL"), find_redis),
    ("PostgreSQL", "postgresql", ("DATABASE_URL",), find_postgres),
)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "engines",
        help="show which Redis and PostgreSQL programs `up` would start",
        description="The exit status is 1 when one is missing that the environment doesn't name.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quiet", action="store_true", help="only the exit status")
    how.add_argument("--packages", action="store_true", help="Debian's names of what is missing")


def run(args: argparse.Namespace) -> int:
    status = 0
    for name, package, variables, find in ENGINES:
        found, trouble = "named by the environment", ""
        if not all(os.environ.get(variable) for variable in variables):
            try:
                program = find()
                found = f"{program} at {program.path}"
            except Trouble as sentence:
                status, trouble = 1, str(sentence)
        if args.packages and trouble:
            print(package)
        elif trouble and not args.quiet:
            print(f"biletter: {trouble}", file=sys.stderr)
        elif not args.quiet and not args.packages:
            print(f"{name:<11} {found}")
    return status
