"""Any process of ours is killed at any step of a purchase at a partner's event: no seat is sold
that the partner did not sell us, and none stays with us that nobody wants.
"""

import pytest

from tests.crash.buyers import Buyer
from tests.crash.deaths import die_at_every_step
from tests.crash.test_crash_purchase import buy, hold, nothing
from tests.partner import FakePartner

ROWS = [3, 4, 4]
STORIES = {
    "bought": (nothing, buy, ("web", "worker")),
    "cancelled while choosing": (hold, Buyer.cancel, ("worker",)),
}


@pytest.mark.parametrize(
    ("name", "role"), [(name, role) for name, story in STORIES.items() for role in story[2]]
)
async def test_killed_at_any_step_both_books_agree(world, name, role):
    before, then, _ = STORIES[name]
    halls: list[FakePartner] = []

    def make() -> FakePartner:
        halls.append(FakePartner(ROWS, lag=1))
        return halls[-1]

    world.make_partner = make
    # Done and not learnt: what was not even begun is what the step before has left.
    await die_at_every_step(
        world, role, before, then, seats=(0,), check=lambda: _agree(world), moments=(True,)
    )
    assert len(halls) > 5


async def _agree(world) -> list[str]:
    """What the partner's hall says that it should not."""
    hall = world.partner
    hall.catch_up()
    rows = await world.db.fetch("SELECT seat FROM seat_claim WHERE event_id = $1", world.event_id)
    sold = {row["seat"] for row in rows}
    theirs = {one.id: one.state for one in hall.orders.values()}
    numbers = range(sum(ROWS))
    bought = {n for n in numbers if theirs.get(hall.seat(n).order) == "CONFIRMED"}
    taken = {n for n in numbers if hall.is_taken(n)}
    broken = [f"sold without being ours: {sold - bought}"] if sold - bought else []
    if taken - bought:
        broken.append(f"kept for nobody: {taken - bought}")
    if hall.poisoned:
        broken.append("its reader was stopped")
    return broken
