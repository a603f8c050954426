"""Any process of ours is killed at any step of a purchase: every promise holds all the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.bank import BAD_CARD
from tests.crash.buyers import Buyer
from tests.crash.deaths import die_at_every_step

Part = Callable[[Buyer], Awaitable[object]]


async def nothing(buyer: Buyer) -> None:
    pass


async def hold(buyer: Buyer) -> bool:
    return await buyer.choose()


async def order(buyer: Buyer) -> bool:
    return await buyer.choose() and await buyer.check_out()


async def pay(buyer: Buyer) -> None:
    if await order(buyer):
        await buyer.pay()


async def be_declined(buyer: Buyer) -> None:
    if await order(buyer):
        await buyer.pay(BAD_CARD)


async def be_told(buyer: Buyer) -> None:
    await buyer.webhook()
    await buyer.world.beat()


async def be_told_of_failure(buyer: Buyer) -> None:
    await buyer.webhook("failed")
    await buyer.world.beat()


async def try_another_card(buyer: Buyer) -> None:
    await be_told_of_failure(buyer)
    buyer.form = ""
    if await buyer.check_out():
        await buyer.pay()
        await be_told(buyer)


async def buy(buyer: Buyer) -> None:
    await pay(buyer)
    if buyer.form:
        await be_told(buyer)


@dataclass(frozen=True)
class Story:
    """What happens in peace, and then what it is killed in; the rest of its life follows."""

    name: str
    before: Part
    then: Part
    roles: tuple[str, ...] = ("web", "worker")


STORIES = (
    Story("bought", nothing, buy, ("web", "worker", "ticker")),
    Story("seen on return", pay, Buyer.come_back),
    Story("never told", pay, nothing, ("worker",)),
    Story("declined", be_declined, be_told_of_failure),
    Story("declined, then paid", be_declined, try_another_card),
    Story("never paid", order, nothing, ("worker", "ticker")),
    Story("never placed", hold, nothing, ("ticker",)),
    Story("cancelled while choosing", hold, Buyer.cancel),
    Story("cancelled at the form", order, Buyer.cancel),
    Story("cancelled with the money reserved", pay, Buyer.cancel),
)


@pytest.mark.parametrize(
    ("story", "role"),
    [(story, role) for story in STORIES for role in story.roles],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
async def test_killed_at_any_step_every_promise_is_kept(world, story, role):
    await die_at_every_step(world, role, story.before, story.then)


@pytest.mark.parametrize("story", [STORIES[0], *STORIES[-3:]], ids=lambda story: story.name)
async def test_a_buyer_who_sees_no_answer_and_goes_away_leaves_nothing_behind(world, story):
    await die_at_every_step(world, "web", story.before, story.then, returns=False)
