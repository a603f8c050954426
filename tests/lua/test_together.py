"""Choosing the best seats, against what a person would call best. Hypothesis draws the halls."""

import asyncio
from itertools import accumulate, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from sales.seatstore import HERE

PART = (HERE / "lua" / "parts" / "together.lua").read_text("utf-8")
CHOOSE = f"""{PART}
local rows = {{}}
for i = 3, #ARGV do rows[#rows + 1] = tonumber(ARGV[i]) end
local found, said = best(ARGV[1], rows, tonumber(ARGV[2]))
return {{said, unpack(found or {{}})}}
"""
halls = st.lists(st.text("FFFHS", min_size=1, max_size=12), min_size=1, max_size=6)


@pytest.fixture
def choose(shop_engine):
    """Rows as texts, front row first → how the seats stand, and (row, number) of each from 0."""

    def ask(rows: list[str], count: int) -> tuple[str | int, list[tuple[int, int]]]:
        async def call():
            redis = Redis.from_url(shop_engine.url)
            ends = accumulate(len(row) for row in rows)
            reply = await redis.eval(CHOOSE, 0, "".join(rows), count, *ends)
            await redis.aclose()
            return reply

        said, *found = asyncio.run(call())
        at = [(r, c) for r, row in enumerate(rows) for c in range(len(row))]
        return said if isinstance(said, int) else said.decode(), [at[n - 1] for n in found]

    return ask


def marked(rows: list[str], seats: list[tuple[int, int]]) -> list[str]:
    grid = [list(row) for row in rows]
    for row, number in seats:
        assert grid[row][number] == "F", "a seat that is not free"
        grid[row][number] = "X"
    return ["".join(row) for row in grid]


def test_the_middle_of_the_front_row_that_has_room(choose):
    rows = ["SSSSSSSSS", "SSFFFFFFFFFSS", "FFFFFFFFF"]
    fit, seats = choose(rows, 3)
    assert fit == "together"
    assert marked(rows, seats)[1] == "SSFFFXXXFFFSS"


def test_nobody_is_left_alone_where_the_next_row_can_do_better(choose):
    rows = ["SFFFS", "FFFF"]
    assert choose(rows, 2) == ("together", [(1, 0), (1, 1)])
    assert choose(rows[:1], 2) == ("orphan", [(0, 1), (0, 2)])


def test_a_row_is_never_left_over_its_end(choose):
    assert choose(["SSF", "FSS"], 2)[0] == "rows"


def test_two_neighbouring_rows_one_group_before_the_other(choose):
    rows = ["SSSFFSSS", "SSSFFSSF", "FFSSSSSS"]
    fit, seats = choose(rows, 4)
    assert (fit, sorted(seats)) == ("rows", [(0, 3), (0, 4), (1, 3), (1, 4)])


def test_whatever_is_left_and_then_too_little(choose):
    rows = ["FSS", "SSS", "SSF", "SSS", "FSS"]
    assert choose(rows, 3) == ("apart", [(0, 0), (2, 2), (4, 0)])
    assert choose(rows, 4) == (3, [])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=halls, count=st.integers(1, 6))
def test_each_answer_is_as_good_as_it_says(choose, rows, count):
    fit, seats = choose(rows, count)
    has_run = any("F" * count in row for row in rows)
    if isinstance(fit, int):
        assert fit == "".join(rows).count("F") < count
        return
    assert len(set(seats)) == count
    after = marked(rows, seats)
    used = sorted({row for row, _ in seats})
    is_one_run = len(used) == 1 and all(b[1] == a[1] + 1 for a, b in pairwise(sorted(seats)))
    assert (fit in ("together", "orphan")) == has_run == is_one_run or count == 1
    if fit == "together":
        assert not _alone(after[used[0]])
        assert not any(_clean(row, count) for row in rows[: used[0]])
    elif fit == "orphan":
        assert not any(_clean(row, count) for row in rows)
    elif fit == "rows":
        assert used[1] == used[0] + 1
        assert len(used) == 2
    elif fit == "apart":
        pairs = pairwise(rows)
        assert not any(_halves(front, back, count) for front, back in pairs)


def _alone(row: str) -> bool:
    """A single free seat beside the chosen ones."""
    runs = row.replace("H", "S").split("S")
    return any("X" in run and "F" in run.split("X") for run in runs)


def _clean(row: str, count: int) -> bool:
    starts = range(len(row) - count + 1)
    return any(
        row[at : at + count] == "F" * count
        and not _alone(row[:at] + "X" * count + row[at + count :])
        for at in starts
    )


def _halves(front: str, back: str, count: int) -> bool:
    return any("F" * a in front and "F" * (count - a) in back for a in range(1, count))
