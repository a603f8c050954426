"""What every import does beside its rows: tells how far it is, keeps what it refused, and
remembers where to go on should it be stopped.
"""

import csv
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from kernel.incoming import Place
from kernel.intake import Progress

TELL_EVERY_S = 2.0


class Counts(msgspec.Struct, frozen=True):
    made: int = 0
    changed: int = 0
    rejected: int = 0

    def plus(self, more: Progress) -> "Counts":
        return Counts(
            self.made + more.made, self.changed + more.changed, self.rejected + more.rejected
        )


class Stopped(msgspec.Struct, frozen=True):
    """FILE.progress: how far which file was read."""

    size: int
    changed_ns: int
    place: Place
    counts: Counts


class Checkpoint:
    """FILE.progress beside the file: written after each batch, gone when all is done. It holds
    only for the very file it was written for: same size, same time of change.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.progress")
        stat = path.stat()
        self._size, self._changed_ns = stat.st_size, stat.st_mtime_ns
        self.start, self.counts = Place(), Counts()
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=Stopped)
        except (OSError, msgspec.DecodeError):
            return
        if (found.size, found.changed_ns) == (self._size, self._changed_ns):
            self.start, self.counts = found.place, found.counts

    def write(self, place: Place, counts: Counts) -> None:
        told = Stopped(self._size, self._changed_ns, place, counts)
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_bytes(msgspec.json.encode(told))
        new.replace(self._path)

    def done(self) -> None:
        self._path.unlink(missing_ok=True)


class Rejects:
    """FILE.rejects.csv: made for the first rejected row, not there when there is none. An import
    that goes on adds to it.
    """

    def __init__(self, path: Path, *, goes_on: bool) -> None:
        self.path = path.with_name(f"{path.name}.rejects.csv")
        self._file: TextIO | None = None
        if not goes_on:
            self.path.unlink(missing_ok=True)

    def write(self, rejects: Sequence[msgspec.Struct]) -> None:
        if rejects and self._file is None:
            is_new = not self.path.exists()
            self._file = self.path.open("a", encoding="utf-8", errors="replace", newline="")
            if is_new:
                csv.writer(self._file).writerow(rejects[0].__struct_fields__)
        if self._file is not None:
            csv.writer(self._file).writerows(msgspec.structs.astuple(one) for one in rejects)
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class Import:
    """One file being imported: hand it each progress, and tell it the end."""

    def __init__(self, path: Path, source: BinaryIO) -> None:
        self.checkpoint = Checkpoint(path)
        self.rejects = Rejects(path, goes_on=self.checkpoint.start.offset > 0)
        self._before = self.counts = self.checkpoint.counts
        self._size = max(1, os.fstat(source.fileno()).st_size)
        self._started = self._told = time.monotonic()
        if self.checkpoint.start.offset:
            rows = self.checkpoint.start.row
            print(f"import: going on after row {rows}, where it was stopped", file=sys.stderr)

    def note(self, progress: Progress) -> None:
        self.counts = self._before.plus(progress)
        self.rejects.write(progress.rejects)
        self.checkpoint.write(progress.place, self.counts)
        now = time.monotonic()
        if now - self._told >= TELL_EVERY_S:
            self._told = now
            share = min(100, 100 * progress.place.offset // self._size)
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"import: {share} %, {self._summary()}  ", end=end, file=sys.stderr, flush=True)

    def finish(self) -> int:
        """The command's status: 1 when not one row could be taken."""
        self.checkpoint.done()
        self.rejects.close()
        print(f"import: {self._summary()}")
        if self.counts.rejected:
            print(f"import: the rejected rows are in {self.rejects.path}")
        return 1 if self.counts.rejected and not self.counts.made + self.counts.changed else 0

    def _summary(self) -> str:
        counts, before = self.counts, self._before
        taken = counts.made + counts.changed - before.made - before.changed
        seconds = max(0.001, time.monotonic() - self._started)
        return (
            f"{counts.made} new, {counts.changed} updated, {counts.rejected} rejected"
            f" in {seconds:.1f} s ({taken / seconds:.0f} a second)"
        )
