"""A seat provider's API, as its contract has it (§2): every call, and what its answer says.

Errors carry nothing but a status. 409 is a clear no. 500 says nothing at all: unknown ids, lost
write races and real breakdowns look alike; whether the call was carried out is found out by
looking, never by saying it again.
"""

from http import HTTPStatus
from typing import Any, Final, Literal, Protocol, TypeVar
from uuid import UUID

import msgspec

from kernel.documents import UNREADABLE
from sales.gateway import Unknown
from sales.gateway_wire import Answer, WireError
from sales.partner import NotThere, PlaceTold, Told

ORDERS: Final = "/api/partners/v1/orders"
PLACES: Final = "/api/partners/v1/places"
# The most that it gives at once.
PAGE_SIZE: Final = 1000
REASON_CHARS_MAX: Final = 200
Change = Literal["submit", "confirm", "cancel"]
T = TypeVar("T")


class Done(msgspec.Struct, frozen=True):
    """Carried out, though it may not show yet."""


class No(msgspec.Struct, frozen=True):
    """The state of the place or of the order forbids it."""


class PartnerWire(Protocol):
    async def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Raises WireError."""
        ...

    async def close(self) -> None: ...


class PartnerApi:
    def __init__(self, wire: PartnerWire) -> None:
        self._wire = wire

    async def close(self) -> None:
        await self._wire.close()

    async def create(self) -> UUID | Unknown:
        """A new empty order. One whose answer got lost stays empty, and harms nobody."""
        answer = await self._send("POST", ORDERS)
        if isinstance(answer, Unknown):
            return answer
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.OK}:
            return _odd("create", answer)
        told = _read(answer, _Created)
        return told if isinstance(told, Unknown) else told.order_id

    async def order(self, provider_order: UUID) -> Told | NotThere | Unknown:
        answer = await self._send("GET", f"{ORDERS}/{provider_order}")
        if isinstance(answer, Unknown):
            return answer
        if answer.status == HTTPStatus.NOT_FOUND:
            return NotThere()
        return _read(answer, Told) if answer.status == HTTPStatus.OK else _odd("order", answer)

    async def select(self, place: UUID, provider_order: UUID) -> Done | No | Unknown:
        body = msgspec.json.encode({"order_id": provider_order})
        return _outcome("select", await self._send("PATCH", f"{PLACES}/{place}/select", body))

    async def change(self, call: Change, provider_order: UUID) -> Done | No | Unknown:
        """Submit, confirm or cancel an order."""
        return _outcome(call, await self._send("PATCH", f"{ORDERS}/{provider_order}/{call}"))

    async def places(self, page: int) -> list[PlaceTold] | Unknown:
        """A page from 1, by row and seat; one shorter than PAGE_SIZE is the last."""
        answer = await self._send("GET", f"{PLACES}?page={page}&pageSize={PAGE_SIZE}")
        if isinstance(answer, Unknown):
            return answer
        if answer.status != HTTPStatus.OK:
            return _odd("places", answer)
        return _read(answer, list[PlaceTold])

    async def _send(self, method: str, path: str, body: bytes | None = None) -> Answer | Unknown:
        try:
            return await self._wire.send(method, path, body)
        except WireError as error:
            return Unknown(str(error)[:REASON_CHARS_MAX])


class _Created(msgspec.Struct):
    order_id: UUID


def _outcome(call: str, answer: Answer | Unknown) -> Done | No | Unknown:
    if isinstance(answer, Unknown):
        return answer
    if answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        return Done()
    return No() if answer.status == HTTPStatus.CONFLICT else _odd(call, answer)


def _odd(call: str, answer: Answer) -> Unknown:
    return Unknown(f"{call}: {answer.status}")


def _read(answer: Answer, kind: type[T]) -> T | Unknown:
    try:
        return msgspec.convert(_json(answer), kind, strict=False)
    except UNREADABLE as error:
        return Unknown(f"an odd answer: {error}"[:REASON_CHARS_MAX])


def _json(answer: Answer) -> Any:
    return msgspec.json.decode(answer.content)
