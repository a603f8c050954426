"""The gateway and its merchant on real ports, for the tests that speak HTTP with it."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from kernel.clock import ManualClock
from kernel.web.links import Links
from sandbox.toleubar.app import build
from sandbox.toleubar.config import ToleuBarConfig

TEAM, PASSWORD = "toleubar-demo", "Kokdala-2025!"
AMOUNT = 20_000_000
SUCCESS_URL = "https://biletter.example/api/payments/success?orderId=456"
FAIL_URL = "https://biletter.example/api/payments/fail?orderId=456"
APPROVED, NO_FUNDS, LUCKY = "4111 1111 1111 1111", "4000 0000 0000 0119", "5555 5555 5555 4444"
START_WITHIN_S = 30.0
LETTER_WITHIN_S = 5.0
CALLS = {
    "init": "/api/v1/PaymentInit/init",
    "check": "/api/v1/PaymentCheck/check",
    "confirm": "/api/v1/PaymentConfirm/confirm",
    "cancel": "/api/v1/PaymentCancel/cancel",
}


def token(*values: object) -> str:
    return hashlib.sha256("".join(map(str, values)).encode()).hexdigest()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def served(app: Any, port: int) -> AsyncIterator[str]:
    server = Server(
        app,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
        websockets=False,
    )
    serving = asyncio.ensure_future(server.serve())
    try:
        await wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await serving


async def wait_for_port(port: int) -> None:
    async with asyncio.timeout(START_WITHIN_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.005)
                continue
            writer.close()
            await writer.wait_closed()
            return


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """HTTP status and error code of a refusal in the gateway's envelope."""
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["errorCode"]


class Merchant:
    """Takes webhooks. `answers` are the statuses of the next ones; after them always 200."""

    def __init__(self) -> None:
        self.letters: list[dict[str, Any]] = []
        self.raw: list[tuple[bytes, dict[str, str]]] = []
        self.answers: list[int] = []
        self.arrived = 0
        self.open = asyncio.Event()
        self.open.set()
        self._came = asyncio.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.arrived += 1
        await self.open.wait()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status = self.answers.pop(0) if self.answers else 200
        async with self._came:
            self.raw.append((body, headers))
            self.letters.append(msgspec.json.decode(body))
            self._came.notify_all()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The letters, once there are so many."""
        async with asyncio.timeout(LETTER_WITHIN_S), self._came:
            await self._came.wait_for(lambda: len(self.letters) >= count)
        return self.letters

    async def wait_for_arrival(self, count: int) -> None:
        """Letters that came to the door, answered or not."""
        async with asyncio.timeout(LETTER_WITHIN_S):
            while self.arrived < count:
                await asyncio.sleep(0.005)

    def words(self) -> list[str]:
        return [letter["status"] for letter in self.letters]


class Gateway:
    """A gateway that serves, and the calls of a merchant who signs correctly."""

    def __init__(
        self, base: str, http: httpx.AsyncClient, notify: str | None, pauses: list[float]
    ) -> None:
        self.base, self.http, self.notify, self.pauses = base, http, notify, pauses

    async def call(self, verb: str, **fields: object) -> httpx.Response:
        body = {"teamSlug": TEAM, **fields}
        return await self.http.post(CALLS[verb], content=msgspec.json.encode(body))

    async def init(self, order_id: str = "bk-1", **fields: Any) -> httpx.Response:
        asked: dict[str, Any] = {"amount": AMOUNT, "successURL": SUCCESS_URL, "failURL": FAIL_URL}
        asked |= {"notificationURL": self.notify, "orderId": order_id, **fields}
        asked = {name: value for name, value in asked.items() if value is not None}
        currency = asked.get("currency", "KZT")
        signed = token(asked["amount"], currency, order_id, PASSWORD, TEAM)
        return await self.call("init", **{"token": signed, **asked})

    async def start(self, order_id: str = "bk-1", **fields: Any) -> str:
        """A new payment's id."""
        answer = await self.init(order_id, **fields)
        assert answer.status_code == 200, answer.text
        payment_id: str = answer.json()["paymentId"]
        return payment_id

    async def check(self, payment_id: str) -> httpx.Response:
        signed = token(payment_id, PASSWORD, TEAM)
        return await self.call("check", paymentId=payment_id, token=signed)

    async def status(self, payment_id: str) -> str:
        answer = await self.check(payment_id)
        status: str = answer.json()["payments"][0]["status"]
        return status

    async def confirm(self, payment_id: str, **fields: object) -> httpx.Response:
        amount = fields.get("amount", "")
        signed = token(amount, PASSWORD, payment_id, TEAM)
        return await self.call("confirm", **{"token": signed, "paymentId": payment_id, **fields})

    async def cancel(self, payment_id: str, **fields: object) -> httpx.Response:
        amount = fields.get("amount")
        signed = token(payment_id, PASSWORD, TEAM)
        if amount is not None:
            signed = token(amount, PASSWORD, payment_id, TEAM)
        return await self.call("cancel", **{"token": signed, "paymentId": payment_id, **fields})

    async def pay(self, payment_id: str, card: str = APPROVED, **fields: str) -> httpx.Response:
        form = {
            "PaymentId": payment_id,
            "CardNumber": card,
            "ExpiryDate": "12/29",
            "Cvv": "123",
            "CardholderName": "ARU SEITKALI",
            "Email": "aru@example.kz",
            "CsrfToken": "dummy",
        }
        return await self.http.post("/api/v1/paymentform/submit", data=form | fields)

    async def paid(self, order_id: str = "bk-1", **fields: Any) -> str:
        """An authorised payment's id."""
        payment_id = await self.start(order_id, **fields)
        await self.pay(payment_id)
        assert await self.status(payment_id) == "AUTHORIZED"
        return payment_id

    async def faults(self, **switches: object) -> None:
        answer = await self.http.put("/sandbox/faults", json=switches)
        assert answer.status_code == 200, answer.text

    async def books(self) -> dict[str, Any]:
        answer = await self.http.get("/sandbox/books")
        page: dict[str, Any] = answer.json()
        return page


@asynccontextmanager
async def open_gateway(
    books: Path,
    clock: ManualClock,
    notify: str | None = None,
    *,
    really_pauses: bool = False,
    **settings: Any,
) -> AsyncIterator[Gateway]:
    """Pauses are written down and take no time, unless wanted; cards are judged at once."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(seconds if really_pauses else 0)

    port = free_port()
    config = ToleuBarConfig(team_slug=TEAM, password=PASSWORD, books=books, **settings)
    links = Links(ports={"toleubar": port})
    app = build(config, links=links, clock=clock, chance=Random(11), sleep=sleep)
    async with (
        served(app, port) as base,
        httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as http,
    ):
        yield Gateway(base, http, notify, pauses)
