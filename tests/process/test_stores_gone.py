"""PostgreSQL and the shop's Redis go away in the middle of the sale: everybody waits, nothing is
half-done, and all goes on by itself.
"""

import asyncio
import contextlib
import shlex
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import asyncpg
import httpx
import psutil
import pytest

from tests.house import House, until
from tests.process.shoppers import FIRST, TIMEOUT_S, Shopper, shopping

pytestmark = pytest.mark.process
DUTIES = ("sales", "worker", "relay", "ticker")
AWAY_S = 7.0


@contextlib.contextmanager
def postgresql_standing_still(house: House) -> Iterator[None]:
    """The server and all that work for it neither answer nor close a connection."""
    server = psutil.Process(house.pid_of("postgres"))
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


def pids(house: House) -> dict[str, int]:
    return {duty: house.pid_of(duty) for duty in DUTIES}


def sold(shoppers: list[Shopper]) -> int:
    return sum(len(one.paying) for one in shoppers)


def states(house: House, shoppers: list[Shopper]) -> Counter[str]:
    """Of the orders whose card was accepted, as the shop tells their owners."""
    found: Counter[str] = Counter()
    for number, one in enumerate(shoppers):
        name = f"crowd-{FIRST + number:05d}"
        who = (f"{name}@demo.biletter.kz", name)
        with httpx.Client(base_url=house.address("sales"), auth=who, timeout=TIMEOUT_S) as shop:
            for booking in one.paying:
                found[shop.get(f"/api/bookings/{booking}").json()["state"]] += 1
    return found


def all_paid(house: House, shoppers: list[Shopper]) -> bool:
    return set(states(house, shoppers)) == {"paid"}


def assert_whole(house: House, shoppers: list[Shopper], before: dict[str, int]) -> None:
    """Everything that was begun has its end, nobody had to be started again, and what PostgreSQL,
    Redis and the ledger say agrees.
    """
    assert until(lambda: all(house.answers(duty) for duty in DUTIES))
    assert until(lambda: all_paid(house, shoppers)), states(house, shoppers)
    assert pids(house) == before
    errors = {code for one in shoppers for code in one.answers if code.startswith("5")}
    assert errors <= {"503 database-away", "503 store-away", "503 try-again", "503 seats-unsettled"}
    assert sum(one.without_retry_after for one in shoppers) == 0
    compared = house.run("reconcile", "--what", "stuck", "--what", "seats", "--what", "ledger")
    assert compared.returncode == 0, compared.stdout + compared.stderr


def test_postgresql_standing_still_is_waited_for(server: House) -> None:
    before = pids(server)
    with shopping(server) as shoppers:
        assert until(lambda: sold(shoppers) >= 3)
        with postgresql_standing_still(server):
            frozen_at = time.monotonic()
            # Nobody pretends to be well.
            assert until(
                lambda: not any(server.answers(duty) for duty in ("sales", "worker", "relay"))
            )
            time.sleep(max(0.0, frozen_at + AWAY_S - time.monotonic()))
        so_far = sold(shoppers)
        assert until(lambda: sold(shoppers) >= so_far + 3)
    assert any("503 database-away" in one.answers for one in shoppers)
    assert max(one.slowest_s for one in shoppers) < TIMEOUT_S
    assert_whole(server, shoppers, before)


def test_postgresql_killed_and_started_again_is_waited_for(server: House) -> None:
    before = pids(server)
    database = server.pid_of("postgres")
    with shopping(server) as shoppers:
        assert until(lambda: sold(shoppers) >= 3)
        psutil.Process(database).kill()
        assert until(lambda: server.pid_of("postgres") != database)
        so_far = sold(shoppers)
        assert until(lambda: sold(shoppers) >= so_far + 3)
    assert_whole(server, shoppers, before)


def test_the_shops_redis_killed_costs_nobody_an_order(server: House) -> None:
    before = pids(server)
    redis = server.pid_of("redis-shop")
    with shopping(server) as shoppers:
        assert until(lambda: sold(shoppers) >= 3)
        psutil.Process(redis).kill()
        assert until(lambda: server.pid_of("redis-shop") != redis)
        so_far = sold(shoppers)
        assert until(lambda: sold(shoppers) >= so_far + 3)
    assert_whole(server, shoppers, before)


def test_with_the_shops_redis_standing_still_money_is_still_taken(server: House) -> None:
    """The bell is Redis's, the work is PostgreSQL's: who has paid gets tickets meanwhile."""
    before = pids(server)
    buyer = Shopper(server, 0, threading.Event())
    with buyer.clients() as (shop, web):
        placed = buyer.place(shop)
        assert placed is not None
        process = psutil.Process(server.pid_of("redis-shop"))
        process.send_signal(signal.SIGSTOP)
        try:
            buyer.submit(web, *placed)
            assert until(lambda: not any(server.answers(d) for d in ("worker", "relay")))
            # Nobody asks the shop, lest it look after the payment itself.
            assert until(lambda: tickets_of(server, placed[0]) == 1)
        finally:
            process.send_signal(signal.SIGCONT)
    assert_whole(server, [buyer], before)


def tickets_of(house: House, order_id: int) -> int:
    shell = house.run("env").stdout
    url = shlex.split(shell.partition("DATABASE_URL=")[2])[0]

    async def count() -> int:
        conn = await asyncpg.connect(url)
        try:
            asked = "SELECT count(*) FROM ticket WHERE order_id = $1"
            return int(await conn.fetchval(asked, order_id))
        finally:
            await conn.close()

    return asyncio.run(count())
