"""Whether a fault of a stand-in strikes now, and how often each has struck.

Each fault draws from a stream of its own made from the seed, so that a run with the same calls
meets the same faults, and switching one on doesn't shift the others. Seed None: by chance.
"""

from collections import Counter
from random import Random

from prometheus_client import Counter as Metric


class Strikes:
    def __init__(self, chance: Random, metric: Metric) -> None:
        """`metric` has one label: the fault's name."""
        self._chance, self._metric = chance, metric
        # By the fault's name, since the process began or begin_anew.
        self.struck: Counter[str] = Counter()
        self._streams: dict[str, Random] = {}

    def hits(self, name: str, share: float, seed: int | None) -> bool:
        """Whether the fault of this share strikes now; counted if it does."""
        if not share or self.stream(name, seed).random() >= share:
            return False
        self.count(name)
        return True

    def stream(self, name: str, seed: int | None) -> Random:
        """What this fault draws from."""
        if seed is None:
            return self._chance
        if name not in self._streams:
            self._streams[name] = Random(f"{seed} {name}")  # noqa: S311 - trouble, no secret
        return self._streams[name]

    def count(self, name: str) -> None:
        self.struck[name] += 1
        self._metric.labels(name).inc()

    def begin_anew(self) -> None:
        """Counts at nought, streams at their beginnings."""
        self.struck.clear()
        self.restart_streams()

    def restart_streams(self) -> None:
        self._streams.clear()
