"""Stand-ins for what is far away: a gateway with scripted outcomes, including silence, and a room
that remembers what it was told.

The gateway keeps books like the real one, so that what was carried out in silence is found later.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Literal, TypeVar

from sales.gateway import Accepted, Found, Offered, Refused, ReturnUrls, Unknown
from sales.room_desk import Busy

T = TypeVar("T")


class Killed(BaseException):
    """The process dies here. Not an Exception, so nothing of ours can catch it."""


@dataclass
class Silent:
    """No answer. `acted`: the gateway carried it out all the same."""

    acted: bool


@dataclass
class Refuse:
    code: str


@dataclass
class Die:
    """We are killed, before the call reaches the gateway or after it was carried out."""

    after: bool


Outcome = Silent | Refuse | Die | Literal["ok"]


@dataclass
class Booked:
    payment_id: str
    order_id: str
    amount: int
    status: str = "NEW"
    confirms: int = 0
    cancels: int = 0
    urls: ReturnUrls | None = None


@dataclass
class FakeGateway:
    """`script[verb]` is used up from the left; an empty one means "ok"."""

    books: dict[str, Booked] = field(default_factory=dict)
    script: dict[str, deque[Outcome]] = field(default_factory=lambda: defaultdict(deque))
    calls: list[str] = field(default_factory=list)
    # The real service's manners: cancel never works, confirm leaves AUTHORIZED (§1.4, §1.5).
    faithful: bool = False
    # The answer of a stale cache, as long as it is set.
    stale_status: str | None = None
    # For how many seconds it is to be left alone, by call.
    away: dict[str, float] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: count(17_556_000_000_001))

    def plan(self, verb: str, *outcomes: Outcome) -> None:
        self.script[verb].extend(outcomes)

    def pay(self, status: str = "AUTHORIZED") -> Booked:
        """The buyer submits the form of the newest payment."""
        booked = self.newest
        booked.status = status
        return booked

    @property
    def newest(self) -> Booked:
        return list(self.books.values())[-1]

    def form_url(self, payment_id: str) -> str:
        return f"http://gateway/form/{payment_id}"

    def away_s(self, call: str) -> float:
        return self.away.get(call, 0.0)

    def is_slow(self, call: str) -> bool:
        return self.away_s(call) > 0

    async def init(
        self, *, order_id: str, amount: int, description: str, expiry_min: int, urls: ReturnUrls
    ) -> Offered | Refused | Unknown:
        def act() -> Offered | Refused | Unknown:
            if order_id in self.books:
                return Unknown("1002 duplicate order id", is_trouble=False)
            booked = Booked(str(next(self.ids)), order_id, amount, urls=urls)
            self.books[order_id] = booked
            return Offered(booked.payment_id, self.form_url(booked.payment_id))

        return self._play("init", act)

    async def check(self, *, payment_id: str | None, order_id: str) -> Found | Refused | Unknown:
        def act() -> Found | Refused | Unknown:
            booked = self._find(payment_id) if payment_id else self.books.get(order_id)
            if booked is None:
                return Refused("1404")
            status = self.stale_status or booked.status
            return Found(booked.payment_id, booked.order_id, status, booked.amount)

        return self._play("check", act)

    async def confirm(
        self, *, payment_id: str, amount: int, key: str
    ) -> Accepted | Refused | Unknown:
        def act() -> Accepted | Refused | Unknown:
            booked = self._find(payment_id)
            if booked is None:
                return Refused("2404")
            if booked.status != "AUTHORIZED":
                return Refused("2409")
            booked.confirms += 1
            if not self.faithful:
                booked.status = "CONFIRMED"
            return Accepted(booked.status)

        return self._play("confirm", act)

    async def cancel(
        self, *, payment_id: str, reason: str, key: str
    ) -> Accepted | Refused | Unknown:
        def act() -> Accepted | Refused | Unknown:
            booked = self._find(payment_id)
            if self.faithful:
                return Refused("3001")
            if booked is None:
                return Refused("3404")
            after = {"NEW": "CANCELLED", "AUTHORIZED": "CANCELLED", "CONFIRMED": "REFUNDED"}
            if booked.status not in after:
                return Refused("3409")
            booked.cancels += 1
            booked.status = after[booked.status]
            return Accepted(booked.status)

        return self._play("cancel", act)

    def _find(self, payment_id: str) -> Booked | None:
        return next((one for one in self.books.values() if one.payment_id == payment_id), None)

    def _play(self, verb: str, act: Callable[[], T]) -> T | Refused | Unknown:
        self.calls.append(verb)
        outcome = self.script[verb].popleft() if self.script[verb] else "ok"
        match outcome:
            case Refuse(code):
                return Refused(code)
            case Silent(acted):
                if acted:
                    act()
                return Unknown("silence")
            case Die(after):
                if after:
                    act()
                raise Killed
        return act()


@dataclass
class FakeRooms:
    """What the room was told, in order."""

    told: list[tuple[str, int, str]] = field(default_factory=list)

    async def keep(self, event: int, subject: str, until_ms: int, jti: str | None = None) -> bool:
        self.told.append(("keep", event, subject))
        return True

    async def free(self, event: int, subject: str, jti: str | None = None) -> bool:
        self.told.append(("free", event, subject))
        return True


@dataclass
class FakeModes:
    """Rooms named here are off: no pass is needed; or automatic and armed since then. `counted`
    are the events that requests came for.
    """

    off: set[int] = field(default_factory=set)
    armed: dict[int, datetime] = field(default_factory=dict)
    counted: list[int] = field(default_factory=list)

    def is_open(self, event_id: int) -> bool:
        return event_id in self.off

    def armed_at(self, event_id: int) -> datetime | None:
        return self.armed.get(event_id)

    def came(self, event_id: int) -> None:
        self.counted.append(event_id)


@dataclass
class FakeDesk:
    """The room's answers to programs, used up from the left; then `then`."""

    said: deque[Any] = field(default_factory=deque)
    then: Any = field(default_factory=lambda: Busy("waiting", 1_000))
    asked: list[tuple[int, str, str | None]] = field(default_factory=list)

    async def admit(self, event_id: int, subject: str, over: str | None) -> Any:
        self.asked.append((event_id, subject, over))
        answer = self.said.popleft() if self.said else self.then
        if callable(answer):
            answer = await answer(event_id, subject)
        if isinstance(answer, Exception):
            raise answer
        return answer
