"""The demonstration as planned: what visitors of a fresh machine will see."""

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from biletter.seed.accounts import PEOPLE, crowd
from biletter.seed.archive import archive
from biletter.seed.programme import programme
from biletter.seed.star import star_concert
from sales.geometry import Hall, Zone

TODAY = date(2026, 6, 1)


def hall_of(event):
    zones = [
        Zone(z.zone_no, z.name, z.price, z.first_row, z.row_sizes, z.first_seat, z.seat_count)
        for z in event.zones
    ]
    return Hall(event.id, zones)


def test_the_star_concert_has_its_hundred_thousand_places_at_their_prices():
    star = star_concert(None)
    assert (star.id, star.guarded, star.person_limit) == (1, True, None)
    assert [(zone.seat_count, zone.price) for zone in star.zones] == [
        (10_000, 4_000_000),
        (15_000, 8_000_000),
        (20_000, 12_000_000),
        (25_000, 16_000_000),
        (30_000, 20_000_000),
    ]
    rows = [(zone.first_row, zone.first_row + len(zone.row_sizes) - 1) for zone in star.zones]
    assert rows == [(1, 100), (101, 250), (251, 450), (451, 700), (701, 1000)]
    assert sum(zone.seat_count * zone.price for zone in star.zones) == 1_400_000_000_000
    assert hall_of(star).capacity == 100_000
    assert "Селеста Морейра" in star.title


def test_the_star_concert_takes_its_limit_from_the_settings():
    assert star_concert(4).person_limit == 4


def test_the_programme_is_the_same_at_every_seeding():
    assert programme() == programme()


def test_there_are_two_hundred_other_events_and_none_is_guarded():
    events = programme()
    assert [event.id for event in events] == list(range(2, 202))
    assert not any(event.guarded for event in events)
    kinds = Counter(event.kind for event in events)
    assert kinds["cinema"] >= 100
    assert {"standup", "musical", "theater", "toi", "concert", "sport"} <= set(kinds)
    assert len({event.city for event in events}) >= 8


def test_every_hall_is_whole_and_every_text_fits():
    for event in programme():
        hall = hall_of(event)
        assert 50 <= hall.capacity <= 12_000, event.hall
        assert all(zone.price >= 100_000 for zone in event.zones), event
        assert all(zone.price % 10_000 == 0 for zone in event.zones), "no odd hundreds of tenge"
        assert 1 <= len(event.title) <= 72
        assert 10 <= len(event.description) <= 5000
        assert event.look["theme"] in range(8)


def test_cinema_halls_have_eighty_to_three_hundred_seats():
    sizes = [hall_of(event).capacity for event in programme() if event.kind == "cinema"]
    assert min(sizes) >= 80
    assert max(sizes) <= 300


def test_events_lie_in_the_next_three_months_and_no_hall_is_booked_twice_at_once():
    events = programme()
    assert all(1 <= event.day <= 90 for event in events)
    begins = sorted((event.hall, event.day, event.minute) for event in events)
    for one, other in pairwise(begins):
        assert one[:2] != other[:2] or other[2] - one[2] >= 150


def test_a_day_and_a_minute_become_an_instant_at_the_hall():
    star = star_concert(None)
    assert star.starts_at(TODAY).isoformat() == "2026-07-16T20:00:00+05:00"
    assert star.local_day(TODAY) == date(2026, 7, 16)


def test_hot_events_have_a_limit_a_person():
    hot = [event for event in programme() if event.look.get("hot")]
    assert [event.person_limit for event in hot] == [2, 2]


def test_the_archive_answers_the_public_phrases():
    events = archive()
    assert [event.id for event in events] == list(range(100_000, 100_000 + len(events)))
    assert all(2015 <= event.starts_at.year <= 2024 for event in events)
    assert any("азарта" in event.description for event in events)
    assert any(event.title == 'Экспозиция "Звездные войны"' for event in events)
    assert any(event.starts_at.date() == date(2024, 12, 25) for event in events)


def test_everybody_has_a_password_that_may_be_typed():
    assert {one.role for one in PEOPLE} == {"buyer", "cashier", "operator", "admin"}
    everybody = [*PEOPLE, *crowd()]
    assert len({one.email for one in everybody}) == 5_005
    assert all(len(one.password) >= 8 for one in everybody)


@pytest.mark.parametrize("number", [1, 5_000])
def test_the_crowd_follows_its_rule(number):
    one = list(crowd())[number - 1]
    assert one.email == f"crowd-{number:05d}@demo.biletter.kz"
    assert one.password == f"crowd-{number:05d}"
