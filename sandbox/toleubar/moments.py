"""Instants as the gateway writes them: ISO 8601, UTC, seven fractional digits."""

from datetime import UTC, datetime
from functools import lru_cache

# One purchase writes twenty instants, and all purchases of a moment write the same second.
SECONDS_KEPT = 1_000


def iso(at_ms: int) -> str:
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}0000Z"


@lru_cache(maxsize=SECONDS_KEPT)
def _second(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}"


def midnight_ms(now: datetime) -> int:
    """The start of the day in UTC: daily limits count from here."""
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
