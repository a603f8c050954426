"""biletter migrate"""

import argparse
import asyncio
import sys
from typing import Any

from biletter.cli.surroundings import settings_beside_running
from biletter.migrations import migrate


def add(subparsers: Any) -> None:
    subparsers.add_parser(
        "migrate",
        help="bring the database to the shape this version needs",
        description="Applies the migrations that the database does not have yet.",
    )


def run(_: argparse.Namespace) -> int:
    url = settings_beside_running().database_url
    assert url is not None, "settings_beside_running gives every engine"
    for name in asyncio.run(migrate(url)):
        print(f"applied {name}", file=sys.stderr)
    return 0
