"""Reading what a browser sends: seats, days, page numbers. What is malformed is refused, once."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict

from kernel.errors import BadInput

# More than any order may hold: beyond this somebody is not using our page.
SEATS_MAX = 100
# Beyond any id of ours, and far from what makes int() slow.
DIGITS_MAX = 16

Req = Request[Any, Any, Any]


async def form_of(request: Req) -> FormMultiDict:
    return await request.form()


def texts(form: FormMultiDict, field: str) -> list[str]:
    """All values of a field; files are nobody's seat."""
    return [value for value in form.getall(field, []) if isinstance(value, str)]


def text(form: FormMultiDict, field: str) -> str:
    return next(iter(texts(form, field)), "")


def seats_of(values: Iterable[str]) -> list[int]:
    """Seat indexes without repetitions, in the order given. Raises BadInput."""
    seats = list(dict.fromkeys(whole(value) for value in values if value.strip()))
    if len(seats) > SEATS_MAX:
        raise BadInput("Слишком много мест сразу.")
    return seats


def whole(value: str) -> int:
    """A whole number from 0. Raises BadInput."""
    value = value.strip()
    if not (value.isascii() and value.isdecimal() and len(value) <= DIGITS_MAX):
        raise BadInput("Здесь должно быть целое число.")
    return int(value)


def whole_or(value: str | None, otherwise: int) -> int:
    """For what only leads around the page: a wrong page number is no reason to refuse."""
    try:
        return whole(value) if value else otherwise
    except BadInput:
        return otherwise


def day_of(value: str | None) -> date | None:
    """Raises BadInput for what is no day."""
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise BadInput("Такой даты нет, выберите другой день.") from error


def moment_of(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
