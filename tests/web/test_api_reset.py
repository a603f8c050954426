"""`POST /api/reset`, alone and in the middle of a run."""

import asyncio
from collections import Counter

from sales.geometry import seat_id
from tests.halls import assert_consistent, big_zones, build_event
from tests.web.api_calls import act, book, problem, select

BUYERS = 12
ROUNDS = 8
RESETS = 4


async def test_everything_is_as_before_the_first_sale(db, stand, aru):
    event_id = await build_event(db)
    booking = await book(aru, event_id)
    seat = seat_id(event_id, 0)
    await select(aru, booking, seat)
    await act(aru, "initiatePayment", booking)
    async with stand.api() as nobody:
        answer = await nobody.post("/api/reset")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert (await aru.get("/api/bookings")).json() == []
    assert problem(await act(aru, "cancel", booking)) == (404, "order-unknown")
    figures = (await aru.get("/api/analytics", params={"id": event_id})).json()
    assert (figures["free_seats"], figures["bookings_count"]) == (11, 0)
    again = await book(aru, event_id)
    assert again > booking
    assert (await select(aru, again, seat)).status_code == 200


async def test_it_may_have_an_empty_or_a_null_body(aru):
    for content in (b"", b"null", b"{}"):
        assert (await aru.post("/api/reset", content=content)).status_code == 200


async def test_a_setting_switches_it_off(stand, aru):
    stand.reset._allowed = False
    assert problem(await aru.post("/api/reset")) == (403, "reset-off")


async def test_in_the_middle_of_a_run_nothing_is_left_half_done(db, redis_shop, stand):
    event_id = await build_event(db, big_zones(rows=10, row_size=20, zones=2))
    statuses: Counter[tuple[str, int]] = Counter()

    async def buy(who: str, number: int) -> None:
        async with stand.api(who) as api:
            for n in range(ROUNDS):
                booking = await book(api, event_id)
                seat = seat_id(event_id, (number * ROUNDS + n) % 200)
                for what, call in (
                    ("select", select(api, booking, seat)),
                    ("pay", act(api, "initiatePayment", booking)),
                    ("cancel", act(api, "cancel", booking)),
                ):
                    statuses[what, (await call).status_code] += 1

    async def reset() -> None:
        async with stand.api() as nobody:
            for _ in range(RESETS):
                await asyncio.sleep(0.1)
                assert (await nobody.post("/api/reset")).status_code == 200

    buyers = [buy(("aru", "bek", "ermek")[n % 3], n) for n in range(BUYERS)]
    await asyncio.gather(reset(), *buyers)
    known = {
        "select": {200, 419},
        "pay": {302, 400, 404, 503},
        "cancel": {200, 404, 419},
    }
    assert all(status in known[what] for what, status in statuses), statuses
    assert statuses["select", 200] > 0
    assert statuses["pay", 302] > 0
    await assert_orders_and_claims_agree(db)
    async with stand.api() as nobody:
        told = (await nobody.get("/api/analytics", params={"id": event_id})).json()
    assert told["total_seats"] == told["sold_seats"] + told["reserved_seats"] + told["free_seats"]
    await assert_consistent(redis_shop, event_id)


async def assert_orders_and_claims_agree(db) -> None:
    """Every claim, line and payment has its order, and none of them is of an older epoch."""
    epoch = await db.fetchval("SELECT epoch FROM epoch")
    assert epoch == 1 + RESETS
    assert await db.fetchval("SELECT count(*) FROM orders WHERE epoch <> $1", epoch) == 0
    orphans = await db.fetchval(
        "SELECT count(*) FROM seat_claim AS claim"
        " LEFT JOIN orders ON orders.id = claim.order_id AND orders.state IN ('pending', 'paid')"
        " WHERE orders.id IS NULL"
    )
    assert orphans == 0
