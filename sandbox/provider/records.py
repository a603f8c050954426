"""The records: places, orders and what is under way between them, in one SQLite file (see
sandbox.sqlite_file). Nothing here decides; it says whether a change met what it expected.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from kernel.sql import load_queries
from sandbox.sqlite_file import open_file, together

VERSION = 1

_Q = load_queries(Path(__file__).parent / "sql")


class Place(Struct, frozen=True):
    """A place as it is decided."""

    id: str
    row: int
    seat: int
    revision: int
    order_id: str | None


class Order(Struct, frozen=True):
    """An order as it is decided; `count` are the places that have joined it."""

    id: str
    status: str
    revision: int
    count: int


class Message(Struct, frozen=True, kw_only=True):
    """What has been written about a place or an order (`kind`, `aggregate`) and travels on.
    `subject` is the other party: the order of a place, the place that left an order.
    """

    seq: int = 0
    hall: int
    kind: str
    aggregate: str
    revision: int
    what: str
    subject: str | None = None
    status: str | None = None
    count: int | None = None
    at_ms: int
    due_ms: int


class Records:
    def __init__(self, path: Path) -> None:
        """Raises FileBrokenError."""
        self._db = open_file(path, VERSION, _Q["make_tables"], "The provider's records")

    def close(self) -> None:
        self._db.close()

    def together(self) -> AbstractContextManager[None]:
        """What is written inside is kept as a whole or not at all; may be nested."""
        return together(self._db)

    # -- what is decided

    def add_places(self, places: Iterable[tuple[str, int, int, int]], *, shown: bool) -> int:
        """(id, hall, row, seat) each; returns how many."""
        rows = (
            {"id": one, "hall": hall, "row": row, "seat": seat, "shown": shown}
            for one, hall, row, seat in places
        )
        with self.together():
            return self._db.executemany(_Q["add_place"], rows).rowcount

    def find_place(self, hall: int, place_id: str) -> Place | None:
        row = self._one("find_place", hall=hall, id=place_id)
        return Place(**dict(row)) if row else None

    def take_place(self, place_id: str, revision: int, order_id: str | None) -> bool:
        """Give the place to the order, or to nobody; False when it is not in that revision."""
        change = {"id": place_id, "revision": revision, "order_id": order_id}
        return self._db.execute(_Q["take_place"], change).rowcount == 1

    def taken_by(self, order_id: str) -> list[tuple[str, int]]:
        """(id, revision) of the places that have joined the order."""
        return [tuple(row) for row in self._all("list_taken", order_id=order_id)]

    def add_order(self, hall: int, order_id: str, at_ms: int) -> None:
        self._db.execute(_Q["add_order"], {"hall": hall, "id": order_id, "at_ms": at_ms})

    def find_order(self, hall: int, order_id: str) -> Order | None:
        row = self._one("find_order", hall=hall, id=order_id)
        return Order(**dict(row)) if row else None

    def move_order(self, order: Order, status: str, at_ms: int) -> bool:
        """False when the order is not as it was read."""
        change = {"id": order.id, "revision": order.revision, "status": status, "at_ms": at_ms}
        return self._db.execute(_Q["move_order"], change).rowcount == 1

    def has_joined(self, order_id: str, place_id: str) -> bool:
        return self._one("has_joined", order_id=order_id, place_id=place_id) is not None

    def join(self, order_id: str, place_id: str) -> None:
        self._db.execute(_Q["join_order"], {"order_id": order_id, "place_id": place_id})

    def leave(self, order_id: str, place_id: str) -> None:
        self._db.execute(_Q["leave_order"], {"order_id": order_id, "place_id": place_id})

    # -- what is shown

    def show_place(self, place_id: str, *, free: bool) -> None:
        self._db.execute(_Q["show_place"], {"id": place_id, "free": free})

    def shown_place(self, hall: int, place_id: str) -> sqlite3.Row | None:
        """id, row, seat, shown_free."""
        return self._one("find_shown_place", hall=hall, id=place_id)

    def shown_places(self, hall: int, limit: int, offset: int) -> list[sqlite3.Row]:
        """As shown_place, by row and seat."""
        return self._all("list_places", hall=hall, limit=limit, offset=offset)

    def show_order(self, message: Message) -> None:
        shown = {"id": message.aggregate, "status": message.status, "count": message.count}
        self._db.execute(_Q["show_order"], shown | {"at_ms": message.at_ms})

    def shown_order(self, hall: int, order_id: str) -> sqlite3.Row | None:
        """id, shown_status, started_ms, shown_updated_ms, shown_count."""
        return self._one("find_shown_order", hall=hall, id=order_id)

    # -- what is under way

    def add_message(self, message: Message) -> None:
        fields = {name: getattr(message, name) for name in Message.__struct_fields__}
        self._db.execute(_Q["add_message"], fields)

    def due(
        self, hall: int, kind: str, now_ms: int, limit: int, *, unfair: bool = False
    ) -> list[Message]:
        query = "list_due_unfair" if unfair else "list_due"
        rows = self._all(query, hall=hall, kind=kind, now_ms=now_ms, limit=limit)
        return [Message(**dict(row)) for row in rows]

    def drop_message(self, seq: int) -> None:
        self._db.execute(_Q["drop_message"], {"seq": seq})

    def waiting(self) -> set[int]:
        """Halls with messages under way."""
        return {row[0] for row in self._all("list_waiting")}

    def has_message(self, hall: int) -> bool:
        return self._one("has_message", hall=hall) is not None

    # -- people and checkers

    def halls(self) -> list[int]:
        return [row[0] for row in self._all("list_halls")]

    def totals(self, hall: int) -> dict[str, object]:
        counts = self._one("count_hall", hall=hall)
        assert counts is not None
        orders = {row["status"]: row["count"] for row in self._all("count_orders", hall=hall)}
        return {**dict(counts), "orders": orders}

    def truth(self, hall: int, after: int, limit: int) -> list[sqlite3.Row]:
        """seq, id, row, seat, order_id, status, joined."""
        return self._all("list_truth", hall=hall, after=after, limit=limit)

    def reset(self, hall: int, *, places: bool) -> None:
        """Forget the hall's orders, and its places too or free them all."""
        doing = ["clear_joined", "clear_messages", "clear_orders"]
        doing.append("clear_places" if places else "free_places")
        with self.together():
            for name in doing:
                self._db.execute(_Q[name], {"hall": hall})

    # -- settings changed while running

    def setting(self, name: str) -> bytes | None:
        row = self._one("find_setting", name=name)
        return row[0] if row else None

    def keep_setting(self, name: str, value: bytes) -> None:
        self._db.execute(_Q["keep_setting"], {"name": name, "value": value})

    def _one(self, query: str, **keys: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(_Q[query], keys).fetchone()
        return row

    def _all(self, query: str, **keys: object) -> list[sqlite3.Row]:
        return self._db.execute(_Q[query], keys).fetchall()
