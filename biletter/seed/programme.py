"""The 200 ordinary events of the demonstration, the same at every seeding but for their dates."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from random import Random

import msgspec

from biletter.seed import shows, venues
from biletter.seed.plan import PlannedEvent, Show, Venue, lay_zones

FIRST_ID = 2
SEED = 20_250_101
DAYS = 90
HOT_PERSON_LIMIT = 2
STEP_MINUTES = 15
# Beginnings in one hall are at least this far apart.
APART_MINUTES = 150
# Days after the seeding and minutes after midnight.
Moment = tuple[int, int]
# Hall, day and minute of a beginning.
Begin = tuple[str, int, int]


class Season(msgspec.Struct, frozen=True):
    """How many events of a kind there are, where, when and for how much (tenge)."""

    kind: str
    count: int
    shows: Sequence[Show]
    venues: Sequence[Venue]
    days: int
    hours: tuple[int, int]
    prices: tuple[int, int]
    person_limit: int | None = None


SEASONS = (
    Season("cinema", 120, shows.FILMS, venues.CINEMAS, 28, (10, 22), (1_800, 3_200)),
    Season("standup", 20, shows.STANDUP, venues.CLUBS, 60, (19, 21), (5_000, 9_000), 8),
    Season("musical", 12, shows.MUSICALS, venues.THEATRES, DAYS, (18, 19), (8_000, 16_000), 8),
    Season("theater", 20, shows.PLAYS, venues.THEATRES, DAYS, (18, 19), (3_500, 8_000)),
    Season("toi", 10, shows.TOI_EVENINGS, venues.TOI_HALLS, DAYS, (18, 19), (12_000, 22_000)),
    Season("concert", 10, shows.CONCERTS, venues.THEATRES, DAYS, (19, 20), (6_000, 15_000), 8),
    Season("sport", 6, shows.MATCHES, venues.ARENAS, DAYS, (17, 19), (2_500, 6_000)),
)
# Kind, show, hall, price in tenge, moment.
HOT = (
    ("sport", shows.FINAL, venues.ARENAS[0], 9_000, (30, 19 * 60)),
    ("concert", shows.QPOP, venues.ARENAS[1], 25_000, (37, 20 * 60)),
)


def programme() -> list[PlannedEvent]:
    """Ids FIRST_ID … FIRST_ID + 199, the hot ones first."""
    chance = Random(SEED)  # noqa: S311  # a programme, not a secret: it must come out the same
    planned = [
        msgspec.structs.replace(
            _event(kind, show, venue, price, moment, person_limit=HOT_PERSON_LIMIT),
            look={"theme": show.theme, "hot": True},
        )
        for kind, show, venue, price, moment in HOT
    ]
    booked = {(event.hall, event.day, event.minute) for event in planned}
    for season in SEASONS:
        planned += _season(season, chance, booked)
    return [
        msgspec.structs.replace(event, id=number)
        for number, event in enumerate(planned, start=FIRST_ID)
    ]


def _season(season: Season, chance: Random, booked: set[Begin]) -> Iterator[PlannedEvent]:
    for show, venue in islice(_pairs(season), season.count):
        moment = _moment(season, chance)
        while _is_booked(venue.hall, moment, booked):
            moment = _moment(season, chance)
        booked.add((venue.hall, *moment))
        price = chance.randrange(season.prices[0], season.prices[1] + 1, 100)
        yield _event(season.kind, show, venue, price, moment, person_limit=season.person_limit)


def _pairs(season: Season) -> Iterator[tuple[Show, Venue]]:
    """Shows go round the halls; each full round of halls begins one show later, so that a show
    does not stay in one hall where both lists are of one length.
    """
    halls = len(season.venues)
    for number in cycle(range(halls * len(season.shows))):
        shift = number // halls
        yield season.shows[(number + shift) % len(season.shows)], season.venues[number % halls]


def _moment(season: Season, chance: Random) -> Moment:
    """Soon is likelier than late: people come to buy for this week."""
    day = 1 + min(chance.randrange(season.days), chance.randrange(season.days))
    first, last = season.hours
    return day, chance.choice(range(first * 60, last * 60 + 1, STEP_MINUTES))


def _is_booked(hall: str, moment: Moment, booked: set[Begin]) -> bool:
    day, minute = moment
    near = range(minute - APART_MINUTES + 1, minute + APART_MINUTES)
    return any((hall, day, other) in booked for other in near)


def _event(
    kind: str, show: Show, venue: Venue, price: int, moment: Moment, *, person_limit: int | None
) -> PlannedEvent:
    day, minute = moment
    return PlannedEvent(
        id=0,
        title=show.title,
        description=show.description,
        kind=kind,
        hall=venue.hall,
        city=venue.city,
        day=day,
        minute=minute,
        zones=lay_zones(venue.parts, price),
        look={"theme": show.theme},
        person_limit=person_limit,
    )
