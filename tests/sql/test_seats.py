"""What the holds ask PostgreSQL."""

from datetime import timedelta
from pathlib import Path

import sales
from biletter.seed.demo import seed_events
from kernel.sql import load_queries
from sales.catalogue import Catalogue
from sales.halls import Halls
from tests.halls import build_event, claim_seats

Q = load_queries(Path(sales.__file__).parent / "sql")
BEK, ERMEK = 1, 2


async def test_the_epoch_is_one_row(db):
    assert await db.fetchval(Q["read_epoch"]) == 1


async def test_claims_of_an_event_come_one_row_an_order(db, clock):
    event, other = await build_event(db), await build_event(db)
    now = clock.now()
    order = await db.fetchval(
        "INSERT INTO orders (account_id, event_id, state, epoch, created_at, updated_at,"
        " expires_at) VALUES ($1, $2, 'pending', 1, $3, $3, $4) RETURNING id",
        BEK,
        event,
        now,
        now + timedelta(minutes=20),
    )
    await claim_seats(db, event, order, BEK, [1, 2])
    await claim_seats(db, event, order + 1, ERMEK, [5], sold=True)
    await claim_seats(db, other, order + 2, ERMEK, [1])
    otherwise = now + timedelta(minutes=15)
    rows = await db.fetch(Q["list_claims_of_event"], event, otherwise)
    facts = sorted(
        (row["order_id"], row["account_id"], row["sold"], sorted(row["seats"]), row["until"])
        for row in rows
    )
    assert facts == [
        (order, BEK, False, [1, 2], now + timedelta(minutes=20)),
        (order + 1, ERMEK, True, [5], otherwise),
    ]


async def test_claims_of_an_order(db):
    event = await build_event(db)
    await claim_seats(db, event, 10, BEK, [1, 2])
    await claim_seats(db, event, 11, ERMEK, [3])
    rows = await db.fetch(Q["list_claims_of_order"], event, 10)
    assert sorted((row["seat"], row["account_id"], row["sold"]) for row in rows) == [
        (1, BEK, False),
        (2, BEK, False),
    ]
    assert await db.fetch(Q["list_claims_of_order"], event + 1, 10) == []


async def test_orders_that_may_hold_seats_newest_first(db, clock):
    event = await build_event(db)
    for state in ("open", "pending", "paid", "cancelled", "expired", "open"):
        await db.execute(
            "INSERT INTO orders (account_id, event_id, state, epoch, created_at, updated_at)"
            " VALUES ($1, $2, $3, 1, $4, $4)",
            BEK,
            event,
            state,
            clock.now(),
        )
    rows = await db.fetch(Q["list_orders_with_holds"], BEK, 2, None)
    states = await db.fetch("SELECT id, state FROM orders ORDER BY id DESC")
    assert [row["id"] for row in rows] == [
        row["id"] for row in states if row["state"] in {"open", "pending"}
    ][:2]


async def test_every_hall_of_the_demonstration_is_whole(db, clock):
    await seed_events(db, clock, None, lambda _: None)
    halls = Halls(Catalogue(db, clock))
    events = [row["id"] for row in await db.fetch("SELECT DISTINCT event_id AS id FROM zone")]
    assert len(events) > 100
    for event in events:
        hall = await halls.hall(event)
        last = hall.place(hall.capacity - 1)
        assert hall.seat_at(last.row, last.number) == hall.capacity - 1
        assert await halls.hall(event) is hall
    assert (await halls.hall(1)).capacity == 100_000
