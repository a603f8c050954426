"""What the contract promises of many callers at once, on real processes; at length it is
`python -m loadtest.races` and `python -m loadtest.ten_users`.
"""

from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from loadtest.races import race
from loadtest.ten_users import lines_of, ten_users
from tests.house import House, until

pytestmark = pytest.mark.process
# Of the simulated crowd; other tests are about other numbers.
FIRST = 4600
TEN = 4620
PROBE = 4640
# Neither limits what a person may have.
STAR, OURS, PARTNERS = 1, 4, 202
ROUNDS = 14
# Longer than a list of free seats may be old.
PAUSE_S = (0.25, 0.3)


@pytest.mark.parametrize(("event", "tries"), [(OURS, 100), (PARTNERS, 60)], ids=["own", "partner"])
async def test_of_two_callers_exactly_one_gets_the_seat(
    server: House, event: int, tries: int
) -> None:
    found = await race(server.address("sales"), event, tries, first=FIRST)
    assert not found.wrong
    assert found.outcomes == {"200 + 419 seat-taken": tries}


@pytest.fixture
def automatic(server: House) -> Iterator[None]:
    """The room before the star concert, for a while."""
    assert server.run("room", "set", str(STAR), "mode=auto").returncode == 0
    # The sales site looks once a second.
    assert until(lambda: may_book(server))
    yield
    assert server.run("room", "set", str(STAR), "mode=on").returncode == 0


def may_book(server: House) -> bool:
    who = httpx.BasicAuth(f"crowd-{PROBE:05}@demo.biletter.kz", f"crowd-{PROBE:05}")
    address = server.address("sales") + "/api/bookings"
    return httpx.post(address, json={"event_id": STAR}, auth=who).status_code == HTTPStatus.CREATED


async def book(server: House, event: int) -> None:
    address = server.address("sales")
    told = await ten_users(address, event, ROUNDS, first=TEN, look_s=0.1, pause_s=PAUSE_S, tries=50)
    assert told.is_enough, list(lines_of(told))
    assert told.rounds == ROUNDS


# Not in the partner's little cinema: lists of free seats are up to two seconds old there, and in so
# few seats two of the ten may choose the same. The command takes the partner's star.
async def test_the_contracts_ten_users_book_while_three_of_them_only_knock(server: House) -> None:
    await book(server, OURS)


@pytest.mark.usefixtures("automatic")
async def test_before_an_automatic_room_they_notice_nothing(server: House) -> None:
    await book(server, STAR)
