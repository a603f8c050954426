"""Halls in memory: the geometry of an event, built once from its zones."""

from collections.abc import Sequence

from sales.allotment import OWNERSHIP
from sales.catalogue import Catalogue
from sales.geometry import Hall, Zone

# The star concert's thousand rows take about 100 kB; most halls take a hundredth of it.
KEPT_MAX = 500


class Halls:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kept: dict[int, tuple[Sequence[Zone], Hall]] = {}

    async def is_allotted(self, event_id: int) -> bool:
        """Whether only a part of the hall was given to us. Raises EventUnknown."""
        return (await self._catalogue.event(event_id)).ownership == OWNERSHIP

    async def hall(self, event_id: int) -> Hall:
        """The hall of an event; without any seat if it never had zones. Raises EventUnknown."""
        zones = await self._catalogue.zones(event_id)
        kept = self._kept.get(event_id)
        # The catalogue reads zones anew now and then: only other zones are another hall.
        if kept is not None and (kept[0] is zones or kept[0] == zones):
            return kept[1]
        if not zones:
            await self._catalogue.event(event_id)
        hall = Hall(event_id, zones)
        if len(self._kept) >= KEPT_MAX and event_id not in self._kept:
            del self._kept[next(iter(self._kept))]
        self._kept[event_id] = (zones, hall)
        return hall
