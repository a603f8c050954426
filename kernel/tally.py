"""Requests counted by the second, in memory, for who adds up what several processes saw."""

import time
from collections.abc import Callable, Iterable, Mapping

# Nobody took what was counted for so long: what is older is of no use any more.
SECONDS_MAX = 10

# (age of the second in s, how many), as of the moment they were taken.
Seconds = list[tuple[int, int]]


class Tally:
    """Counts only what it was told to watch, so that nobody can fill the memory."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._counts: dict[int, dict[int, int]] = {}

    def watch(self, keys: Iterable[int]) -> None:
        """Count these from now on, and no others."""
        self._counts = {key: self._counts.get(key, {}) for key in keys}

    def came(self, key: int) -> None:
        counts = self._counts.get(key)
        if counts is None:
            return
        second = int(self._monotonic())
        counts[second] = counts.get(second, 0) + 1
        if len(counts) > SECONDS_MAX:
            del counts[min(counts)]

    def take(self) -> Mapping[int, Seconds]:
        """What came since the last time, for everything watched; empty lists where nothing did."""
        now_s = int(self._monotonic())
        taken = {
            key: [(now_s - second, count) for second, count in counts.items()]
            for key, counts in self._counts.items()
        }
        for counts in self._counts.values():
            counts.clear()
        return taken
