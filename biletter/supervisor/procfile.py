"""The Procfile: which duties there are, one process each."""

import re
import shlex
import sys
from pathlib import Path

from biletter.trouble import Trouble

LINE = re.compile(r"^(?P<name>[a-z][a-z0-9_-]*):\s*(?P<command>\S.*)$")


def read_procfile(path: Path) -> dict[str, list[str]]:
    """Duty → command line, in the file's order. `biletter` means this very environment's.

    Blank lines and lines starting with # are skipped. Raises Trouble for anything else odd.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as reason:
        raise Trouble(f"Cannot read {path}: {reason.strerror}.") from reason
    duties: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.match(line.strip())
        if match is None or match["name"] in duties:
            raise Trouble(f"{path} line {number} is not 'name: command', or names a duty twice.")
        duties[match["name"]] = _resolve(shlex.split(match["command"], comments=True))
    return duties


def _resolve(command: list[str]) -> list[str]:
    if command[0] == "biletter":
        return [sys.executable, "-m", "biletter", *command[1:]]
    return command
