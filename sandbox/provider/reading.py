"""The read model: late, and never a word of which place is in which order."""

import re
from sqlite3 import Row

from sandbox.provider.desk import Desk
from sandbox.provider.refusals import Malformed, NotShown

PAGE_SIZE = 20
PAGE_SIZE_MAX = 1000
INT_MAX = 2**31 - 1
INT = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)


def read_order(desk: Desk, hall: int, order_id: str) -> dict[str, object]:
    """Raises NotShown."""
    row = desk.records.shown_order(hall, order_id)
    if row is None:
        raise NotShown
    return {
        "id": row["id"],
        "status": row["shown_status"],
        "started_at": row["started_ms"],
        "updated_at": row["shown_updated_ms"],
        "places_count": row["shown_count"],
    }


def read_place(desk: Desk, hall: int, place_id: str) -> dict[str, object]:
    """Raises NotShown."""
    row = desk.records.shown_place(hall, place_id)
    if row is None:
        raise NotShown
    return _place(row)


def list_places(
    desk: Desk, hall: int, page: str | None, page_size: str | None
) -> list[dict[str, object]]:
    """By row and seat. Raises Malformed: no number, or a negative size."""
    number = max(_whole(page, 1), 1)
    size = min(_whole(page_size, PAGE_SIZE), PAGE_SIZE_MAX)
    if size < 0:
        raise Malformed
    rows = desk.records.shown_places(hall, size, (number - 1) * size)
    return [_place(row) for row in rows]


def _place(row: Row) -> dict[str, object]:
    is_free = bool(row["shown_free"])
    return {"id": row["id"], "row": row["row"], "seat": row["seat"], "is_free": is_free}


def _whole(written: str | None, otherwise: int) -> int:
    """A 32-bit number as the source reads one. Raises Malformed."""
    if written is None:
        return otherwise
    if not INT.fullmatch(written) or not -INT_MAX - 1 <= int(written) <= INT_MAX:
        raise Malformed
    return int(written)
