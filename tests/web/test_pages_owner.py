"""Pages of events whose seats a partner owns: what they say of him, and when he is silent."""

import pytest

from sales.partner_availability import Asked
from sales.seatmap import SeatMaps
from tests.flow.shop import open_shop
from tests.web.sales_site import SalesSite

SILENT = "Владелец зала сейчас не отвечает"
SHARED = "Места в этом зале продаём не только мы"


@pytest.fixture
async def site(db, redis_shop, clock, tmp_path):
    shop = await open_shop(db, redis_shop, clock, tmp_path)
    made = SalesSite(shop, clock, tmp_path)
    await made.people()
    yield made
    made.passwords.close()


async def test_a_silent_owner_is_told_on_both_pages_and_our_own_seats_say_nothing(
    site, clock, monkeypatch
):
    event = f"/events/{site.shop.event_id}"
    for asked, is_shared, is_silent, shown in (
        (None, False, False, None),
        (Asked(clock.ms(), is_stale=False), True, False, None),
        (Asked(clock.ms(), is_stale=True), True, True, "Схема показана такой, какой была в 17:00"),
        (Asked(None, is_stale=True), True, True, None),
    ):

        async def told(self, event_id, asked=asked):
            return asked

        monkeypatch.setattr(SeatMaps, "asked", told)
        page = await site.browser().see(event)
        assert (SHARED in page.words) is is_shared, asked
        for words in (page.words, (await site.browser().see(f"{event}/zones/1")).words):
            assert (SILENT in words) is is_silent, asked
            assert ("Схема показана" in words) is (shown is not None)
            assert shown is None or shown in words
    # An evening that is over needs no owner.
    await site.shop.db.execute("UPDATE event SET state = 'closed'")
    clock.advance(5)
    assert SILENT not in (await site.browser().see(event)).words
