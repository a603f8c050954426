"""One life after another, each ended one step further on."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests import promises
from tests.crash.buyers import Buyer
from tests.crash.world import World

# No story has so many steps in one process: it would mean that it goes round in circles.
STEPS_MAX = 80


async def die_at_every_step(
    world: World,
    role: str,
    before: Callable[[Buyer], Awaitable[object]],
    then: Callable[[Buyer], Awaitable[object]],
    *,
    check: Callable[[], Awaitable[list[str]]] | None = None,
    moments: tuple[bool, ...] = (False, True),
    **buyer: Any,
) -> None:
    """`before` happens in peace; in `then`, or in the time after it, the process of this role is
    killed before and after each of its steps. Fails naming the steps and what was broken; `check`
    tells of more. `moments`: before each step (False), after it (True).
    """
    broken: list[str] = []
    for after in moments:
        for at in range(1, STEPS_MAX):
            found = await _live(world, role, at, before, then, buyer, after=after)
            found += await check() if check else []
            broken += [f"{role}, {'; '.join(world.deaths)}: {one}" for one in found]
            if found or not world.deaths:
                break
        else:
            raise AssertionError(f"more than {STEPS_MAX} steps")
    assert not broken, "\n".join(broken)


async def _live(
    world: World, role: str, at: int, before: Any, then: Any, given: dict[str, Any], *, after: bool
) -> list[str]:
    """What was broken in the end."""
    await world.new_event()
    buyer = Buyer(world, **given)
    await before(buyer)
    world.arm(role, at, after=after)
    await then(buyer)
    await world.rest()
    books = await world.bank.books()
    return await promises.at_rest(world.db, world.redis, books, world.event_id)
