"""Any process of ours is killed at any step of a refund: money goes back once, seats at once."""

import pytest

from tests import promises
from tests.crash.buyers import Buyer
from tests.crash.deaths import die_at_every_step


async def buy(buyer: Buyer) -> None:
    if await buyer.choose() and await buyer.check_out():
        await buyer.pay()
        await buyer.come_back()
        await buyer.world.beat()


async def return_all(buyer: Buyer) -> None:
    await buyer.give_back()
    await buyer.world.beat()


async def return_one(buyer: Buyer) -> None:
    await buyer.give_back(0)
    await buyer.world.beat()


async def return_one_and_then_the_other(buyer: Buyer) -> None:
    await buyer.give_back(0)
    await buyer.give_back(1)


async def return_and_buy_again(buyer: Buyer) -> None:
    """Somebody else has the seat before the gateway has given the money back."""
    await buyer.give_back()
    other = Buyer(buyer.world, seats=(0,), account=buyer.account + 1)
    await buy(other)


RETURNS = (return_all, return_one, return_one_and_then_the_other, return_and_buy_again)


@pytest.mark.parametrize("role", ["web", "worker"])
@pytest.mark.parametrize("how", RETURNS, ids=lambda how: how.__name__)
async def test_killed_at_any_step_the_money_goes_back_once(world, how, role):
    await die_at_every_step(world, role, buy, how)
    rows = await world.db.fetch("SELECT state, count(*) FROM refund GROUP BY state")
    assert {row["state"] for row in rows} <= {"done", "queued"}
    assert rows


async def test_the_promises_notice_a_refund_that_never_went(world):
    await world.new_event()
    buyer = Buyer(world)
    await buy(buyer)
    await buyer.give_back()
    await world.db.execute("DELETE FROM notice WHERE kind = 'refund.settle'")
    await world.rest()
    books = await world.bank.books()
    broken = await promises.at_rest(world.db, world.redis, books, world.event_id)
    assert any("refund is not final" in one for one in broken)
