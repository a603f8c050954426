"""The faults in force. They are kept over restarts, so that a killed gateway goes on failing."""

from typing import Any

import msgspec

from sandbox.toleubar.books import Books
from sandbox.toleubar.faults import Faults, read_faults

SETTING = "faults"


class Switchboard:
    def __init__(self, books: Books) -> None:
        self._books = books
        kept = books.setting(SETTING)
        self.faults = read_faults(msgspec.json.decode(kept)) if kept else Faults()

    def change(self, written: dict[str, Any]) -> Faults:
        """Replace all switches; what is not named returns to the profile's starting value.
        Raises msgspec.ValidationError, naming the field.
        """
        faults = read_faults(written)
        self._books.keep_setting(SETTING, msgspec.json.encode(faults))
        self.faults = faults
        return faults
