"""Reset, on real engines, with sales about."""

import asyncio
from random import Random

import pytest

from sales import reset as reset_module
from sales.analytics import Analytics
from sales.bookings import Bookings
from sales.catalogue import Catalogue
from sales.holds import Holds
from sales.reset import Reset, ResetBusy, ResetOff
from tests.halls import big_zones, build_event

BEK = 7
EMPTIED = ("orders", "order_line", "seat_claim", "payment", "ticket")


@pytest.fixture
def holds(redis_shop, db, clock):
    return Holds(redis_shop, db, Catalogue(db, clock), clock)


@pytest.fixture
def reset(db, clock, holds):
    return Reset(db, clock, holds.store.epochs, allowed=True, chance=Random(1))


async def open_order(db, event_id, account_id=BEK):
    return await db.fetchval(
        "INSERT INTO orders (account_id, event_id, epoch, created_at, updated_at)"
        " VALUES ($1, $2, (SELECT epoch FROM epoch), now(), now()) RETURNING id",
        account_id,
        event_id,
    )


async def sell_everything(db, event_id, seats_total, order_size=50):
    """Orders, lines, payments, claims and tickets of a sold-out hall."""
    await db.execute(
        "INSERT INTO orders (id, account_id, event_id, state, epoch, created_at, updated_at)"
        " SELECT n, n, $1, 'paid', 1, now(), now() FROM generate_series(1, $2) AS n",
        event_id,
        seats_total // order_size,
    )
    places = (
        "SELECT 1 + n / $3::int AS order_id, n AS seat FROM generate_series(0, $2::int - 1) AS n"
    )
    for statement in (
        f"""INSERT INTO order_line
            SELECT order_id, $1, seat, 1 + seat / 20000, 1, 1, 100 FROM ({places}) AS p""",
        f"""INSERT INTO seat_claim (event_id, seat, order_id, account_id, sold, claimed_at)
            SELECT $1, seat, order_id, order_id, true, now() FROM ({places}) AS p""",
        f"""INSERT INTO ticket (order_id, account_id, event_id, seat, zone_no, row_no, seat_no,
                                price, serial, refund_until, issued_at)
            SELECT order_id, order_id, $1, seat, 1, 1, 1, 100, 'T' || seat, now(), now()
            FROM ({places}) AS p""",
    ):
        await db.execute(statement, event_id, seats_total, order_size)


async def files_of(db):
    """Where each table keeps its rows: TRUNCATE begins a new file, DELETE goes through the old."""
    found = await db.fetch(
        "SELECT oid::regclass::text AS name, relfilenode FROM pg_class"
        " WHERE relkind = 'r' AND relname ~ $1",
        f"^({'|'.join(EMPTIED)})(_[0-9]+)?$",
    )
    return {row["name"]: row["relfilenode"] for row in found}


async def test_a_sold_out_hall_is_emptied_however_many_seats_it_has(db, clock, holds, reset):
    """The contract's client waits five seconds, and a stadium is no slower than a club."""
    event_id = await build_event(db, big_zones())
    await sell_everything(db, event_id, 1_000)
    analytics = Analytics(db, Catalogue(db, clock), holds.store)
    assert (await analytics.of_event(event_id)).sold == 1_000
    before = await files_of(db)
    await reset.reset("test")
    after = await files_of(db)
    assert len(after) >= len(EMPTIED)
    assert [name for name in after if after[name] == before[name]] == []
    for table in EMPTIED:
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    sales = await analytics.of_event(event_id)
    assert (sales.free, sales.sold, sales.orders) == (100_000, 0, 0)


async def test_holds_in_redis_are_void_and_the_seats_can_be_held_again(db, holds, reset):
    event_id = await build_event(db)
    order_id = await open_order(db, event_id)
    await holds.hold(event_id, order_id, BEK, [0, 1])
    await reset.reset("test")
    assert await holds.of_order(event_id, order_id) is None
    again = await open_order(db, event_id)
    assert (await holds.hold(event_id, again, BEK, [0])).seats == [0]


async def test_numbers_go_on_where_they_were(db, reset):
    event_id = await build_event(db)
    before = await open_order(db, event_id)
    await reset.reset("test")
    assert await open_order(db, event_id) > before


async def test_accounts_events_and_the_audit_stay(db, clock, reset):
    event_id = await build_event(db)
    await db.execute("INSERT INTO account (email, password_hash) VALUES ('a@b.kz', 'x')")
    epoch = await reset.reset("account:1")
    assert epoch == 2
    assert await db.fetchval("SELECT count(*) FROM account") == 1
    assert await db.fetchval("SELECT count(*) FROM zone WHERE event_id = $1", event_id) == 2
    line = await db.fetchrow("SELECT actor, action, detail FROM audit")
    assert dict(line) == {"actor": "account:1", "action": "sales.reset", "detail": {"epoch": 2}}


async def test_who_is_inside_stays_inside_and_a_used_pass_stays_used(db, reset):
    event_id = await build_event(db)
    await db.execute(
        "INSERT INTO admission VALUES ($1, 'jti', 'somebody', now(), now(), now(), NULL),"
        " ($1, 'old', 'gone', now(), now(), now(), now())",
        event_id,
    )
    untold = {"event_id": event_id, "jti": "old", "subject": "gone", "reason": "left"}
    await db.execute(
        "INSERT INTO notice (kind, subject_id, payload, due_at)"
        " VALUES ('order.paid', 1, '{}', now()), ('admission.ended', $1, $2, now())",
        event_id,
        untold,
    )
    await reset.reset("test")
    assert await db.fetchval("SELECT count(*) FROM admission WHERE ended_at IS NULL") == 1
    assert await db.fetchval("SELECT count(*) FROM admission") == 2
    notices = await db.fetch("SELECT kind, subject_id, payload FROM notice")
    assert [tuple(one) for one in notices] == [("admission.ended", event_id, untold)]


async def test_a_reset_that_is_switched_off_changes_nothing(db, clock, holds):
    event_id = await build_event(db)
    await open_order(db, event_id)
    off = Reset(db, clock, holds.store.epochs, allowed=False, chance=Random(1))
    with pytest.raises(ResetOff):
        await off.reset("test")
    assert await db.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_short_sale_in_the_way_is_waited_for(db, reset):
    event_id = await build_event(db)
    async with db.acquire() as conn:
        sale = conn.transaction()
        await sale.start()
        await conn.fetchval("SELECT epoch FROM epoch FOR SHARE")
        resetting = asyncio.create_task(reset.reset("test"))
        await asyncio.sleep(0.8)  # longer than one try waits for a lock
        assert not resetting.done()
        await conn.execute(
            "INSERT INTO orders (account_id, event_id, epoch, created_at, updated_at)"
            " VALUES (1, $1, 1, now(), now())",
            event_id,
        )
        await sale.commit()
    await resetting
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


async def test_a_sale_that_meets_it_in_a_ring_goes_on_and_the_reset_follows(db, reset):
    event_id = await build_event(db)
    async with db.acquire() as conn, conn.transaction():
        await conn.execute("DELETE FROM ticket WHERE false")  # late in the reset's order
        resetting = asyncio.create_task(reset.reset("test"))
        await asyncio.sleep(0.1)
        await conn.execute("DELETE FROM orders WHERE event_id = $1", event_id)
    await resetting


async def test_it_gives_up_in_time_and_leaves_everything_as_it_was(db, reset, monkeypatch):
    tries_s, last_try_s = reset_module.TRY_AGAIN_WITHIN_S, reset_module.STATEMENT_TIMEOUT_MS / 1000
    assert tries_s + last_try_s < 5, "the contract's client waits no longer"
    monkeypatch.setattr(reset_module, "TRY_AGAIN_WITHIN_S", 0.1)
    event_id = await build_event(db)
    order_id = await open_order(db, event_id)
    async with db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT FROM orders FOR UPDATE")
        with pytest.raises(ResetBusy):
            await asyncio.wait_for(reset.reset("test"), 30)
    assert await db.fetchval("SELECT id FROM orders") == order_id
    assert await db.fetchval("SELECT epoch FROM epoch") == 1


async def test_bookings_list_what_is_held_and_what_was_placed(db, holds):
    event_id = await build_event(db)
    bookings = Bookings(db, holds)
    empty, choosing, placed, ended = [await open_order(db, event_id) for _ in range(4)]
    await holds.hold(event_id, choosing, BEK, [5, 1])
    await db.execute("INSERT INTO order_line VALUES ($1, $2, 9, 2, 3, 2, 100)", placed, event_id)
    await db.execute("UPDATE orders SET state = 'paid' WHERE id = $1", placed)
    await db.execute("UPDATE orders SET state = 'cancelled' WHERE id = $1", ended)
    await open_order(db, event_id, account_id=BEK + 1)
    listed = [(one.order_id, one.seats) for one in await bookings.of_account(BEK)]
    assert listed == [(placed, [9]), (choosing, [1, 5]), (empty, [])]
