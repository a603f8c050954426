"""Events of an imported file, checked one by one; no store.

`{id, title, description, type, datetime_start, provider}`: the start is the hall's own time where
it says no offset. A wrong one is told with its place in the file and a stable reason.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kernel.incoming import BrokenJson, Objects
from kernel.text import has_unseen, seen_line

VENUE_ZONE = ZoneInfo("Asia/Almaty")
TITLE_MAX, DESCRIPTION_MAX, KIND_MAX, PROVIDER_MAX = 300, 5_000, 40, 200
YEARS = range(1900, 2200)


class EventRow(msgspec.Struct, frozen=True):
    """An event as the file tells it; `starts_at` is aware, `local_day` the day at the hall."""

    row: int
    id: int
    title: str
    description: str
    kind: str
    provider: str
    starts_at: datetime
    local_day: date


class EventReject(msgspec.Struct, frozen=True):
    row: int
    reason: str
    id: str = ""
    title: str = ""


class _WrongField(Exception):
    """Carries the reason."""


def read_events(objects: Objects, ids: range) -> Iterator[EventRow | EventReject]:
    """Every event of the file in order, good or not; `ids` are those that may be written. Where
    the file can't be read on, that is the last one told.
    """
    try:
        for told in objects:
            yield _judged(objects.row, told, ids)
    except BrokenJson as error:
        yield EventReject(objects.row + 1, "broken-json", title=str(error))


def _judged(row: int, told: Any, ids: range) -> EventRow | EventReject:
    if not isinstance(told, dict):
        return EventReject(row, "not-an-object")
    try:
        return _read(row, told, ids)
    except _WrongField as wrong:
        number, title = (str(told.get(name, ""))[:100] for name in ("id", "title"))
        return EventReject(row, str(wrong), number, title)


def _read(row: int, told: dict[str, Any], ids: range) -> EventRow:
    starts_at = _moment(told.get("datetime_start"))
    return EventRow(
        row=row,
        id=_id(told.get("id"), ids),
        title=_text(told, "title", TITLE_MAX, is_needed=True),
        description=_text(told, "description", DESCRIPTION_MAX),
        kind=_text(told, "type", KIND_MAX, is_needed=True),
        provider=_text(told, "provider", PROVIDER_MAX),
        starts_at=starts_at,
        local_day=starts_at.astimezone(VENUE_ZONE).date(),
    )


def _id(told: Any, ids: range) -> int:
    if type(told) is not int:
        raise _WrongField("bad-id")
    if told not in ids:
        raise _WrongField("id-out-of-range")
    return told


def _text(told: dict[str, Any], name: str, most: int, *, is_needed: bool = False) -> str:
    text = told.get(name)
    text = "" if text is None else text
    if not isinstance(text, str):
        raise _WrongField(f"bad-{name}")
    text = seen_line(text) if has_unseen(text) else text.strip()
    if len(text) > most or (is_needed and not text):
        raise _WrongField(f"bad-{name}")
    return text


def _moment(told: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        raise _WrongField("bad-time") from None
    if moment.year not in YEARS:
        raise _WrongField("bad-time")
    return moment if moment.tzinfo else moment.replace(tzinfo=VENUE_ZONE)
