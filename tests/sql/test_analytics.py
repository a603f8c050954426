"""Sales figures of an event, from a real PostgreSQL and a real Redis."""

import pytest

from sales.analytics import Analytics
from sales.catalogue import Catalogue, EventUnknown
from sales.holds import Holds
from tests.halls import build_event, claim_seats

BEK, ARU = 7, 8


@pytest.fixture
def holds(redis_shop, db, clock):
    return Holds(redis_shop, db, Catalogue(db, clock), clock)


@pytest.fixture
def analytics(db, clock, holds):
    return Analytics(db, Catalogue(db, clock), holds.store)


async def place(db, event_id, order_id, account_id, seats, *, sold):
    """Lines of 5 000 tenge in zone 1 and their claims, as a checkout leaves them."""
    await db.execute(
        "INSERT INTO orders (id, account_id, event_id, epoch, created_at, updated_at)"
        " VALUES ($1, $2, $3, 1, now(), now())",
        order_id,
        account_id,
        event_id,
    )
    await db.executemany(
        "INSERT INTO order_line VALUES ($1, $2, $3, 1, 1, 1, 500000)",
        [(order_id, event_id, seat) for seat in seats],
    )
    await claim_seats(db, event_id, order_id, account_id, seats, sold=sold)


async def test_an_untouched_event_is_all_free(db, analytics):
    event_id = await build_event(db)
    sales = await analytics.of_event(event_id)
    assert (sales.total, sales.sold, sales.reserved, sales.free) == (11, 0, 0, 11)
    assert (sales.revenue, sales.orders) == (0, 0)
    assert [(zone.name, zone.total) for zone in sales.zones] == [("Партер", 7), ("Балкон", 4)]


async def test_sold_reserved_and_free_add_up_in_every_zone(db, analytics, holds):
    event_id = await build_event(db)
    await place(db, event_id, 1, BEK, [0, 1], sold=True)
    await place(db, event_id, 2, BEK, [2], sold=False)
    await holds.hold(event_id, 3, ARU, [3, 8])
    sales = await analytics.of_event(event_id)
    assert (sales.total, sales.sold, sales.reserved, sales.free) == (11, 2, 3, 6)
    stalls, balcony = sales.zones
    assert (stalls.sold, stalls.reserved, stalls.free) == (2, 2, 3)
    assert (balcony.sold, balcony.reserved, balcony.free) == (0, 1, 3)
    assert (sales.revenue, stalls.revenue, balcony.revenue) == (1_000_000, 1_000_000, 0)
    assert sales.orders == 3, "two that claim or own, one that is choosing"


async def test_a_seat_just_paid_is_sold_although_redis_has_not_heard_yet(db, analytics, holds):
    event_id = await build_event(db)
    await holds.hold(event_id, 1, BEK, [0])
    await place(db, event_id, 1, BEK, [0], sold=True)
    sales = await analytics.of_event(event_id)
    assert (sales.sold, sales.reserved, sales.free) == (1, 0, 10)


async def test_what_was_let_go_is_free_again(db, analytics, holds):
    event_id = await build_event(db)
    await holds.hold(event_id, 3, ARU, [3, 8])
    await holds.release(event_id, 3, ARU)
    sales = await analytics.of_event(event_id)
    assert (sales.free, sales.orders) == (11, 0)


async def test_an_event_without_a_hall_has_figures_of_zero(db, analytics):
    event_id = await build_event(db, (), state="archived")
    sales = await analytics.of_event(event_id)
    assert (sales.total, sales.free, sales.orders, sales.zones) == (0, 0, 0, [])


async def test_an_unknown_event_is_refused(analytics):
    with pytest.raises(EventUnknown):
        await analytics.of_event(404)
