"""Where seats stand, and their ids in the contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.values import ID_MAX
from sales.geometry import (
    CAPACITY_MAX,
    EVENT_ID_MAX,
    Hall,
    MixedEvents,
    SeatUnknown,
    Zone,
    seat_id,
    seats_of_event,
    split_seat_id,
)
from tests.halls import SMALL, big_zones

HALL = Hall(7, SMALL)


def test_every_seat_has_a_place_and_every_place_its_seat():
    places = [HALL.place(seat) for seat in range(HALL.capacity)]
    assert [(place.row, place.number) for place in places] == [
        *[(1, 1), (1, 2), (1, 3)],
        *[(2, 1), (2, 2), (2, 3), (2, 4)],
        *[(3, 1), (3, 2), (3, 3), (3, 4)],
    ]
    assert [place.zone_no for place in places] == [1] * 7 + [2] * 4
    assert places[7].price == 300_000
    assert places[7].zone_name == "Балкон"
    for seat, place in enumerate(places):
        assert HALL.seat_at(place.row, place.number) == seat
        assert HALL.zone_of(seat).zone_no == place.zone_no


def test_places_that_do_not_exist_have_no_seat():
    for row, number in [(1, 0), (1, 4), (0, 1), (4, 1), (1, -1)]:
        assert HALL.seat_at(row, number) is None
    assert list(HALL.seats_of_row(2)) == [3, 4, 5, 6]
    assert list(HALL.seats_of_row(9)) == []
    assert HALL.zone(3) is None
    balcony = HALL.zone(2)
    assert balcony is not None
    assert balcony.last_row == 3
    assert list(balcony.seats) == [7, 8, 9, 10]


def test_known_seats_lose_repetitions_and_unknown_ones_are_refused():
    assert HALL.known([3, 1, 3]) == [3, 1]
    for seat in (-1, 11, 2**63):
        with pytest.raises(SeatUnknown):
            HALL.known([0, seat])


def test_the_star_concert_fits():
    hall = Hall(1, big_zones())
    assert hall.capacity == 100_000
    assert (hall.place(99_999).row, hall.place(99_999).number) == (1000, 100)


def test_an_event_without_zones_has_an_empty_hall():
    assert Hall(7, []).capacity == 0
    with pytest.raises(SeatUnknown):
        Hall(7, []).known([0])


@pytest.mark.parametrize(
    "zones",
    [
        [Zone(1, "A", 1, 1, (3,), 1, 3)],
        [Zone(1, "A", 1, 1, (3,), 0, 4)],
        [Zone(1, "A", 1, 1, (3, 0), 0, 3)],
        [Zone(1, "A", 1, 1, (3,), 0, 3), Zone(2, "B", 1, 1, (3,), 3, 3)],
        [Zone(1, "A", 1, 1, (3,), 0, 3), Zone(2, "B", 1, 2, (3,), 2, 3)],
    ],
    ids=["gap", "count", "empty row", "row twice", "overlap"],
)
def test_zones_that_contradict_each_other_are_our_bug(zones):
    with pytest.raises(AssertionError):
        Hall(7, zones)


@given(st.integers(1, EVENT_ID_MAX), st.integers(0, CAPACITY_MAX - 1))
def test_an_id_is_split_into_what_it_was_made_of(event_id, seat):
    whole = seat_id(event_id, seat)
    assert 0 < whole <= ID_MAX
    assert split_seat_id(whole) == (event_id, seat)


@given(st.integers(-(2**70), 2**70))
def test_any_number_is_split_or_is_no_id(value):
    parts = split_seat_id(value)
    assert parts is None or seat_id(*parts) == value


@pytest.mark.parametrize("value", [0, 1, -1, CAPACITY_MAX, ID_MAX + 2, 2**63, -(2**63)])
def test_numbers_that_cannot_be_ids(value):
    assert split_seat_id(value) is None
    with pytest.raises(SeatUnknown) as refused:
        seats_of_event(7, [value])
    assert refused.value.status == 419


def test_seats_of_two_events_are_refused():
    assert seats_of_event(7, [seat_id(7, 0), seat_id(7, 5)]) == [0, 5]
    with pytest.raises(MixedEvents) as refused:
        seats_of_event(7, [seat_id(7, 0), seat_id(8, 0)])
    assert (refused.value.status, refused.value.code) == (419, "seats-of-two-events")
