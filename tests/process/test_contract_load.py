"""What the contract promises of many callers at once, on real processes; at length it is
`python -m loadtest.races`.
"""

import pytest

from loadtest.races import race
from tests.house import House

pytestmark = pytest.mark.process
# Of the simulated crowd; other tests are about other numbers.
FIRST = 4600


@pytest.mark.parametrize(("event", "tries"), [(2, 200), (202, 100)], ids=["own", "partner"])
async def test_of_two_callers_exactly_one_gets_the_seat(
    server: House, event: int, tries: int
) -> None:
    found = await race(server.address("sales"), event, tries, first=FIRST)
    assert not found.wrong
    assert found.outcomes == {"200 + 419 seat-taken": tries}
