"""The faults in force: whether one strikes now, and how often each has struck.

Switches are kept over restarts, so that a killed gateway goes on failing; counts are not, and a
seeded stream begins anew.
"""

from collections import Counter
from random import Random
from typing import Any

import msgspec
from prometheus_client import Counter as Metric

from sandbox.toleubar.books import Books
from sandbox.toleubar.faults import Faults
from sandbox.toleubar.presets import patch_faults, read_faults

SETTING = "faults"
STRUCK = Metric("toleubar_faults", "Faults that struck", ["kind"])


class Switchboard:
    def __init__(self, books: Books, chance: Random) -> None:
        self._books, self._chance = books, chance
        kept = books.setting(SETTING)
        self.faults = read_faults(msgspec.json.decode(kept)) if kept else Faults()
        # By the switch's name, since the process began or the whole switchboard was last set.
        self.struck: Counter[str] = Counter()
        self._streams: dict[str, Random] = {}
        self._burst_left = 0

    def change(self, written: dict[str, Any]) -> None:
        """Replace all switches; what is not named returns to its starting value. Counts and
        streams begin anew. Raises msgspec.ValidationError, naming the field.
        """
        self._set(read_faults(written))
        self.struck.clear()
        self._streams.clear()
        self._burst_left = 0

    def patch(self, written: dict[str, Any]) -> None:
        """Change the named switches only; a new seed begins its streams. Raises as change."""
        self._set(patch_faults(self.faults, written))
        if "seed" in written:
            self._streams.clear()

    def strikes(self, name: str) -> bool:
        """Whether the fault of this share strikes now; counted if it does."""
        share: float = getattr(self.faults, name)
        if not share or self.stream(name).random() >= share:
            return False
        self._count(name)
        return True

    def breaks_down(self) -> bool:
        """As strikes("breakdown"), and the next calls of its burst break down with it."""
        if self._burst_left:
            self._burst_left -= 1
            self._count("breakdown")
            return True
        if not self.strikes("breakdown"):
            return False
        self._burst_left = self.faults.breakdown_burst - 1
        return True

    def stream(self, name: str) -> Random:
        """What this fault draws from."""
        seed = self.faults.seed
        if seed is None:
            return self._chance
        if name not in self._streams:
            self._streams[name] = Random(f"{seed} {name}")  # noqa: S311 - trouble, no secret
        return self._streams[name]

    def _set(self, faults: Faults) -> None:
        self._books.keep_setting(SETTING, msgspec.json.encode(faults))
        self.faults = faults

    def _count(self, name: str) -> None:
        self.struck[name] += 1
        STRUCK.labels(name).inc()
