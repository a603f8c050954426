"""The `biletter` command: one small module a subcommand, named in the list below.

Each module has `add(subparsers) -> None`, which describes its arguments, and
`run(args) -> int`, which does the work and returns the exit status. Only the module asked for
is imported, so `biletter run sales` does not wait for the others' libraries.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from biletter.settings import SettingsError
from biletter.trouble import Trouble

# In the order of `biletter --help`.
COMMANDS = (
    "up",
    "run",
    "status",
    "env",
    "engines",
    "migrate",
    "seed",
    "import",
    "generate",
    "keys",
    "staff",
    "ledger",
    "payouts",
    "event",
    "allotment",
    "reconcile",
    "room",
    "invite",
    "lottery",
    "crowd",
    "simulate",
    "states",
)
# Where the command's word is none for a module.
MODULES = {"import": "imports"}
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Runs one command. Trouble is one sentence on standard error and status 1."""
    asked = arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS
    parser = argparse.ArgumentParser(
        prog="biletter",
        description="Biletter: a ticket service with a fair virtual waiting room.",
        epilog="Settings come from the environment, see docs/operations.md.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules = {
        name: importlib.import_module(f"biletter.cli.{MODULES.get(name, name)}") for name in asked
    }
    for module in modules.values():
        module.add(subparsers)
    args = parser.parse_args(arguments)
    try:
        return int(modules[args.command].run(args))
    except (Trouble, SettingsError) as trouble:
        print(f"biletter: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `biletter … | head`
        sys.stderr.close()
        return 1
