"""biletter states"""

import argparse
import sys
from pathlib import Path
from typing import Any

from sales.machine import Machine, draw, tell
from sales.states import MACHINES

PAGE = Path("docs") / "states.md"
INTRODUCTION = """\
# States

The lives of what is sold, as `sales/states.py` has them: this page is printed from its tables by
`script/biletter states --write`, and a test compares the two.

Every change is one transaction: a compare-and-set on the row and its version, the audit line, the
notices for whoever must hear of it, and what the change means for seats, tickets and ledger. Who
loses a race is told nothing changed, and looks again. “gateway” means an answer of the gateway to
our own question; its webhooks and return addresses only make us ask.
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "states",
        help="print the state machines of orders, payments and the rest",
        description="Prints docs/states.md as the tables in the code have it.",
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE} instead of printing")


def run(args: argparse.Namespace) -> int:
    if args.write:
        PAGE.write_text(page(), "utf-8")
    else:
        sys.stdout.write(page())
    return 0


def page() -> str:
    return "\n".join([INTRODUCTION, *map(_chapter, MACHINES)])


def _chapter(machine: Machine) -> str:
    return (
        f"## {machine.name.capitalize()}\n\n```mermaid\n{draw(machine)}\n```\n\n{tell(machine)}\n"
    )
