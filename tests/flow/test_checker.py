"""The independent checker finds nothing after honest sales, and each lie that is put in its way."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from loadtest.checker import check_stores
from loadtest.checks.money import check_given_back
from loadtest.checks.report import Report
from sales.gateway_toleubar import ToleuBar
from tests.flow.shop import AHEAD, BEK, ERMEK, Shop, open_shop
from tests.web.toleubar_stand import PASSWORD, TEAM, Gateway, open_gateway

# Every sum stays as it is: what is told of one payment belongs to another.
EXCHANGE = """
UPDATE ledger_entry SET amount = CASE abs(amount) WHEN 500000 THEN 2 * amount
  WHEN 1000000 THEN amount / 2 ELSE amount END"""
EXPIRED = "INSERT INTO admission VALUES ($1, 'jti', 's', now(), now(), now(), now() - $2::interval)"
# A table, the lie told in it, and the promise that it breaks.
LIES = [
    (
        "ticket",
        "DELETE FROM ticket WHERE seat = 0",
        {
            "orders paid and without tickets or refund",
            "paid orders without all their tickets",
            "seats sold without a ticket",
        },
    ),
    (
        "seat_claim",
        "DELETE FROM seat_claim WHERE seat = 0",
        {
            "tickets without the seat's claim",
            "seats in Redis that belong to somebody without a claim",
        },
    ),
    ("seat_claim", "UPDATE seat_claim SET sold = false", {"tickets without the seat's claim"}),
    (
        "refund",
        "UPDATE refund SET state = 'queued' WHERE state = 'done'",
        {"orders given back twice, or never paid", "refunds at the gateway unknown to us"},
    ),
    (
        "refund",
        "UPDATE refund SET state = 'done'",
        {"refunds of ours that the gateway did not make"},
    ),
    (
        "refund",
        "DELETE FROM refund WHERE state = 'queued'",
        {"orders paid and without tickets or refund"},
    ),
    (
        "payment",
        "UPDATE payment SET state = 'lapsed' WHERE state = 'captured'",
        {"captures at the gateway unknown to us"},
    ),
    (
        "payment",
        "UPDATE payment SET state = 'captured' WHERE state IN ('lapsed', 'cancelled')",
        {"captures of ours unknown to the gateway"},
    ),
    (
        "payment",
        "UPDATE payment SET amount = amount + 1",
        {"payments with differing amounts"},
    ),
    (
        "orders",
        "UPDATE orders SET state = 'pending' WHERE state = 'expired'",
        {"orders that are not final"},
    ),
    (
        "orders",
        "UPDATE orders SET state = 'expired' WHERE state = 'paid'",
        {"claims of orders that ended"},
    ),
    (
        "notice",
        "INSERT INTO notice (kind, subject_id, due_at, parked_at) VALUES ('x', 1, now(), now())",
        {"notices set aside for staff"},
    ),
    (
        "ledger_entry",
        "UPDATE ledger_entry SET amount = amount + 1 WHERE account = 'gateway'",
        {
            "ledger postings that do not sum to zero",
            "payments of which the ledger tells otherwise",
            "the ledger's gateway account, tenge",
        },
    ),
    (
        "ledger_entry",
        EXCHANGE,
        {"payments of which the ledger tells otherwise"},
    ),
    (
        "admission",
        "INSERT INTO admission VALUES (1, 'j', 's', now(), now() - interval '1 min', now())",
        {"visits that are over and not ended"},
    ),
    (
        "event",
        "UPDATE event SET state = 'cancelled'",
        {"orders of cancelled events that were not given back"},
    ),
    (
        "event",
        "UPDATE event SET ownership = 'allotment'",
        {"places sold outside an allotment"},
    ),
]


@pytest.fixture
async def gateway(tmp_path, clock):
    async with open_gateway(tmp_path / "books.sqlite", clock) as opened:
        await opened.faults(webhook_loss=1)
        yield opened


@pytest.fixture
async def shop(db, redis_shop, clock, tmp_path, gateway):
    client = ToleuBar(gateway.base, team_slug=TEAM, password=PASSWORD)
    yield await open_shop(db, redis_shop, clock, tmp_path, client, starts_at=AHEAD)
    await client.close()


@pytest.fixture
async def look(db_url, shop_engine, rooms_engine, redis_rooms, gateway, shop, clock):
    """The promises that are broken, after an ordinary day: a purchase, two returns, an expiry."""
    redis = {"REDIS_SHOP_URL": shop_engine.url, "REDIS_ROOMS_URL": rooms_engine.url}
    urls = {"DATABASE_URL": db_url, **redis}
    await buy(shop, gateway, 0, 1)
    whole, part = await buy(shop, gateway, 2), await buy(shop, gateway, 3, 4, buyer=ERMEK)
    await shop.refunds.ask(whole, BEK)
    [ticket, _] = await shop.tickets.of_order(part)
    await shop.refunds.ask(part, ERMEK, [ticket.id])
    await shop.placed(5)
    for seconds in (2, 13 * 60, 120, 120):
        clock.advance(seconds)
        await shop.drain()
    await shop.holds.lapse(clock.now())

    async def ask(*, at_rest: bool = True) -> list[str]:
        books = f"{gateway.base}/sandbox/books"
        report = await check_stores(urls, books, "http://no.partner", at_rest=at_rest)
        return report.broken

    return ask


async def buy(shop: Shop, gateway: Gateway, *seats: int, buyer: int = BEK) -> int:
    order = await shop.placed(*seats, buyer=buyer)
    payment = await shop.payments.of_order(order.id)
    assert payment
    assert payment.gateway_payment_id
    await gateway.pay(payment.gateway_payment_id)
    await shop.payments.hurry(order.id)
    await shop.drain()
    return order.id


async def test_after_an_honest_day_every_promise_is_kept(look):
    assert await look() == []


async def test_each_lie_in_postgresql_is_found(look, db):
    for table, lie, named in LIES:
        async with lying(db, table, lie):
            assert named <= set(await look()), lie
    assert await look() == [], "nothing was left of them"


@asynccontextmanager
async def lying(db, table, lie):
    """Whatever its constraints say, the table tells this for a while."""
    columns = await db.fetchval(
        "SELECT string_agg(attname, ', ') FROM pg_attribute"
        " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        table,
    )
    again = (
        f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM true_one"
    )
    async with db.acquire() as conn:
        await conn.execute(f"CREATE TEMP TABLE true_one AS TABLE {table}")
        await conn.execute(f"SET session_replication_role = replica; {lie}")
        yield
        await conn.execute(f"DELETE FROM {table}; {again}; DROP TABLE true_one")
        await conn.execute("SET session_replication_role = DEFAULT")


async def test_each_lie_in_redis_is_found(look, shop, redis_shop, redis_rooms, db):
    event = shop.event_id
    seats, shown = f"seats:{{{event}}}", "seats that Redis shows otherwise than PostgreSQL"
    await redis_shop.setrange(seats, 0, "F")
    assert await look() == [shown]
    await redis_shop.setrange(seats, 0, "S")
    await redis_shop.setrange(seats, 9, "S")
    assert await look() == [shown]
    await redis_shop.setrange(seats, 9, "F")
    await redis_shop.hset(f"holders:{{{event}}}", "9", "77:1")
    await redis_shop.zadd(f"expiring:{{{event}}}", {"77": 1})
    await db.execute(EXPIRED, event, timedelta(hours=1))
    await redis_rooms.zadd(f"room:{{{event}}}:leases", {b"who": 2**52})
    await redis_rooms.hset(f"room:{{{event}}}:visits", b"who", "1:5:jti:0:0:0")
    assert await look() == [
        "events with holds still to expire",
        "seats in Redis that belong to somebody without a claim",
        "places in flight of visits that are over",
    ]


def test_money_that_goes_back_twice_is_found():
    report, taken = Report(), {"captured": 500, "refunded": 500}
    theirs = {"a": {**taken, "acts": {"cancel": 2}}, "b": {**taken, "refunded": 1000, "acts": {}}}
    row = {"given_back": True, "told": 0}
    check_given_back(report, theirs, {"a": row, "b": {**row, "told": -500}})
    assert report.rows[2] == ("refunds made twice, or of more than was taken", "2", False)
    assert [promise for promise, _, kept in report.rows if not kept] == report.broken
    assert len(report.broken) == 1


async def test_what_is_under_way_is_no_lie_until_all_is_over(look, shop):
    await shop.placed(6)
    assert await look(at_rest=False) == []
    assert {
        "orders that are not final",
        "payments that are not final",
        "payments left open or reserved at the gateway",
        "events with holds frozen for payment",
    } <= set(await look())


def test_the_table_names_what_is_broken(capsys):
    report = Report()
    report.none_of("lies", 0)
    assert report.show() == 0
    report.none_of("greater lies", 2)
    assert report.show() == 1
    assert "BROKEN  greater lies" in capsys.readouterr().out
