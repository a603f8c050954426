"""Events to come and events of the archive, as JSON: one array, one event a line."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

import msgspec

from biletter.generate import texts

ARCHIVE_FIRST_ID = 100_000
ARCHIVE_FIRST_DAY, ARCHIVE_DAYS = date(2015, 1, 1), 3_652
ARCHIVE_KINDS = ("film", "game", "cinema", "concert", "theater", "sport", "exhibition")
ACTIVE_KINDS = ("film", "cinema", "stage", "game")
ACTIVE_DAYS = 90
QUARTER = timedelta(minutes=15)


class Told(msgspec.Struct, frozen=True):
    """An event as a file tells it: the start without an offset is the hall's own time."""

    id: int
    title: str
    description: str
    type: str
    datetime_start: str
    provider: str


def active(count: int, seed: int, today: date) -> Iterator[Told]:
    """Ids from 1; between tomorrow and ninety days ahead, starting 18:00 to 21:45."""
    random = Random(seed)  # noqa: S311  # the same seed, the same file
    for number in range(1, count + 1):
        kind = random.choice(ACTIVE_KINDS)
        day = today + timedelta(days=random.randint(1, ACTIVE_DAYS))
        yield _event(random, number, kind, _evening(random, day, 18, 16))


def archived(count: int, seed: int) -> Iterator[Told]:
    """Ids from 100 000; ten years of evenings, starting 17:00 to 22:45."""
    random = Random(seed)  # noqa: S311  # the same seed, the same file
    for number in range(ARCHIVE_FIRST_ID, ARCHIVE_FIRST_ID + count):
        kind = random.choice(ARCHIVE_KINDS)
        day = ARCHIVE_FIRST_DAY + timedelta(days=random.randrange(ARCHIVE_DAYS))
        yield _event(random, number, kind, _evening(random, day, 17, 24))


def as_json(events: Iterator[Told]) -> Iterator[bytes]:
    """An array, in pieces."""
    encode = msgspec.json.encode
    before = b"[\n"
    for event in events:
        yield before + encode(event)
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _event(random: Random, number: int, kind: str, starts: datetime) -> Told:
    return Told(
        number,
        texts.title(random, kind),
        random.choice(texts.DESCRIPTIONS),
        kind,
        starts.isoformat(),
        random.choice(texts.PROVIDERS),
    )


def _evening(random: Random, day: date, first_hour: int, quarters: int) -> datetime:
    return datetime.combine(day, time(first_hour)) + random.randrange(quarters) * QUARTER
