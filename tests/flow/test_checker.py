"""The independent checker finds nothing after honest sales, and each lie that is put in its way."""

import pytest

from loadtest.checker import check_stores
from loadtest.checks.report import Report
from sales.gateway_toleubar import ToleuBar
from tests.flow.shop import AHEAD, BEK, ERMEK, Shop, open_shop
from tests.web.toleubar_stand import PASSWORD, TEAM, Gateway, open_gateway

PARK = "INSERT INTO notice (kind, subject_id, due_at, parked_at) VALUES ('x', 1, now(), now())"
FORGE = """SET session_replication_role = replica;
UPDATE ledger_entry SET amount = amount + 1 WHERE account = 'gateway'"""


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
async def look(db_url, shop_engine, gateway, shop, clock):
    """The promises that are broken, after an ordinary day: a purchase, two returns, an expiry."""
    urls = {"DATABASE_URL": db_url, "REDIS_SHOP_URL": shop_engine.url}
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
        report = await check_stores(urls, f"{gateway.base}/sandbox/books", at_rest=at_rest)
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


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        ("DELETE FROM ticket WHERE seat = 0", "orders paid and without tickets or refund"),
        ("DELETE FROM ticket WHERE seat = 0", "paid orders without all their tickets"),
        ("DELETE FROM seat_claim WHERE seat = 0", "tickets without the seat's claim"),
        ("UPDATE seat_claim SET sold = false", "tickets without the seat's claim"),
        (
            "UPDATE refund SET state = 'queued' WHERE state = 'done'",
            "orders given back twice, or never paid",
        ),
        (
            "DELETE FROM refund WHERE state = 'queued'",
            "orders paid and without tickets or refund",
        ),
        (
            "UPDATE payment SET state = 'lapsed' WHERE state = 'captured'",
            "captures at the gateway unknown to us",
        ),
        (
            "UPDATE payment SET state = 'captured' WHERE state IN ('lapsed', 'cancelled')",
            "captures of ours unknown to the gateway",
        ),
        ("UPDATE payment SET amount = amount + 1", "payments with differing amounts"),
        (
            "UPDATE orders SET state = 'pending' WHERE state = 'expired'",
            "orders that are not final",
        ),
        ("UPDATE orders SET state = 'expired' WHERE state = 'paid'", "claims of orders that ended"),
        (PARK, "notices set aside for staff"),
        (FORGE, "ledger postings that do not sum to zero"),
    ],
)
async def test_a_lie_in_postgresql_is_found(look, db, lie, named):
    await db.execute(lie)
    await db.execute("SET session_replication_role = DEFAULT")
    assert named in await look()


async def test_a_lie_in_redis_is_found(look, shop, redis_shop):
    await redis_shop.setrange(f"seats:{{{shop.event_id}}}", 0, "F")
    assert await look() == ["seats that Redis shows otherwise than PostgreSQL"]
    await redis_shop.setrange(f"seats:{{{shop.event_id}}}", 0, "S")
    await redis_shop.setrange(f"seats:{{{shop.event_id}}}", 9, "S")
    assert await look() == ["seats that Redis shows otherwise than PostgreSQL"]


async def test_what_is_under_way_is_no_lie_until_all_is_over(look, shop):
    await shop.placed(6)
    assert await look(at_rest=False) == []
    assert {
        "orders that are not final",
        "payments that are not final",
        "payments left open or reserved at the gateway",
        "events with holds that are not gone",
    } <= set(await look())


def test_the_table_names_what_is_broken(capsys):
    report = Report()
    report.none_of("lies", 0)
    assert report.show() == 0
    report.none_of("greater lies", 2)
    assert report.show() == 1
    assert "BROKEN  greater lies" in capsys.readouterr().out
