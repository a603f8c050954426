"""A partner's hall around the sale: its list, its troubles, resets and nightly checks."""

import asyncio
from collections import deque
from itertools import count
from random import Random
from typing import Any

import pytest

from sales.holds_refusals import SeatTaken
from sales.partner import PartnerAway
from sales.partner_availability import FRESH_MS, PACE, STALE_MS, Availability
from sales.reconcile.partners import PartnerCheck, PartnerHealth
from sales.reset import Reset
from sales.seatmap import SeatMaps
from tests.flow.shop import BEK, DANA, no_sleep
from tests.flow.test_partner import partner, shop

__all__ = ["partner", "shop"]


async def kinds_of(check) -> tuple[list[str], list[str]]:
    """What a whole run has found, and what it has repaired."""
    cursor: dict[str, Any] | None = {}
    found: list[str] = []
    mended: list[str] = []
    while cursor is not None:
        page = await check.page(cursor)
        found += [one.kind for one in page.open]
        mended += [one.kind for one in page.repaired]
        cursor = page.cursor
    return found, mended


def nightly(shop) -> PartnerCheck:
    return PartnerCheck(shop.db, shop.clock, shop.partner_desk.partners, sleep=no_sleep)


def availability_of(shop, seconds) -> Availability:
    partners = shop.partner_desk.partners
    return Availability(shop.db, shop.clock, shop.holds.store, partners, seconds=seconds)


async def test_the_map_shows_what_the_partner_sold_elsewhere_two_seconds_later(
    shop, partner, monkeypatch
):
    # The machine may be as busy as it likes: a reading takes no time, and is waited for.
    monkeypatch.setattr("sales.partner_availability.WAIT_S", 60)
    availability = availability_of(shop, lambda: 0.0)
    maps = SeatMaps(shop.holds.store, shop.clock, availability)
    partner.sell_elsewhere(3)
    await shop.hold(0)
    # Released here, kept there for a moment: whoever wants it may have it.
    order = await shop.hold(9)
    await shop.holds.release(shop.event_id, order.id, BEK, [9])
    partner.catch_up()

    async def free() -> list[int]:
        return [one.seat for one in await maps.free_slice(shop.event_id, "", 1, 20, status="FREE")]

    async def is_stale() -> bool:
        asked = await maps.asked(shop.event_id)
        assert asked is not None
        return asked.is_stale

    assert sorted(await free()) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    partner.sell_elsewhere(4)
    partner.seat(3).order, partner.seat(3).is_free = None, True
    shop.clock.advance(FRESH_MS / 2000)
    assert 4 in await free(), "asked a second ago"
    asked = partner.calls.count("places")
    shop.clock.advance(FRESH_MS / 1000)
    assert sorted(await free()) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert partner.calls.count("places") == asked + 1
    # Silent: the map stays as it was and says so; whoever leafs through it does not wait.
    partner.plan["places"] = deque(["silent"] * 99)
    assert not await is_stale()
    shop.clock.advance(2 * STALE_MS / 1000)
    assert 3 in await free()
    assert await is_stale()


async def test_for_a_list_that_takes_long_one_visitor_waits_and_it_is_read_the_more_seldom(
    shop, partner, monkeypatch
):
    monkeypatch.setattr("sales.partner_availability.WAIT_S", 0.05)
    availability = availability_of(shop, count().__next__)
    answered = asyncio.Event()
    partner.plan["places"] = deque([answered.wait])
    partner.sell_elsewhere(3)
    partner.catch_up()
    await availability.refresh(shop.event_id)
    monkeypatch.setattr("sales.partner_availability.WAIT_S", 60)
    async with asyncio.timeout(10):
        await availability.refresh(shop.event_id)
    answered.set()
    await asyncio.gather(*availability._readings.values())
    assert await shop.seats() == "FFFXFFFFFFF"
    assert partner.calls.count("places") == 1
    for seconds, asked in ((PACE - 1, 1), (1, 2)):
        shop.clock.advance(seconds)
        await availability.refresh(shop.event_id)
        await asyncio.gather(*availability._readings.values())
        assert partner.calls.count("places") == asked


async def test_a_reset_offers_every_seat_at_once_and_gives_back_what_nobody_takes(shop, partner):
    first = await shop.placed(0)
    await shop.later(5)
    shop.gateway.pay()
    await shop.payments.hurry(first.id)
    await shop.later(5)
    await shop.hold(1)
    await shop.hold(2)
    epochs = shop.holds.store.epochs
    await Reset(shop.db, shop.clock, epochs, allowed=True, chance=Random(1)).reset("test")
    partner.calls.clear()
    again = await shop.hold(0, 1, buyer=DANA)
    assert partner.calls == [], "the partner keeps them for us already"
    await shop.later(30)
    partner.catch_up()
    assert partner.states() == ["CONFIRMED", "STARTED", "CANCELLED"]
    assert (await shop.holds.of_order(shop.event_id, again.id)).seats == [0, 1]
    assert not partner.poisoned


async def test_a_partner_whose_reader_stopped_is_sick_and_nothing_is_sold_there(shop, partner):
    health = PartnerHealth(shop.db, shop.clock)
    order = await shop.placed(0)
    partner.poisoned = True
    partner.catch_up()
    await shop.later(61)
    assert await kinds_of(health) == (["partner-sick"], [])
    shop.clock.advance(3)
    with pytest.raises(PartnerAway):
        await shop.hold(1)
    # Reserved money does not wait for it to get well.
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    await shop.later(20)
    assert await shop.state(order.id) == ("cancelled", "reversed")
    assert "cancel" not in partner.calls, "that would only make it worse"
    # In the end somebody mends it, and one more seat tells.
    partner.poisoned = False
    shop.clock.advance(300)
    await shop.hold(2)
    await shop.later(30)
    assert await kinds_of(health) == ([], [])
    await shop.hold(3)


async def test_the_nightly_check_finds_what_differs_and_mends_what_it_can(shop, partner):
    sold = await shop.placed(0)
    await shop.later(5)
    shop.gateway.pay()
    await shop.payments.hurry(sold.id)
    await shop.later(5)
    await shop.hold(1)
    await shop.later(5)
    assert await kinds_of(nightly(shop)) == ([], [])
    # Nobody looks after one any more; a select that was taken for lost came after all.
    await shop.db.execute("DELETE FROM notice WHERE kind = 'partner.tend'")
    partner.plan["select"] = deque(["silent"] * 9)
    with pytest.raises(PartnerAway):
        await shop.hold(2)
    await shop.later(60)
    rows = await shop.db.fetch("SELECT provider_order, seat FROM partner_order WHERE seat = 2")
    partner.plan.clear()
    partner._select(partner.seat(2), partner.orders[rows[0]["provider_order"]])
    partner.catch_up()
    assert await kinds_of(nightly(shop)) == ([], ["partner-orphan"] * 3)
    await shop.later(700)
    await shop.holds.lapse(shop.clock.now())
    await shop.later(60)
    partner.catch_up()
    assert [partner.is_taken(seat) for seat in (0, 1, 2)] == [True, False, False]
    # The partner has undone a sale: staff must look.
    theirs = next(one for one in partner.orders.values() if one.state == "CONFIRMED")
    theirs.state = "CANCELLED"
    partner._seen(theirs)
    assert await kinds_of(nightly(shop)) == (["partner-differs"], [])
    await shop.db.execute("DELETE FROM partner_order")
    assert await kinds_of(nightly(shop)) == (["partner-unowned"], [])


async def test_of_two_callers_exactly_one_gets_the_seat_and_the_partner_hears_of_one(shop, partner):
    for seat in range(6):
        answers = await asyncio.gather(
            *(shop.hold(seat, buyer=buyer) for buyer in (BEK, DANA)), return_exceptions=True
        )
        assert sum(isinstance(one, SeatTaken) for one in answers) == 1
    assert partner.calls.count("select") == 6
