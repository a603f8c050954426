"""What the gateway has said it remembers, whatever kills it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from sandbox.toleubar.books import Books
from sandbox.toleubar.states import Status
from tests.web.toleubar_stand import Gateway, free_port, open_gateway, wait_for_port

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def process(books: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Gateway]]:
    port = free_port()
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.web.toleubar_process", str(books), str(port)),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_for_port(port)
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as http:
            yield running, Gateway(base, http, "http://127.0.0.1:9/", [])
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


@pytest.mark.process
async def test_kill_nine_loses_nothing_that_was_answered(tmp_path):
    books = tmp_path / "books.db"
    answered: dict[str, str] = {}

    async def buy(gateway: Gateway, number: int) -> None:
        order_id = f"bk-{number}"
        answered[order_id] = (await gateway.init(order_id)).json()["status"]
        [payment_id] = [
            payment["paymentId"]
            for payment in (await gateway.books())["payments"]
            if payment["orderId"] == order_id
        ]
        if (await gateway.pay(payment_id)).status_code == 302:
            answered[order_id] = "AUTHORIZED"
        answered[order_id] = (await gateway.confirm(payment_id)).json()["status"]

    async with process(books) as (running, gateway):
        buying = [asyncio.ensure_future(buy(gateway, number)) for number in range(60)]
        while list(answered.values()).count("CONFIRMED") < 10:
            await asyncio.sleep(0.01)
        running.kill()
        await asyncio.gather(*buying, return_exceptions=True)
    async with process(books) as (_, gateway):
        page = await gateway.books()
    stands = {payment["orderId"]: payment for payment in page["payments"]}
    ranks = ["NEW", "FORM_SHOWED", "AUTHORIZED", "CONFIRMED"]
    for order_id, status in answered.items():
        assert ranks.index(stands[order_id]["status"]) >= ranks.index(status)
        assert stands[order_id]["history"][-1]["status"] == stands[order_id]["status"]


async def test_a_card_whose_answer_was_lost_may_be_posted_again(tmp_path, clock):
    books = tmp_path / "books.db"
    async with open_gateway(books, clock, "http://127.0.0.1:9/") as first:
        payment_id = await first.start()
    with closing(Books(books)) as opened:  # as kill -9 in the middle of the card leaves it
        payment = opened.find(payment_id)
        assert payment
        opened.move(payment, Status.FORM_SHOWED, clock.ms(), "submit")
    async with open_gateway(books, clock, "http://127.0.0.1:9/") as second:
        await second.pay(payment_id)
        assert await second.status(payment_id) == "AUTHORIZED"


async def test_profile_and_switches_outlive_the_process(tmp_path, clock):
    books = tmp_path / "books.db"
    async with open_gateway(books, clock, "http://127.0.0.1:9/") as first:
        await first.faults(webhook_loss=1)
    async with open_gateway(books, clock, "http://127.0.0.1:9/") as second:
        assert (await second.http.get("/sandbox/faults")).json()["webhook_loss"] == 1
