"""What programs ask of the public contract, as requests: searches, seat lists, logins."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count, cycle
from urllib.parse import urlencode

from loadtest.blast import get
from loadtest.wire import basic

# Two of the six phrases stand in the contract; the others are of their kind: a word of many texts,
# of few, of none but the star's, and the inside of words. Each with the contract's day and without.
PHRASES = (
    "азарт",
    'Экспозиция "Звездные войны"',
    "концерт",
    "симфонический вечер",
    "Селеста Морейра",
    "кино",
)
DAYS = ("", "2024-12-25")
PAGE_SIZE = 20
Requests = Callable[[], bytes | None]


def addresses() -> list[str]:
    """The twelve, as the contract's clients write them."""
    found = []
    for day in DAYS:
        for phrase in PHRASES:
            asked = {"query": phrase, "date": day, "page": 1, "pageSize": PAGE_SIZE}
            asked = {name: value for name, value in asked.items() if value}
            found.append(f"/api/events?{urlencode(asked)}")
    return found


def repeated(paths: Sequence[str]) -> Requests:
    """These addresses in turn, again and again."""
    turn = cycle([get(path) for path in paths])
    return lambda: next(turn)


def never_twice(paths: Sequence[str]) -> Requests:
    """The same, each time with a parameter that nobody knows: no memory has its answer."""
    turn = cycle([get(path).split(b" HTTP", 1) for path in paths])
    numbers = count()

    def one() -> bytes:
        begin, end = next(turn)
        return b"%b&never=%d HTTP%b" % (begin, next(numbers), end)

    return one


def seat_lists(event: int, people: Iterable[tuple[str, str]]) -> Requests:
    """Free seats, as each of these people sees them, in turn."""
    path = f"/api/seats?event_id={event}&page=1&pageSize={PAGE_SIZE}&status=FREE"
    turn = cycle([get(path, basic(*one)) for one in people])
    return lambda: next(turn)


def own_bookings(people: Iterable[tuple[str, str]]) -> Requests:
    """The cheapest call that needs an account, by each in turn: their bookings."""
    turn = cycle(_logins(people))
    return lambda: next(turn)


def first_calls(people: Iterable[tuple[str, str]]) -> Requests:
    """The same, once each."""
    waiting = iter(_logins(people))
    return lambda: next(waiting, None)


def _logins(people: Iterable[tuple[str, str]]) -> list[bytes]:
    return [get("/api/bookings", basic(*one)) for one in people]
