"""A plausible hall for an event that arrives without one, always the same one by its number."""

from random import Random

import msgspec

from biletter.seed import venues
from biletter.seed.plan import lay_zones
from sales.event_import import Hall
from sales.event_rows import EventRow
from sales.geometry import Zone

VENUES = {
    "film": venues.CINEMAS,
    "cinema": venues.CINEMAS,
    "stage": venues.THEATRES,
    "theater": venues.THEATRES,
    "game": venues.CLUBS,
    "sport": venues.ARENAS,
}
# Tenge.
PRICES = {venues.CINEMAS: (1_800, 3_200), venues.CLUBS: (4_000, 9_000)}
OTHER_PRICES = (3_500, 12_000)
THEMES = 8


def hall_of(event: EventRow) -> Hall:
    chance = Random(event.id)  # noqa: S311  # a hall, not a secret: it must come out the same
    choice = VENUES.get(event.kind, venues.THEATRES)
    venue = chance.choice(choice)
    low, high = PRICES.get(choice, OTHER_PRICES)
    zones = lay_zones(venue.parts, chance.randrange(low, high + 1, 100))
    return Hall(
        venue.hall,
        venue.city,
        {"theme": chance.randrange(THEMES)},
        tuple(Zone(**msgspec.structs.asdict(zone), seat_count=zone.seat_count) for zone in zones),
    )
