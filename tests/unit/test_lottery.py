"""The lottery as published: everybody gets one place, any place, and anybody can recompute it."""

from collections import Counter
from hashlib import sha256
from itertools import pairwise
from math import ceil, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waitingroom.lottery import ALGORITHM, Lottery, Permutation, Published, commitment_of, seed_of

SECRET = b"s" * 32


def by_the_book(lottery: Lottery, entrant: int) -> int:
    """Written from the description alone."""
    text = "\n".join(
        [
            "biletter-lottery-1",
            str(lottery.event),
            str(lottery.generation),
            str(lottery.count),
            lottery.seed,
            lottery.outside,
        ]
    )
    key = sha256(text.encode("utf-8")).digest()
    side = max(16, ceil(sqrt(lottery.count)))
    x = entrant - 1
    while True:
        left, right = x // side, x % side
        for i in range(10):
            digest = sha256(key + bytes([i]) + right.to_bytes(8, "big")).digest()
            left, right = right, (left + int.from_bytes(digest[:8], "big")) % side
        x = left * side + right
        if x < lottery.count:
            return x + 1


@given(key=st.binary(min_size=32, max_size=32), count=st.integers(0, 2_000))
def test_every_place_is_given_exactly_once(key: bytes, count: int):
    assert sorted(Permutation(key, count).places()) == list(range(1, count + 1))


@given(count=st.integers(1, 10**9), seed=st.binary(min_size=32, max_size=32), outside=st.text())
def test_a_place_is_what_the_description_says(count: int, seed: bytes, outside: str):
    outside = outside.encode("utf-8", "ignore").decode()
    lottery = Lottery(5, 1_780_000_000, count, seed.hex(), outside)
    place_of = lottery.permutation()
    for entrant in {1, count, (count + 1) // 2}:
        assert place_of(entrant) == by_the_book(lottery, entrant)


def test_the_published_example_stays_as_it_is():
    """Whoever wrote a checker of their own compares with this."""
    lottery = Lottery(1, 1_780_315_200, 10, "00" * 32, "drand 1")
    assert lottery.commitment == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    assert list(lottery.permutation().places()) == EXAMPLE


EXAMPLE = [10, 8, 4, 5, 6, 3, 2, 9, 1, 7]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_order_of_a_few_is_as_likely(count: int):
    tries = 100 * (2, 6, 24)[count - 2]
    seen = Counter(
        tuple(Permutation(sha256(b"%d" % key).digest(), count).places()) for key in range(tries)
    )
    orders = (2, 6, 24)[count - 2]
    assert len(seen) == orders
    # Chi-square of 23 degrees of freedom is above 60 once in thirty thousand times.
    assert sum((found - 100) ** 2 / 100 for found in seen.values()) < 60


@pytest.mark.parametrize("count", [16, 100, 257])
def test_an_early_bird_has_no_better_place(count: int):
    """Over many draws every tenth of the line is as likely, for the first, a middle, the last."""
    draws = [Permutation(sha256(b"k%d" % key).digest(), count) for key in range(500)]
    sizes = Counter((place - 1) * 10 // count for place in range(1, count + 1))
    for entrant in (1, count // 2, count):
        tenths = Counter((place_of(entrant) - 1) * 10 // count for place_of in draws)
        expected = {tenth: size / count * len(draws) for tenth, size in sizes.items()}
        wrong = sum((tenths[tenth] - want) ** 2 / want for tenth, want in expected.items())
        assert wrong < 40, (entrant, tenths)  # 9 degrees of freedom: once in 130 000


def test_neighbours_do_not_stay_neighbours():
    places = list(Lottery(1, 1, 10_000, "ab" * 32).permutation().places())
    near = sum(abs(one - other) <= 10 for one, other in pairwise(places))
    assert near < 50  # 20 are expected


def test_any_change_of_what_was_drawn_from_changes_the_places():
    base = Lottery(1, 2, 1_000, "11" * 32, "x")
    others = [
        Lottery(2, 2, 1_000, "11" * 32, "x"),
        Lottery(1, 3, 1_000, "11" * 32, "x"),
        Lottery(1, 2, 1_001, "11" * 32, "x"),
        Lottery(1, 2, 1_000, "12" * 32, "x"),
        Lottery(1, 2, 1_000, "11" * 32, ""),
    ]
    first = list(base.permutation().places())
    for other in others:
        same = sum(a == b for a, b in zip(first, other.permutation().places(), strict=False))
        assert same < 20


def test_a_number_that_nobody_got_has_no_place():
    place_of = Lottery(1, 1, 10, "00" * 32).permutation()
    for entrant in (0, -1, 11):
        with pytest.raises(ValueError, match="no entrant"):
            place_of(entrant)


def test_a_seed_is_the_same_every_time_and_nobody_elses():
    seeds = {seed_of(SECRET, event, gen) for event in (1, 2) for gen in (10, 11)}
    assert len(seeds) == 4
    assert seed_of(SECRET, 1, 10) in seeds
    assert len(seed_of(SECRET, 1, 10)) == 32


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithm": "biletter-lottery-9"},
        {"seed": "zz" * 32},
        {"seed": "AB" * 32},
        {"seed": "00"},
        {"count": -1},
        {"count": 10**12},
    ],
)
def test_published_data_that_can_be_no_draw_is_refused(wrong: dict[str, object]):
    fields = {"event": 1, "generation": 1, "algorithm": ALGORITHM, "seed": "00" * 32, "count": 3}
    commitment = commitment_of(bytes(32))
    with pytest.raises(ValueError, match=r"."):
        Published(**(fields | {"commitment": commitment} | wrong)).lottery()  # type: ignore[arg-type]  # fields by name
