"""What the demonstration is made of, before it becomes rows: halls, shows, planned events.

Nothing here depends on the day: only a planned event's `day` (days after the seeding) and
`minute` become a date. So a reseed moves dates and never a seat or a price.
"""

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from sales.allotment import AllotmentChannel

# Every hall is in Kazakhstan, which has had one zone since March 2024.
HALL_ZONE = ZoneInfo("Asia/Almaty")
TIYN = 100


class Part(msgspec.Struct, frozen=True):
    """A priced part of a hall: seats of each row, and its price in per cent of the show's."""

    name: str
    percent: int
    rows: tuple[int, ...]


class Venue(msgspec.Struct, frozen=True):
    city: str
    hall: str
    parts: tuple[Part, ...]

    @property
    def seats(self) -> int:
        return sum(sum(part.rows) for part in self.parts)


class Show(msgspec.Struct, frozen=True):
    """What is played. `theme` chooses its poster's colours, 0…7; the kind chooses the picture."""

    title: str
    description: str
    theme: int


class PlannedZone(msgspec.Struct, frozen=True):
    """One row of the table `zone`; the price is in tiyn."""

    zone_no: int
    name: str
    price: int
    first_row: int
    row_sizes: tuple[int, ...]
    first_seat: int

    @property
    def seat_count(self) -> int:
        return sum(self.row_sizes)


class Share(msgspec.Struct, frozen=True):
    """What of a zone its owner has given us to sell, by which channel, and until how many days
    before: a number of places, or the first so many rows.
    """

    zone_no: int
    channel: AllotmentChannel
    days_before: int
    places: int | None = None
    rows: int | None = None

    def seats(self, zone: PlannedZone) -> list[int] | None:
        """Which places; None: whichever of the zone."""
        if self.rows is None:
            return None
        count = sum(zone.row_sizes[: self.rows])
        return list(range(zone.first_seat, zone.first_seat + count))


class PlannedEvent(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    title: str
    description: str
    kind: str
    hall: str
    city: str
    # Days after the day of seeding, and minutes after midnight at the hall.
    day: int
    minute: int
    zones: tuple[PlannedZone, ...]
    look: dict[str, object]
    guarded: bool = False
    person_limit: int | None = None
    ownership: Literal["own", "partner", "allotment"] = "own"
    # Where it is an allotment: all that we may sell. A zone without a share is not ours at all.
    shares: tuple[Share, ...] = ()

    def local_day(self, today: date) -> date:
        return today + timedelta(days=self.day)

    def starts_at(self, today: date) -> datetime:
        hours, minutes = divmod(self.minute, 60)
        return datetime.combine(self.local_day(today), time(hours, minutes), HALL_ZONE)


def lay_zones(parts: tuple[Part, ...], price_tenge: int) -> tuple[PlannedZone, ...]:
    """Zones for the parts of a hall, rows and seats numbered on through the hall; prices are
    rounded to 100 ₸.
    """
    zones, first_row, first_seat = [], 1, 0
    for number, part in enumerate(parts, start=1):
        price = max(round(price_tenge * part.percent / 100 / 100), 1) * 100 * TIYN
        zones.append(PlannedZone(number, part.name, price, first_row, part.rows, first_seat))
        first_row += len(part.rows)
        first_seat += sum(part.rows)
    return tuple(zones)
