"""The star's seats change their owner by a setting: nothing of the owner before is left behind."""

import pytest

from biletter.seed import demo
from biletter.seed.demo import own_star
from sales.holds_refusals import SeatTaken
from sales.refills import KNOWN_S
from tests.flow.shop import BASE, BEK, DANA
from tests.flow.test_partner import partner, shop
from tests.flow.test_partner_rest import kinds_of, nightly

__all__ = ["partner", "shop"]


@pytest.fixture
async def give(shop, monkeypatch):
    """Has the owner changed, as a start with the other setting does."""
    monkeypatch.setattr(demo, "STAR_ID", shop.event_id)

    async def change(owner: str) -> None:
        assert await own_star(shop.db, shop.clock, owner)  # type: ignore[arg-type]  # one of two
        shop.catalogue.forget(shop.event_id)

    return change


async def test_what_the_partner_sold_elsewhere_is_ours_to_sell_when_the_seats_are_ours(
    shop, partner, give
):
    partner.sell_elsewhere(3)
    with pytest.raises(SeatTaken):
        await shop.hold(3)
    chosen = await shop.hold(0)
    await shop.later(10)
    assert await shop.seats() == "HFFXFFFFFFF"
    await give("own")
    await shop.drain()
    assert await shop.seats() == "HFFFFFFFFFF", "whoever chooses keeps what he has"
    partner.calls.clear()
    bought = await shop.paid(3, buyer=DANA)
    await shop.orders.place(chosen.id, BEK, BASE)
    shop.gateway.pay()
    await shop.payments.hurry(chosen.id)
    await shop.later(700)
    assert [await shop.state(one.id) for one in (bought, chosen)] == [("paid", "captured")] * 2
    assert not {"create", "select", "submit", "confirm"} & set(partner.calls)
    # What the partner kept for us goes back, and nobody looks for sales of ours there.
    partner.catch_up()
    assert partner.states() == ["CANCELLED"]
    assert await kinds_of(nightly(shop)) == ([], [])
    assert await shop.notices() == []


async def test_who_still_marks_for_the_old_owner_is_written_over(shop, partner, give):
    await give("own")
    await shop.drain()
    await shop.holds.store.mark_outside(shop.event_id, "X", [5])
    await shop.later(KNOWN_S / 2)
    assert "X" in await shop.seats()
    await shop.later(KNOWN_S)
    assert "X" not in await shop.seats()
    assert await shop.notices() == []


async def test_seats_that_are_the_partners_again_are_asked_for_there(shop, partner, give):
    await give("own")
    held = await shop.hold(0)
    await give("partner")
    await shop.drain()
    partner.calls.clear()
    await shop.orders.place(held.id, BEK, BASE)
    assert partner.is_taken(0), "held before, and asked for before anybody pays"
    partner.sell_elsewhere(1)
    with pytest.raises(SeatTaken):
        await shop.hold(1)
