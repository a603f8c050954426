"""A small partner for tests: the provider's rules as its contract tells them, with its lag counted
in calls, and a script of what goes wrong.

Writing is at once, reading is behind: what a call changed shows after `lag` more calls. Whoever
ends an order before its place has joined stops the reader for ever, as the real one does.
"""

import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID, uuid4

from kernel.clock import Clock
from sales.catalogue import Catalogue
from sales.gateway_wire import Answer, WireError
from sales.halls import Halls
from sales.partner_api import PartnerApi
from sales.partner_careful import Partner
from sales.partner_halls import PartnerHalls
from sales.partners import Partners

PREFIX = "/api/partners/v1/"
NOT_FOUND, CONFLICT, BROKEN = 404, 409, 500


@dataclass
class Place:
    id: UUID
    row: int
    seat: int
    order: UUID | None = None
    is_free: bool = True  # as it is read


@dataclass
class TheirOrder:
    id: UUID
    state: str = "STARTED"
    places: list[UUID] = field(default_factory=list)
    # As it is read; None: it does not show yet.
    seen: tuple[str, int] | None = None


class FakePartner:
    """`plan["select"]` and so on: how the next calls of that name go: "500" (not carried out),
    "lost" (carried out, no answer), "silent" (neither), or a function that is called first.
    """

    def __init__(self, rows: list[int], *, lag: int = 0) -> None:
        self.places = {
            place.id: place
            for row, size in enumerate(rows)
            for place in [Place(uuid4(), row, seat) for seat in range(size)]
        }
        self.orders: dict[UUID, TheirOrder] = {}
        self.lag = lag
        self.plan: dict[str, deque[Any]] = {}
        self.calls: list[str] = []
        self.poisoned = False
        self._events: deque[tuple[int, Callable[[], None]]] = deque()

    def seat(self, number: int) -> Place:
        """By its number through the hall, from 0."""
        return sorted(self.places.values(), key=lambda place: (place.row, place.seat))[number]

    def sell_elsewhere(self, number: int) -> None:
        place = self.seat(number)
        place.order, place.is_free = uuid4(), False

    def states(self) -> list[str]:
        """Of the orders that have or had a place, in the order they were made."""
        return [order.state for order in self.orders.values() if order.places]

    def catch_up(self) -> None:
        """Everything shows."""
        while self._events:
            self._apply(self._events.popleft()[1])

    def is_taken(self, number: int) -> bool:
        return self.seat(number).order is not None

    async def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """As a wire of the client."""
        name, act = self._route(method, path, body)
        self.calls.append(name)
        how = self.plan[name].popleft() if self.plan.get(name) else None
        if callable(how):
            how = how()
            if isinstance(how, Awaitable):
                how = await how
        if how == "silent":
            raise WireError("no answer")
        if how == "500":
            return Answer(BROKEN, b"")
        while self._events and self._events[0][0] <= len(self.calls):
            self._apply(self._events.popleft()[1])
        status, told = act()
        if self.lag == 0:
            self.catch_up()
        if how == "lost":
            raise WireError("the line broke")
        return Answer(status, b"" if told is None else json.dumps(told, default=str).encode())

    async def close(self) -> None:
        """There is nothing to close."""

    def _apply(self, event: Callable[[], None]) -> None:
        if not self.poisoned:
            event()

    def _later(self, event: Callable[[], None]) -> None:
        self._events.append((len(self.calls) + self.lag, event))

    def _route(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[str, Callable[[], tuple[int, Any]]]:
        path, _, query = path.rpartition(PREFIX)[2].partition("?")
        parts = path.split("/")
        if parts[0] == "orders":
            if len(parts) == 1:
                return "create", self._create
            order = self.orders.get(UUID(parts[1]))
            if method == "GET":
                return "order", lambda: self._show(order)
            return parts[2], lambda: self._change(order, parts[2])
        if len(parts) == 1:
            given = dict(part.split("=") for part in query.split("&"))
            return "places", lambda: self._list(int(given["page"]), int(given["pageSize"]))
        place = self.places.get(UUID(parts[1]))
        order_id = UUID(json.loads(body or b"{}")["order_id"])
        return "select", lambda: self._select(place, self.orders.get(order_id))

    def _create(self) -> tuple[int, Any]:
        order = TheirOrder(uuid4())
        self.orders[order.id] = order
        self._later(lambda: self._seen(order))
        return 201, {"order_id": order.id}

    def _show(self, order: TheirOrder | None) -> tuple[int, Any]:
        if order is None or order.seen is None:
            return NOT_FOUND, None
        status, count = order.seen
        return 200, {"id": order.id, "status": status, "places_count": count, "started_at": 1}

    def _list(self, page: int, size: int) -> tuple[int, Any]:
        listed = sorted(self.places.values(), key=lambda place: (place.row, place.seat))
        return 200, [
            {"id": one.id, "row": one.row, "seat": one.seat, "is_free": one.is_free}
            for one in listed[(page - 1) * size : page * size]
        ]

    def _select(self, place: Place | None, order: TheirOrder | None) -> tuple[int, Any]:
        if place is None or order is None:
            return BROKEN, None
        if place.order is not None or order.state != "STARTED":
            return CONFLICT, None
        place.order = order.id

        def join() -> None:
            place.is_free = False
            if order.state != "STARTED":
                self.poisoned = True
                return
            order.places.append(place.id)
            self._seen(order)

        self._later(join)
        return 204, None

    def _change(self, order: TheirOrder | None, call: str) -> tuple[int, Any]:
        if order is None:
            return BROKEN, None
        before = {"submit": {"STARTED"}, "confirm": {"SUBMITTED"}}.get(
            call, {"STARTED", "SUBMITTED"}
        )
        if order.state not in before or (call == "submit" and not order.places):
            return CONFLICT, None
        after = {"submit": "SUBMITTED", "confirm": "CONFIRMED", "cancel": "CANCELLED"}
        order.state = after[call]
        known = list(order.places)

        def show() -> None:
            self._seen(order)
            for place_id in known if call == "cancel" else []:
                self.places[place_id].order = None
                self.places[place_id].is_free = True

        self._later(show)
        return 200, None

    @staticmethod
    def _seen(order: TheirOrder) -> None:
        order.seen = (order.state, len(order.places))


def client_of(fake: Any, seconds: Callable[[], float] | None = None) -> Callable[[str], Partner]:
    """What makes the client of a partner, wherever it is said to be."""
    given: dict[str, Any] = {"seconds": seconds} if seconds else {}

    def make(address: str) -> Partner:
        return Partner(
            address, PartnerApi(fake), rate_per_s=10_000, at_once=64, chance=Random(1), **given
        )

    return make


async def connect(db: Any, clock: Clock, event_id: int, fake: FakePartner) -> int:
    """The event is sold for this partner from now on; how many seats it has."""
    catalogue = Catalogue(db, clock)
    partners = Partners(db, clock, catalogue, base_url="http://hall", client=client_of(fake))
    return await PartnerHalls(db, clock, Halls(catalogue), partners).connect(event_id, None, "cli")
