"""What a reconciler hands over: a difference, as data."""

from typing import Any

import msgspec


class Difference(msgspec.Struct, frozen=True):
    """`kind` is one of sales.reconcile.kinds; `subject` as 'event:1'. `found` must not change while
    the difference stays the same: no ages and no counters of ours.
    """

    kind: str
    subject: str
    found: dict[str, Any] = {}


class Page(msgspec.Struct, frozen=True):
    """What one page of a run has done. `cursor` None: the run is complete. `right`: these were
    looked at by name and are right now; others vanish with a whole run that did not find them.
    """

    cursor: dict[str, Any] | None = None
    looked_at: int = 0
    open: list[Difference] = []
    repaired: list[Difference] = []
    right: list[Difference] = []

    @property
    def size(self) -> int:
        """How many differences it found."""
        return len(self.open) + len(self.repaired)
