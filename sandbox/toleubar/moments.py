"""Instants as the gateway writes them: ISO 8601, UTC, seven fractional digits."""

from datetime import UTC, datetime


def iso(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}0000Z"


def midnight_ms(now: datetime) -> int:
    """The start of the day in UTC: daily limits count from here."""
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
