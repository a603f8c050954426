"""biletter run DUTY"""

import argparse
from typing import Any

from biletter.cli.surroundings import settings_beside_running
from biletter.wiring import run_duty


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "run",
        help="run one duty, as a line of the Procfile does",
        description="Runs one duty in the foreground, on engines that are already running.",
    )
    parser.add_argument("duty", help="a name in the Procfile: sales, waitingroom, worker, …")


def run(args: argparse.Namespace) -> int:
    run_duty(args.duty, settings_beside_running())
    return 0
