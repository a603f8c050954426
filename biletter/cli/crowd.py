"""biletter crowd"""

import argparse
from typing import Any

from biletter.cli.surroundings import settings_beside_running
from loadtest import crowd


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "crowd",
        help="send simulated visitors into the running service",
        description="Visitors of all kinds join the queue, buy, look, come back, leave or vanish."
        " It shows how they fare, stops by itself, and prints what became of them.",
    )
    crowd.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return crowd.run(args, settings_beside_running().port)
