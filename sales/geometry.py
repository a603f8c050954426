"""Where a seat stands: zones, rows and numbers of one event's hall, and seat ids of the contract.

Pure and immutable. Seats are numbered through the event from 0 in zone, row, seat order; rows
are numbered through the hall, so that a row and a number name one seat.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, groupby, pairwise

import msgspec

from kernel.errors import NotFound, Refusal
from kernel.values import ID_MAX

# A contract id is event_id * 2^20 + seat + 1: one million seats an event, and eight milliard
# events before an id outgrows JavaScript's exact integers.
SEAT_BITS = 20
CAPACITY_MAX = 1 << SEAT_BITS
EVENT_ID_MAX = (ID_MAX >> SEAT_BITS) - 1


class SeatUnknown(Refusal):
    """Такого места в этом зале нет."""

    status, code = 419, "seat-unknown"


class MixedEvents(Refusal):
    """Места разных мероприятий нельзя выбрать вместе."""

    status, code = 419, "seats-of-two-events"


class ZoneUnknown(NotFound):
    """Такой зоны в этом зале нет."""

    code = "zone-unknown"


class Zone(msgspec.Struct, frozen=True):
    """A priced part of a hall. `price` in tiyn; `row_sizes[i]` seats stand in row first_row + i."""

    zone_no: int
    name: str
    price: int
    first_row: int
    row_sizes: Sequence[int]
    first_seat: int
    seat_count: int

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.row_sizes) - 1

    @property
    def seats(self) -> range:
        return range(self.first_seat, self.first_seat + self.seat_count)

    @property
    def row_runs(self) -> list[str]:
        """Rows of a size together, front row first: "100x150" is 150 rows of 100 seats."""
        return [f"{size}x{len(list(run))}" for size, run in groupby(self.row_sizes)]


class Place(msgspec.Struct, frozen=True):
    """A seat as people name it. `price` in tiyn."""

    zone_no: int
    zone_name: str
    row: int
    number: int
    price: int


class Hall:
    """All zones of one event. Raises AssertionError for zones that contradict each other."""

    def __init__(self, event_id: int, zones: Sequence[Zone]) -> None:
        self.event_id = event_id
        self.zones = tuple(zones)
        self.capacity = sum(zone.seat_count for zone in zones)
        self._by_no = {zone.zone_no: zone for zone in zones}
        self._zone_starts = [zone.first_seat for zone in zones]
        # Of each row through the hall: its number, its first seat, its zone.
        self._rows: list[int] = []
        self._row_starts: list[int] = []
        self._row_zones: list[Zone] = []
        for zone in zones:
            starts = accumulate(zone.row_sizes[:-1], initial=zone.first_seat)
            self._row_starts += starts
            self._rows += range(zone.first_row, zone.first_row + len(zone.row_sizes))
            self._row_zones += [zone] * len(zone.row_sizes)
        self._index_of_row = {row: index for index, row in enumerate(self._rows)}
        self._check()

    def place(self, seat: int) -> Place:
        """The place of a seat of this hall."""
        assert 0 <= seat < self.capacity, seat
        index = bisect_right(self._row_starts, seat) - 1
        zone = self._row_zones[index]
        number = seat - self._row_starts[index] + 1
        return Place(zone.zone_no, zone.name, self._rows[index], number, zone.price)

    def zone(self, zone_no: int) -> Zone | None:
        return self._by_no.get(zone_no)

    def zone_of(self, seat: int) -> Zone:
        assert 0 <= seat < self.capacity, seat
        return self.zones[bisect_right(self._zone_starts, seat) - 1]

    def seat_at(self, row: int, number: int) -> int | None:
        """The seat with this number (from 1) in this row; None where there is none."""
        seats = self.seats_of_row(row)
        return seats[number - 1] if 1 <= number <= len(seats) else None

    def seats_of_row(self, row: int) -> range:
        """The seats of a row; empty where there is no such row."""
        index = self._index_of_row.get(row)
        if index is None:
            return range(0)
        end = self._row_starts[index + 1] if index + 1 < len(self._rows) else self.capacity
        return range(self._row_starts[index], end)

    def known(self, seats: Sequence[int]) -> list[int]:
        """`seats` without repetitions, in the order given. Raises SeatUnknown."""
        for seat in seats:
            if not 0 <= seat < self.capacity:
                raise SeatUnknown(seat=seat)
        return list(dict.fromkeys(seats))

    def _check(self) -> None:
        assert self.capacity <= CAPACITY_MAX, self.event_id
        assert len(self._index_of_row) == len(self._rows), f"a row is in two zones: {self.event_id}"
        expected = 0
        for zone in self.zones:
            assert zone.first_seat == expected, (self.event_id, zone.zone_no)
            assert sum(zone.row_sizes) == zone.seat_count, (self.event_id, zone.zone_no)
            assert all(size > 0 for size in zone.row_sizes), (self.event_id, zone.zone_no)
            expected += zone.seat_count
        assert all(a < b for a, b in pairwise(self._row_starts)), self.event_id


def seat_id(event_id: int, seat: int) -> int:
    """The contract's id of a seat: positive, at most 2^53 - 1."""
    assert 1 <= event_id <= EVENT_ID_MAX, event_id
    assert 0 <= seat < CAPACITY_MAX, seat
    return (event_id << SEAT_BITS) + seat + 1


def split_seat_id(value: int) -> tuple[int, int] | None:
    """(event id, seat) of a contract's id; None for a number that cannot be one. Whether the
    event and the seat exist is for the hall to say.
    """
    event_id, seat = divmod(value - 1, CAPACITY_MAX)
    return (event_id, seat) if 1 <= event_id <= EVENT_ID_MAX else None


def seats_of_event(event_id: int, seat_ids: Sequence[int]) -> list[int]:
    """The seats behind contract ids that must all be of this event. Raises SeatUnknown for a
    number that cannot be an id, MixedEvents for a seat of another event.
    """
    seats = []
    for value in seat_ids:
        parts = split_seat_id(value)
        if parts is None:
            raise SeatUnknown(seat_id=value)
        if parts[0] != event_id:
            raise MixedEvents(seat_id=value, event_id=event_id)
        seats.append(parts[1])
    return seats
