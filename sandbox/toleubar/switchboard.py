"""The faults in force: whether one strikes now, and how often each has struck.

Switches are kept over restarts, so that a killed gateway goes on failing; counts are not, and a
seeded stream begins anew.
"""

from random import Random
from typing import Any

import msgspec
from prometheus_client import Counter as Metric

from sandbox.strikes import Strikes
from sandbox.toleubar.books import Books
from sandbox.toleubar.faults import Faults
from sandbox.toleubar.presets import patch_faults, read_faults

SETTING = "faults"
STRUCK = Metric("toleubar_faults", "Faults that struck", ["kind"])


class Switchboard:
    def __init__(self, books: Books, chance: Random) -> None:
        self._books = books
        kept = books.setting(SETTING)
        self.faults = read_faults(msgspec.json.decode(kept)) if kept else Faults()
        self._strikes = Strikes(chance, STRUCK)
        # By the switch's name, since the process began or the whole switchboard was last set.
        self.struck = self._strikes.struck
        self._burst_left = 0

    def change(self, written: dict[str, Any]) -> None:
        """Replace all switches; what is not named returns to its starting value. Counts and
        streams begin anew. Raises msgspec.ValidationError, naming the field.
        """
        self._set(read_faults(written))
        self._strikes.begin_anew()
        self._burst_left = 0

    def patch(self, written: dict[str, Any]) -> None:
        """Change the named switches only; a new seed begins its streams. Raises as change."""
        self._set(patch_faults(self.faults, written))
        if "seed" in written:
            self._strikes.restart_streams()

    def strikes(self, name: str) -> bool:
        """Whether the fault of this share strikes now; counted if it does."""
        share: float = getattr(self.faults, name)
        return self._strikes.hits(name, share, self.faults.seed)

    def breaks_down(self) -> bool:
        """As strikes("breakdown"), and the next calls of its burst break down with it."""
        if self._burst_left:
            self._burst_left -= 1
            self._strikes.count("breakdown")
            return True
        if not self.strikes("breakdown"):
            return False
        self._burst_left = self.faults.breakdown_burst - 1
        return True

    def stream(self, name: str) -> Random:
        """What this fault draws from."""
        return self._strikes.stream(name, self.faults.seed)

    def _set(self, faults: Faults) -> None:
        self._books.keep_setting(SETTING, msgspec.json.encode(faults))
        self.faults = faults
