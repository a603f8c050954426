"""biletter import users FILE.csv"""

import argparse
import asyncio
import csv
import io
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from accounts.import_rows import BadHeader, Reject
from accounts.imports import BATCH_TIMEOUT_MS, Progress, UserImport
from accounts.passwords import Passwords
from biletter.cli.surroundings import settings_beside_running
from biletter.settings import Settings
from biletter.trouble import Trouble
from kernel.db import open_pool
from kernel.keyring import Keyring

TELL_EVERY_S = 2.0


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "import",
        help="load data from a file into the running service",
        description="Loads a file while the service runs; what was read is usable at once.",
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    users = kinds.add_parser(
        "users",
        help="accounts from a CSV file",
        description="Adds or updates accounts by id and by e-mail; the file wins, the password"
        " included. Lines that can't be taken go to FILE.rejects.csv with the reason. The"
        " same file may be imported again.",
    )
    users.add_argument("file", type=Path, metavar="FILE.csv", help="UTF-8, with a header line")


def run(args: argparse.Namespace) -> int:
    """Status 1 when not one line could be taken."""
    return asyncio.run(_import_users(settings_beside_running(), args.file))


async def _import_users(settings: Settings, path: Path) -> int:
    assert settings.database_url is not None, "settings_beside_running gives every engine"
    try:
        source = path.open("rb")
    except OSError as error:
        raise Trouble(f"{path} can't be read: {error.strerror}.") from error
    db = await open_pool(settings.database_url, size_max=1, statement_timeout_ms=BATCH_TIMEOUT_MS)
    passwords = Passwords(Keyring(settings.keys).secret("pepper"))
    rejects = Rejects(path.with_name(f"{path.name}.rejects.csv"))
    teller = Teller(path, source)
    try:
        with source:
            # The byte-order mark some programs write is no part of the first column's name.
            lines = io.TextIOWrapper(source, "utf-8-sig", "surrogateescape", newline="")
            async for progress in UserImport(db, passwords).run(lines):
                rejects.write(progress.rejects)
                teller.tell(progress)
    except BadHeader as refusal:
        raise Trouble(f"{path}: {refusal.detail}") from refusal
    finally:
        rejects.close()
        passwords.close()
        await db.close()
    teller.finish(rejects)
    taken = teller.last.made + teller.last.changed
    return 1 if teller.last.rejected and not taken else 0


class Rejects:
    """FILE.rejects.csv: made for the first rejected line, removed when there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        path.unlink(missing_ok=True)

    def write(self, rejects: Any) -> None:
        if rejects and self._file is None:
            self._file = self.path.open("w", encoding="utf-8", errors="replace", newline="")
            csv.writer(self._file).writerow(Reject.__struct_fields__)
        if self._file is not None:
            rows = ([one.line, one.reason, one.id, one.email] for one in rejects)
            csv.writer(self._file).writerows(rows)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class Teller:
    """One line that grows on a terminal; elsewhere a line every so often."""

    def __init__(self, path: Path, source: io.BufferedReader) -> None:
        self.last = Progress(0, 0, 0, ())
        self._source = source
        self._size = max(1, path.stat().st_size)
        self._started = self._told = time.monotonic()

    def tell(self, progress: Progress) -> None:
        self.last = progress
        now = time.monotonic()
        if now - self._told < TELL_EVERY_S:
            return
        self._told = now
        share = min(100, 100 * self._source.tell() // self._size)
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"import: {share} %, {self._summary()}  ", end=end, file=sys.stderr, flush=True)

    def finish(self, rejects: Rejects) -> None:
        print(f"import: {self._summary()}")
        if self.last.rejected:
            print(f"import: the rejected lines are in {rejects.path}")

    def _summary(self) -> str:
        taken = self.last.made + self.last.changed
        seconds = max(0.001, time.monotonic() - self._started)
        return (
            f"{self.last.made} new, {self.last.changed} updated, {self.last.rejected} rejected"
            f" in {seconds:.1f} s ({taken / seconds:.0f} a second)"
        )
