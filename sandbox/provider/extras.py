"""What the real provider has not: a hall in one call, and a clean one. Behind a flag of its own."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from sandbox.provider.desk import Desk

ROWS_MAX = 10_000
ROW_SEATS_MAX = 10_000
PLACES_MAX = 1_000_000
Number = Annotated[int, Meta(ge=-(2**31), le=2**31 - ROW_SEATS_MAX)]


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    row: Number
    seats: Annotated[int, Meta(ge=1, le=ROW_SEATS_MAX)]
    first_seat: Number = 1


class Bulk(Struct, frozen=True, forbid_unknown_fields=True):
    rows: Annotated[tuple[Row, ...], Meta(min_length=1, max_length=ROWS_MAX)]


class Clean(Struct, frozen=True, forbid_unknown_fields=True):
    # Whether the hall's places go, too; they stay and are free otherwise.
    places: bool = False


def create_many(desk: Desk, hall: int, bulk: Bulk) -> int:
    """All the places or none, listed at once; returns how many. No more than PLACES_MAX (asked
    by the caller).
    """

    def places() -> Iterator[tuple[str, int, int, int]]:
        for one in bulk.rows:
            for seat in range(one.first_seat, one.first_seat + one.seats):
                yield desk.new_id(), hall, one.row, seat

    return desk.records.add_places(places(), shown=True)


def clean(desk: Desk, hall: int, wanted: Clean) -> None:
    """No orders and nothing under way any more; a swallowed pill is forgotten."""
    desk.records.reset(hall, places=wanted.places)
    desk.consumer.stopped.discard(hall)
