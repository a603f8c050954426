"""Each call of the partner's API: what it reads from the request, and what it answers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from kernel.documents import UNREADABLE
from sandbox.provider import extras, ordering, placing, reading
from sandbox.provider.desk import Desk
from sandbox.provider.refusals import BadBody, Malformed

WRITTEN_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class Asked(Struct, frozen=True):
    """One call, read as far as the path goes. `named`: the id in it, as it was written."""

    hall: int
    named: str
    query: Mapping[str, list[str]]
    body: bytes

    def id(self) -> str:
        """Raises Malformed."""
        return read_id(self.named)

    def first(self, name: str) -> str | None:
        return self.query[name][0] if name in self.query else None


class Selected(Struct, frozen=True):
    order_id: str


class Created(Struct, frozen=True):
    row: Int32
    seat: Int32


class Plain(Struct, frozen=True):
    status: int
    body: object = None


Act = Callable[[Desk, Asked], Awaitable[Plain]]


def read_id(written: str) -> str:
    """Raises Malformed."""
    if not WRITTEN_ID.fullmatch(written):
        raise Malformed
    return str(UUID(written))


def _read(body: bytes, kind: type[Any]) -> Any:
    """Raises BadBody."""
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise BadBody from error


async def start(desk: Desk, asked: Asked) -> Plain:
    return Plain(HTTPStatus.CREATED, {"order_id": ordering.start(desk, asked.hall)})


async def show_order(desk: Desk, asked: Asked) -> Plain:
    return Plain(HTTPStatus.OK, reading.read_order(desk, asked.hall, asked.id()))


async def submit(desk: Desk, asked: Asked) -> Plain:
    await ordering.submit(desk, asked.hall, asked.id())
    return Plain(HTTPStatus.OK)


async def confirm(desk: Desk, asked: Asked) -> Plain:
    await ordering.confirm(desk, asked.hall, asked.id())
    return Plain(HTTPStatus.OK)


async def cancel(desk: Desk, asked: Asked) -> Plain:
    await ordering.cancel(desk, asked.hall, asked.id())
    return Plain(HTTPStatus.OK)


async def list_places(desk: Desk, asked: Asked) -> Plain:
    page, size = asked.first("page"), asked.first("pageSize")
    return Plain(HTTPStatus.OK, reading.list_places(desk, asked.hall, page, size))


async def show_place(desk: Desk, asked: Asked) -> Plain:
    return Plain(HTTPStatus.OK, reading.read_place(desk, asked.hall, asked.id()))


async def select(desk: Desk, asked: Asked) -> Plain:
    order_id = _read(asked.body, Selected).order_id
    try:
        ids = read_id(asked.named), read_id(order_id)
    except Malformed as error:
        raise BadBody from error
    await placing.select(desk, asked.hall, *ids)
    return Plain(HTTPStatus.NO_CONTENT)


async def release(desk: Desk, asked: Asked) -> Plain:
    await placing.release(desk, asked.hall, asked.id())
    return Plain(HTTPStatus.NO_CONTENT)


async def create(desk: Desk, asked: Asked) -> Plain:
    place = _read(asked.body, Created)
    place_id = placing.create(desk, asked.hall, place.row, place.seat)
    return Plain(HTTPStatus.ACCEPTED, {"place_id": place_id})


async def create_many(desk: Desk, asked: Asked) -> Plain:
    bulk = _read(asked.body, extras.Bulk)
    if sum(row.seats for row in bulk.rows) > extras.PLACES_MAX:
        raise BadBody
    return Plain(HTTPStatus.OK, {"created": extras.create_many(desk, asked.hall, bulk)})


async def clean(desk: Desk, asked: Asked) -> Plain:
    extras.clean(desk, asked.hall, _read(asked.body or b"{}", extras.Clean))
    return Plain(HTTPStatus.OK, desk.records.totals(asked.hall))


# Method, path with {} for an id → the verb's name among the faults, and what is done.
CALLS: dict[tuple[str, str], tuple[str, Act]] = {
    ("POST", "/api/partners/v1/orders"): ("start", start),
    ("GET", "/api/partners/v1/orders/{}"): ("order", show_order),
    ("PATCH", "/api/partners/v1/orders/{}/submit"): ("submit", submit),
    ("PATCH", "/api/partners/v1/orders/{}/confirm"): ("confirm", confirm),
    ("PATCH", "/api/partners/v1/orders/{}/cancel"): ("cancel", cancel),
    ("GET", "/api/partners/v1/places"): ("list", list_places),
    ("GET", "/api/partners/v1/places/{}"): ("place", show_place),
    ("PATCH", "/api/partners/v1/places/{}/select"): ("select", select),
    ("PATCH", "/api/partners/v1/places/{}/release"): ("release", release),
    ("POST", "/api/admin/v1/places"): ("create", create),
}
EXTRA_CALLS: dict[tuple[str, str], tuple[str, Act]] = {
    ("POST", "/api/admin/v1/places/bulk"): ("", create_many),
    ("POST", "/api/admin/v1/reset"): ("", clean),
}
