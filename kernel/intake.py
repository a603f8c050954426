"""Rows of a large file written in batches: while PostgreSQL works on one, the next is read.

What every import shares. A batch is read in a thread, waits in a table of the connection alone, and
is one transaction; after it is told how far the file is done, so that a stop costs one batch.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from kernel.db import Conn, Db
from kernel.incoming import Place

BATCH_ROWS = 10_000
R = TypeVar("R")


class Written(msgspec.Struct, frozen=True):
    """What became of a batch. `rejects` have the row, the reason and what it called itself."""

    made: int = 0
    changed: int = 0
    rejects: Sequence[Any] = ()

    def plus(self, more: "Written") -> "Written":
        return Written(
            self.made + more.made, self.changed + more.changed, [*self.rejects, *more.rejects]
        )


class Progress(msgspec.Struct, frozen=True):
    """After a batch: how many rows so far, the rejected ones of this batch, where to go on."""

    made: int
    changed: int
    rejected: int
    rejects: Sequence[Any]
    place: Place


class Source(Protocol):
    """A file being read, which knows how far."""

    @property
    def place(self) -> Place: ...


class _Batch(msgspec.Struct, Generic[R], frozen=True):
    rows: Sequence[R]
    place: Place


class Intake(Generic[R]):
    """`write` writes a batch through a connection on which the temporary `table` exists, made by
    the statement `make`.
    """

    def __init__(
        self,
        db: Db,
        *,
        table: str,
        make: str,
        write: Callable[[Conn, Sequence[R]], Awaitable[Written]],
    ) -> None:
        """`db`: a pool of its own, with two minutes or so for a statement."""
        self._db, self._table, self._make, self._write = db, table, make, write

    async def run(self, rows: Iterator[R], source: Source) -> AsyncGenerator[Progress, None]:
        """One Progress a batch; `rows` come out of `source`. What reading raises before the first
        row is raised before anything is written.
        """
        made = changed = rejected = 0
        async with self._db.acquire() as conn:
            await conn.execute(self._make)
            try:
                batch = await asyncio.to_thread(_take, rows, source)
                while batch.rows:
                    place = batch.place
                    writing = asyncio.ensure_future(self._write(conn, batch.rows))
                    try:
                        batch = await asyncio.to_thread(_take, rows, source)
                    finally:
                        written = await writing
                    made, changed = made + written.made, changed + written.changed
                    rejected += len(written.rejects)
                    yield Progress(made, changed, rejected, written.rejects, place)
            finally:
                await conn.execute(f"DROP TABLE {self._table}")


def _take(rows: Iterator[R], source: Source) -> _Batch[R]:
    return _Batch(list(islice(rows, BATCH_ROWS)), source.place)
