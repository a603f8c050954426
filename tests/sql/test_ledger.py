"""The ledger in PostgreSQL: written once, zero in sum, true to orders, kept through a reset."""

from random import Random

import asyncpg
import pytest

from biletter.migrations import FOLDER
from sales.ledger import Difference, Ledger, Posting, captured, post
from sales.reset import Reset
from tests.flow.shop import open_shop

SUM = 1_300_000


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path):
    return await open_shop(db, redis_shop, clock, tmp_path)


async def pay(shop, *seats):
    order = await shop.placed(*seats)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    return order


async def write(db, clock, posting: Posting) -> bool:
    async with db.acquire() as conn, conn.transaction():
        return await post(conn, clock.now(), posting)


async def test_a_fact_is_posted_once(db, clock):
    posting = captured(7, 1, 5, SUM)
    assert await write(db, clock, posting)
    assert not await write(db, clock, posting)
    assert await Ledger(db).balances() == {"gateway": SUM, "sales:7": -SUM}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount = amount + 1",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_posting SET fact = 'capture:6'",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_posting CASCADE",
    ],
)
async def test_what_is_written_stays(db, clock, statement):
    await write(db, clock, captured(7, 1, 5, SUM))
    with pytest.raises(asyncpg.RaiseError, match="written once"):
        await db.execute(statement)


async def test_a_posting_that_does_not_sum_to_zero_is_not_committed(db):
    async with db.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute(
            "WITH p AS (INSERT INTO ledger_posting (fact, event_id, at) VALUES ('odd', 1, now())"
            " RETURNING id) INSERT INTO ledger_entry SELECT id, 'gateway', 5 FROM p"
        )
        with pytest.raises(asyncpg.RaiseError, match="does not sum to zero"):
            await transaction.commit()
    assert await db.fetchval("SELECT count(*) FROM ledger_posting") == 0


async def test_an_entry_added_later_is_caught_as_well(db, clock):
    await write(db, clock, captured(7, 1, 5, SUM))
    with pytest.raises(asyncpg.RaiseError, match="does not sum to zero"):
        await db.execute("INSERT INTO ledger_entry SELECT id, 'fees:7', 5 FROM ledger_posting")


async def test_a_purchase_is_posted_with_its_capture(shop, db):
    await pay(shop, 0, 1, 7)
    balances = await Ledger(db).balances()
    assert balances == {"gateway": SUM, f"sales:{shop.event_id}": -SUM}
    assert await Ledger(db).check() == []


async def test_a_payment_that_came_to_nothing_is_not_posted(shop, db):
    order = await shop.placed(0)
    await shop.orders.cancel(order.id, order.account_id)
    assert await Ledger(db).balances() == {}


async def test_differences_are_told_as_data(shop, db, clock):
    order = await pay(shop, 0)
    payment = await shop.payments.of_order(order.id)
    await db.execute("UPDATE payment SET amount = 400000")
    await write(db, clock, captured(shop.event_id, 99, 999, 100_000))
    assert await Ledger(db).check() == [
        Difference("capture", f"payment:{payment.id}", 400_000, 500_000),
        Difference("capture", "payment:999", 0, 100_000),
        Difference("sales", f"sales:{shop.event_id}", 500_000, 600_000),
    ]


async def test_a_reset_closes_the_balances_and_keeps_the_story(shop, db, clock):
    reset = Reset(db, clock, shop.holds.store.epochs, allowed=True, chance=Random(1))
    await pay(shop, 0)
    await reset.reset("test")
    assert await Ledger(db).balances() == {}
    assert await Ledger(db).check() == []
    await pay(shop, 1)
    assert await Ledger(db).balances() == {"gateway": 500_000, f"sales:{shop.event_id}": -500_000}
    assert await Ledger(db).check() == []
    await reset.reset("test")
    assert await Ledger(db).check() == []
    assert await db.fetchval("SELECT count(*) FROM ledger_posting") == 4


async def test_what_was_captured_before_there_was_a_ledger_is_posted_by_the_migration(shop, db):
    """The statement of the migration, on what it would have found."""
    await pay(shop, 0, 7)
    for table in ("ledger_entry", "ledger_posting"):
        await db.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await db.execute("DELETE FROM ledger_entry")
    await db.execute("DELETE FROM ledger_posting")
    text = next(FOLDER.glob("*_ledger.sql")).read_text()
    await db.execute(text[text.index("WITH posted") :])
    assert await Ledger(db).check() == []
    assert await Ledger(db).balances() == {"gateway": 800_000, f"sales:{shop.event_id}": -800_000}
