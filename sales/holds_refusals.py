"""Every "no" of the holds, and the one table that turns a script's answer word into it.

419 is the public contract's own status: the seat could not be changed because of its state.
"""

from collections.abc import Callable
from typing import Final

from kernel.errors import Forbidden, Refusal
from kernel.lua import Reply, word
from sales.geometry import Hall, SeatUnknown, seat_id


class SeatTaken(Refusal):
    """Эти места уже заняты. Выберите другие."""

    status, code = 419, "seat-taken"


class TooManySeats(Refusal):
    """Столько мест в одном заказе выбрать нельзя."""

    status, code = 419, "too-many-seats"


class PersonLimit(Refusal):
    """У вас уже столько мест, сколько можно одному человеку."""

    status, code = 419, "person-limit"


class FewSeats(Refusal):
    """В этой зоне не осталось столько свободных мест."""

    status, code = 419, "few-seats"


class OutsideAllotment(Refusal):
    """Эти места мы не продаём. Выберите другие."""

    status, code = 419, "outside-allotment"


class AllotmentSpent(Refusal):
    """В этой зоне у нас не осталось столько мест."""

    status, code = 419, "allotment-spent"


class AllotmentOver(Refusal):
    """Срок, до которого мы продаём эти места, вышел."""

    status, code = 419, "allotment-over"


class NotYourSeat(Forbidden):
    """Это место выбрали не вы."""

    code = "not-your-seat"


class SeatNotHeld(Refusal):
    """Это место не забронировано."""

    status, code = 419, "seat-not-held"


class HoldOver(Refusal):
    """Время брони вышло. Выберите места ещё раз."""

    status, code = 419, "hold-over"


class HoldFrozen(Refusal):
    """Заказ уже оплачивается, менять места нельзя."""

    status, code = 419, "payment-open"


class SaleClosed(Refusal):
    """Продажа билетов на это мероприятие закрыта."""

    status, code = 419, "sale-closed"


def refusal_of(reply: Reply, hall: Hall) -> Refusal:
    """The refusal behind an answer of hold, release or freeze. An unknown word is our bug."""
    fields = [int(field) for field in reply[1:]]
    return REFUSALS[word(reply)](hall, fields)


def _taken(hall: Hall, seats: list[int]) -> Refusal:
    return SeatTaken(seats=[named(hall, seat) for seat in seats])


def _outside(hall: Hall, seats: list[int]) -> Refusal:
    return OutsideAllotment(seats=[named(hall, seat) for seat in seats])


def _not_held(hall: Hall, seats: list[int]) -> Refusal:
    return SeatNotHeld(seats=[named(hall, seat) for seat in seats])


def named(hall: Hall, seat: int) -> dict[str, int]:
    """A seat as a refusal tells it: id of the contract, row and number."""
    place = hall.place(seat)
    return {"id": seat_id(hall.event_id, seat), "row": place.row, "number": place.number}


REFUSALS: Final[dict[str, Callable[[Hall, list[int]], Refusal]]] = {
    "ended": lambda _hall, _fields: AllotmentOver(),
    "few": lambda _hall, fields: FewSeats(free=fields[0]),
    "foreign": lambda _hall, _fields: NotYourSeat(),
    "frozen": lambda _hall, _fields: HoldFrozen(),
    "many": lambda _hall, fields: TooManySeats(limit=fields[0]),
    "outside": _outside,
    "over": lambda _hall, _fields: HoldOver(),
    "person": lambda _hall, fields: PersonLimit(limit=fields[0], has=fields[1]),
    "spent": lambda _hall, fields: AllotmentSpent(left=fields[0]),
    "taken": _taken,
    "unheld": _not_held,
    "unknown": lambda _hall, fields: SeatUnknown(seat=fields[0]),
}
