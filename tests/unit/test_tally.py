"""Requests by the second: what is counted, and how it is told."""

from kernel.tally import SECONDS_MAX, Tally


class Monotonic:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_requests_are_told_once_with_the_age_of_their_second():
    time = Monotonic()
    tally = Tally(time)
    tally.watch([1, 2])
    for moment in (1000.2, 1000.9, 1001.1):
        time.now = moment
        tally.came(1)
    assert tally.take() == {1: [(1, 2), (0, 1)], 2: []}
    time.now = 1001.9
    tally.came(1)
    time.now = 1003.0
    assert tally.take() == {1: [(2, 1)], 2: []}


def test_only_what_is_watched_is_counted():
    tally = Tally(Monotonic())
    tally.came(1)
    tally.watch([1])
    tally.came(2)
    tally.came(1)
    tally.watch([1, 3])
    assert tally.take() == {1: [(0, 1)], 3: []}
    tally.watch([])
    assert tally.take() == {}


def test_what_nobody_takes_is_forgotten():
    time = Monotonic()
    tally = Tally(time)
    tally.watch([1])
    for second in range(100):
        time.now = 1000.0 + second
        tally.came(1)
    assert len(tally.take()[1]) == SECONDS_MAX
