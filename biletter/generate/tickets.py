"""Tickets of finished events as CSV, sorted by event: about a thousand an event."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from biletter.generate.events import ARCHIVE_FIRST_ID

COLUMNS = "event_id,zone_no,row,seat,price_tiyn,sold_at,channel,state"
SOLD_MIN, SOLD_MAX = 600, 1_400
ROW_SEATS, ZONE_ROWS = 25, 20
PRICES = (800_000, 500_000, 350_000)
RETURNED_SHARE = 0.03
START = datetime(2015, 1, 1, tzinfo=UTC)


def tickets(count: int, seed: int) -> Iterator[bytes]:
    """The file in pieces, the header first."""
    random = Random(seed)  # noqa: S311  # the same seed, the same file
    yield f"{COLUMNS}\n".encode()
    event, left = ARCHIVE_FIRST_ID, count
    while left:
        sold = min(left, random.randint(SOLD_MIN, SOLD_MAX))
        opened = START + timedelta(minutes=random.randrange(5_000_000))
        seats = sorted(random.sample(range(SOLD_MAX), sold))
        yield "".join(_line(random, event, seat, opened) for seat in seats).encode()
        event, left = event + 1, left - sold


def _line(random: Random, event: int, seat: int, opened: datetime) -> str:
    row, number = divmod(seat, ROW_SEATS)
    zone = min(row // ZONE_ROWS, len(PRICES) - 1)
    sold_at = opened + timedelta(seconds=random.randrange(30 * 86_400))
    channel = random.choice(("web", "web", "web", "api", "box_office"))
    state = "returned" if random.random() < RETURNED_SHARE else "used"
    price = PRICES[zone]
    return (
        f"{event},{zone + 1},{row + 1},{number + 1},{price},{sold_at:%Y-%m-%dT%H:%M:%SZ},"
        f"{channel},{state}\n"
    )
