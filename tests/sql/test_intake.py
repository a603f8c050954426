"""The loop that every import shares: the next batch is read while one is written."""

import asyncio
import threading

import pytest

from kernel import intake
from kernel.incoming import Place
from kernel.intake import Intake, Written

MAKE = "CREATE TEMP TABLE waiting (n integer)"


class Numbers:
    """A file of numbers; notes when each is read."""

    def __init__(self, count, read=None):
        self.row, self._count, self._read = 0, count, read

    @property
    def place(self):
        return Place(10 * self.row, self.row)

    def __iter__(self):
        while self.row < self._count:
            self.row += 1
            if self._read:
                self._read(self.row)
            yield self.row


def intake_of(db, write):
    return Intake(db, table="waiting", make=MAKE, write=write)


@pytest.fixture(autouse=True)
def two_a_batch(monkeypatch):
    monkeypatch.setattr(intake, "BATCH_ROWS", 2)


async def test_progress_adds_up_and_says_where_each_batch_ended(db):
    async def write(conn, rows):
        assert await conn.fetchval("SELECT count(*) FROM waiting") == 0
        bad = [one for one in rows if one == 3]
        return Written(len(rows) - len(bad), 0, bad)

    numbers = Numbers(5)
    told = [one async for one in intake_of(db, write).run(iter(numbers), numbers)]
    assert [(one.made, one.rejected, one.rejects, one.place.row) for one in told] == [
        (2, 0, [], 2),
        (3, 1, [3], 4),
        (4, 1, [], 5),
    ]


async def test_the_next_batch_is_read_while_one_is_written(db):
    read_on = threading.Event()

    async def write(_, rows):
        # Nobody reads row 3 unless reading goes on meanwhile.
        if 1 in rows:
            assert await asyncio.to_thread(read_on.wait, 5)
        return Written(len(rows))

    numbers = Numbers(3, lambda row: read_on.set() if row == 3 else None)
    told = [one async for one in intake_of(db, write).run(iter(numbers), numbers)]
    assert told[-1].made == 3


async def test_what_fails_ends_the_import_and_leaves_no_table(db):
    async def write(_, rows):
        if 3 in rows:
            raise ValueError("a stuck server")
        return Written(len(rows))

    numbers = Numbers(9)
    running = intake_of(db, write).run(iter(numbers), numbers)
    assert (await anext(running)).place.row == 2
    with pytest.raises(ValueError, match="stuck"):
        await anext(running)
    assert await db.fetchval("SELECT to_regclass('pg_temp.waiting')") is None
