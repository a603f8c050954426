"""The faults in force: whether one strikes now, and how often each has struck.

Switches are kept over restarts, so that a killed provider goes on failing; counts are not, and a
seeded stream begins anew.
"""

from random import Random
from typing import Any

import msgspec
from prometheus_client import Counter as Metric

from sandbox.provider.faults import Faults
from sandbox.provider.presets import patch_faults, read_faults
from sandbox.provider.records import Records
from sandbox.strikes import Strikes

SETTING = "faults"
STRUCK = Metric("provider_faults", "Faults that struck", ["kind"])
CALM = Faults()


class Switchboard:
    def __init__(self, records: Records, chance: Random) -> None:
        self._records = records
        kept = records.setting(SETTING)
        self.faults = read_faults(msgspec.json.decode(kept)) if kept else CALM
        self._strikes = Strikes(chance, STRUCK)
        self.struck = self._strikes.struck

    def change(self, written: dict[str, Any]) -> None:
        """Replace all switches; what is not named returns to its starting value. Counts and
        streams begin anew. Raises msgspec.ValidationError, naming the switch.
        """
        self._set(read_faults(written))
        self._strikes.begin_anew()

    def patch(self, written: dict[str, Any]) -> None:
        """Change the named switches only; a new seed begins its streams. Raises as change."""
        self._set(patch_faults(self.faults, written))
        if "seed" in written:
            self._strikes.restart_streams()

    def of(self, hall: int) -> Faults:
        """The switches as this hall has them."""
        return self.faults if self.faults.concern(hall) else CALM

    def strikes(self, name: str, hall: int, verb: str) -> bool:
        """Whether the fault of this share strikes this call; counted if it does."""
        faults = self.of(hall)
        if faults.verbs and verb not in faults.verbs:
            return False
        return self._strikes.hits(name, getattr(faults, name), faults.seed)

    def count(self, name: str) -> None:
        """A fault that needs no chance has struck."""
        self._strikes.count(name)

    def lag_ms(self, hall: int) -> int:
        """How long the next message travels."""
        faults = self.of(hall)
        stream = self._strikes.stream("lag", self.faults.seed)
        return round(stream.uniform(faults.lag_min_s, faults.lag_max_s) * 1000)

    def _set(self, faults: Faults) -> None:
        self._records.keep_setting(SETTING, msgspec.json.encode(faults))
        self.faults = faults
