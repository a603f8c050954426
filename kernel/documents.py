"""JSON that somebody else has written: whatever is wrong with it is caught in one place."""

from typing import Final

import msgspec

# What reading it raises; the last where it is nested deeper than anybody reads.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
