"""biletter up"""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from biletter.settings import ROOT, read_settings
from biletter.supervisor.up import up


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "up",
        help="run everything in the foreground: engines, migrations, demo data, every duty",
        description="Runs the whole Procfile in the foreground until Ctrl-C or SIGTERM.",
    )
    parser.add_argument(
        "--procfile", type=Path, default=ROOT / "Procfile", help="another list of duties"
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="leave an empty database without demo data"
    )


def run(args: argparse.Namespace) -> int:
    asyncio.run(up(read_settings(), args.procfile, demo=not args.no_demo))
    return 0
