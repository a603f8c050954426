"""What the composition root tells the stand-in."""

from pathlib import Path

from msgspec import Struct


class ProviderConfig(Struct, frozen=True, kw_only=True):
    # The SQLite file that outlives the process.
    records: Path
    # Opens the two calls that the real provider has not: places in bulk, and reset.
    extras: bool = False
