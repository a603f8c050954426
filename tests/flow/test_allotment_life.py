"""Allotments through their life: changed by staff, closed at the deadline, reported, gone."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.errors import Refusal
from sales.allotments import (
    AllotmentBelowSold,
    AllotmentBeyondZone,
    AllotmentChanged,
    AllotmentClosed,
    AllotmentListed,
    Allotments,
    AllotmentTick,
    AllotmentUnknown,
    BadDeadline,
    SoldRow,
)
from sales.holds_refusals import AllotmentOver, OutsideAllotment
from sales.reconcile.allotments import AllotmentCheck
from sales.reconcile.found import Page
from sales.reconcile.kinds import ALLOTMENT_EXCEEDED, SEATS_REPAIRED
from tests.flow.money import tickets_of
from tests.flow.shop import AHEAD, BASE, BEK, ERMEK, Shop, open_shop
from tests.halls import claim_seats, give_places

PRICE = 500_000


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path) -> Shop:
    """Of the stalls (seats 0…6) any four, of the balcony (7…10) two by name."""
    made = await open_shop(db, redis_shop, clock, tmp_path, starts_at=AHEAD, ownership="allotment")
    await give_places(db, made.event_id, 1, 4)
    await give_places(db, made.event_id, 2, seats=[8, 9])
    return made


@pytest.fixture
def ticker(shop) -> AllotmentTick:
    return AllotmentTick(shop.db, shop.holds.store)


async def deadline(shop: Shop, zone: int = 1) -> datetime:
    found: Any = await shop.db.fetchval("SELECT deadline FROM allotment WHERE zone_no = $1", zone)
    assert isinstance(found, datetime)
    return found


async def past(shop: Shop, hours: float) -> None:
    """The deadline of the stalls was so long ago, by the database's clock."""
    await shop.db.execute(
        "UPDATE allotment SET deadline = now() - make_interval(secs => $1) WHERE zone_no = 1",
        hours * 3600,
    )


async def change(shop: Shop, zone: int = 1, version: int = 1, **wanted: Any) -> None:
    given = {"places": 4 if zone == 1 else 2, "deadline": await deadline(shop, zone)} | wanted
    await Allotments(shop.db).change(
        shop.event_id, zone, version, actor="account:9", by="ops@mail.kz", **given
    )


async def test_staff_change_what_the_owner_agrees_to_and_nothing_else(shop, db, ticker):
    await shop.paid(0, 1)
    await shop.placed(2, buyer=ERMEK)
    day = timedelta(days=1)
    moment = await deadline(shop)
    for refusal, wanted in (
        (AllotmentBelowSold, {"places": 2}),
        (AllotmentBeyondZone, {"places": 8}),
        (AllotmentChanged, {"places": 5, "version": 7}),
        (AllotmentListed, {"places": 3, "zone": 2}),
        (BadDeadline, {"deadline": AHEAD + day}),
        (BadDeadline, {"deadline": moment - 2 * day}),
    ):
        with pytest.raises(refusal) as refused:
            await change(shop, **wanted)
        assert refused.value.status in (400, 409)
    with pytest.raises(AllotmentUnknown):
        await Allotments(db).change(
            shop.event_id, 3, 1, places=1, deadline=moment, actor="account:9"
        )
    await ticker.tick()
    await change(shop, places=3)
    await ticker.tick()
    assert (await shop.seats())[:7] == "SSHXXXX"
    await change(shop, version=2, places=6, deadline=moment + day)
    await ticker.tick()
    assert (await shop.seats())[:7] == "SSHFFFF"
    await change(shop, 2, deadline=moment + day)
    lines = await db.fetch("SELECT detail FROM audit WHERE action = 'allotment.change' ORDER BY id")
    assert [(one["detail"]["zone"], one["detail"]["after"]["places"]) for one in lines] == [
        (1, 3),
        (1, 6),
        (2, 2),
    ]
    assert lines[1]["detail"]["before"] == {"places": 3, "deadline": moment.isoformat()}


async def test_lowering_and_buying_at_once_never_cross(shop, db):
    """Who is first is first: the number is never below what is claimed."""
    orders = [await shop.hold(n, buyer=n + 1) for n in range(4)]

    async def lower() -> None:
        for version, places in ((1, 3), (2, 2)):
            await change(shop, version=version, places=places)

    buying = [shop.orders.place(one.id, one.account_id, BASE) for one in orders]
    await asyncio.gather(lower(), *buying, return_exceptions=True)
    claims = await db.fetchval("SELECT count(*) FROM seat_claim")
    assert claims <= await db.fetchval("SELECT places FROM allotment WHERE zone_no = 1")


async def test_at_the_deadline_what_is_unsold_goes_back_and_one_report_is_written(shop, db, ticker):
    """The story of an allotment, told twice at each step by two tickers."""
    book, other = Allotments(db), AllotmentTick(db, shop.holds.store)
    sold, paying = await shop.paid(0, 2), await shop.placed(3, buyer=ERMEK)
    form = shop.gateway.newest
    await past(shop, 0)
    assert sorted(await asyncio.gather(ticker.tick(), other.tick())) == [0, 1]
    assert (await shop.seats())[:7] == "SXSHXXX"
    with pytest.raises(OutsideAllotment):
        await shop.hold(1)
    with pytest.raises(AllotmentClosed):
        await change(shop, places=5)
    # A hold's time must be over, and so must every payment.
    assert await ticker.tick() == 0
    await past(shop, 3)
    assert await ticker.tick() == 0
    (stalls, balcony) = await book.of_event(shop.event_id)
    assert (stalls.state, stalls.paying, stalls.left, stalls.report) == ("closing", 1, 0, None)
    form.status = "AUTHORIZED"
    await shop.payments.hurry(paying.id)
    await shop.drain()
    assert sorted(await asyncio.gather(ticker.tick(), other.tick())) == [0, 1]
    assert await ticker.tick() == 0
    (stalls, balcony) = await book.of_event(shop.event_id)
    report = stalls.report
    assert report is not None
    assert (report.given, report.sold, report.returned, report.revenue) == (4, 3, 1, 3 * PRICE)
    assert (balcony.state, balcony.left, balcony.report) == ("open", 2, None)
    rows = [SoldRow(1, 1, [1, 3], 2 * PRICE), SoldRow(1, 2, [1], PRICE)]
    assert await book.sold_rows(shop.event_id) == rows == await book.reported_rows(shop.event_id)
    # Returned now, a seat is its owner's, and the report stays what it was.
    await shop.refunds.ask(sold.id, BEK, [(await tickets_of(shop, sold))[0].id])
    await shop.drain()
    assert (await shop.seats())[:7] == "XXSSXXX"
    with pytest.raises(Refusal):
        await shop.hold(0, buyer=ERMEK)
    (stalls, _) = await book.of_event(shop.event_id)
    assert (stalls.report, stalls.sold, stalls.returned_since) == (report, 2, 1)
    assert await book.reported_rows(shop.event_id) == rows
    actions = await db.fetch("SELECT action FROM audit WHERE action LIKE 'allotment.%' ORDER BY id")
    assert [one["action"] for one in actions] == ["allotment.close", "allotment.report"]


async def test_a_ticker_that_dies_between_its_steps_is_gone_on_from(shop, db, ticker):
    """Killed after PostgreSQL has closed it: Redis still sells, and is told by the next one."""
    order = await shop.hold(0)
    await past(shop, 0)
    await ticker.tick()
    await db.execute("UPDATE allotment SET state = 'open', version = 1 WHERE zone_no = 1")
    await shop.holds.store.rebuild(shop.event_id)

    async def killed(_: int) -> None:
        raise ConnectionResetError

    dying = AllotmentTick(db, shop.holds.store)
    whole, shop.holds.store.allot = shop.holds.store.allot, killed
    with pytest.raises(ConnectionResetError):
        await dying.tick()
    shop.holds.store.allot = whole
    assert await db.fetchval("SELECT state FROM allotment WHERE zone_no = 1") == "closing"
    # The same process goes on as well as another would.
    await dying.tick()
    assert (await shop.seats())[:7] == "HXXXXXX"
    await shop.orders.place(order.id, BEK, BASE)
    late = await shop.hold(8, buyer=ERMEK)
    await db.execute("UPDATE allotment SET deadline = now() - interval '2 hours', version = 9")
    with pytest.raises(AllotmentOver):
        await shop.orders.place(late.id, ERMEK, BASE)


async def test_the_reconciler_mends_what_redis_offers_and_shows_what_was_sold_beyond(shop, db):
    check = AllotmentCheck(db, shop.holds.store)
    await shop.paid(0, 1, 8)
    assert await check.page({}) == Page(None, 1)
    redis: Any = shop.holds.store.redis
    right = await shop.seats()
    for wrong in ("SSXXXXXXXSFXX", "SSFFFFFFFSXX", "SSFFFFFXSFF"):
        await redis.set(f"seats:{{{shop.event_id}}}", wrong[:11])
        page = await check.page({})
        assert [one.kind for one in page.repaired] == [SEATS_REPAIRED], wrong
        assert await shop.seats() == right
    await claim_seats(db, shop.event_id, 77, ERMEK, [10])
    await db.execute("UPDATE allotment SET places = 1 WHERE zone_no = 1")
    page = await check.page({})
    assert [(one.kind, one.found) for one in page.open] == [(ALLOTMENT_EXCEEDED, {"zones": [1, 2]})]
