"""Events of the demonstration whose seats others own: a cinema that sells its seats elsewhere too,
and a festival that has given us a share of its fan zone.
"""

from biletter.seed import shows, venues
from biletter.seed.plan import PlannedEvent, Share, lay_zones

CINEMA_ID = 202
FESTIVAL_ID = 203
CINEMA_PRICE, FESTIVAL_PRICE = 2_600, 18_000
# Of the fan zone any 1 400 places, of the stand its first rows for the site alone; the boxes stay
# with their owner. Until two days before.
SHARES = (
    Share(zone_no=1, channel="any", days_before=2, places=1_400),
    Share(zone_no=2, channel="web", days_before=2, rows=6),
)


def owned() -> list[PlannedEvent]:
    return [partner_cinema(), festival()]


def partner_cinema() -> PlannedEvent:
    show, venue = shows.PARTNER_FILM, venues.PARTNER_CINEMA
    return PlannedEvent(
        id=CINEMA_ID,
        title=show.title,
        description=show.description,
        kind="cinema",
        hall=venue.hall,
        city=venue.city,
        day=6,
        minute=19 * 60 + 30,
        zones=lay_zones(venue.parts, CINEMA_PRICE),
        look={"theme": show.theme},
        ownership="partner",
    )


def festival() -> PlannedEvent:
    show, venue = shows.FESTIVAL, venues.FESTIVAL_FIELD
    return PlannedEvent(
        id=FESTIVAL_ID,
        title=show.title,
        description=show.description,
        kind="concert",
        hall=venue.hall,
        city=venue.city,
        day=26,
        minute=16 * 60,
        zones=lay_zones(venue.parts, FESTIVAL_PRICE),
        look={"theme": show.theme, "hot": True},
        ownership="allotment",
        shares=SHARES,
    )
