"""The stand-in gateway without sockets: the merchant's calls and the payer's form go straight into
its app, and webhooks wait until somebody hands them on. Its books are its own, in a file.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from contextvars import Context, ContextVar
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from kernel.clock import ManualClock
from kernel.web.links import Links
from sales.gateway_wire import Answer, WireError
from sandbox.toleubar.app import build
from sandbox.toleubar.config import ToleuBarConfig

TEAM, PASSWORD, SECRET = "toleubar-demo", "Kokdala-2025!", "whsec-demo-123"
GOOD_CARD, BAD_CARD = "4111111111111111", "4000000000000002"
BASE = "http://127.0.0.1:8083"
FORM = "/api/v1/paymentform/submit"
FOUND = 302
PAGE = 1000
# Letters are written by hand (see `letter`): none goes out over a socket.
STILL = {"webhook_loss": 1, "card_delay_max_s": 0, "card_delay_min_s": 0}


# Whoever is held longer than this has lost its caller; it goes on when the time has passed.
PATIENCE_S = 8.0
_LOST: ContextVar[asyncio.Event] = ContextVar("lost")


class Bank:
    def __init__(self, folder: Path, clock: ManualClock, chance: Random | None = None) -> None:
        self.folder, self._clock = folder, clock
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []
        self._held: set[asyncio.Task[Any]] = set()

        async def sleep(seconds: float) -> None:
            if seconds >= PATIENCE_S:
                waking = asyncio.get_running_loop().create_future()
                self._sleepers.append((clock.ms() + int(1000 * seconds), waking))
                _LOST.get().set()
                await waking

        self._app = build(
            ToleuBarConfig(team_slug=TEAM, password=PASSWORD, books=folder / "books.sqlite"),
            links=Links(ports={"toleubar": 8083}),
            clock=clock,
            chance=chance or Random(5),
            sleep=sleep,
        )

    async def open(self) -> None:
        await self.switch()

    async def switch(self, **faults: Any) -> None:
        """Set the whole switchboard; webhooks stay at home in any case."""
        status, _ = await self._ask("PUT", "/sandbox/faults", json.dumps(faults | STILL).encode())
        assert status == 200

    async def post(self, path: str, body: bytes) -> Answer:
        """As a wire of the merchant's client. Raises WireError where the line breaks."""
        status, content = await self._ask("POST", path, body)
        return Answer(status, content)

    async def close(self) -> None:
        """There is nothing to close."""

    async def wake(self) -> None:
        """What was held until now goes on, though nobody waits for it any more."""
        now_ms = self._clock.ms()
        due = [waking for until_ms, waking in self._sleepers if until_ms <= now_ms]
        self._sleepers = [one for one in self._sleepers if one[1] not in due]
        for waking in due:
            waking.set_result(None)
        while due and self._held:
            await asyncio.wait(self._held, timeout=0.01)
            if len(self._held) <= len(self._sleepers):
                break

    async def pay(self, payment_id: str, card: str = GOOD_CARD) -> bool:
        """The payer posts the form. False: the line broke, or the gateway would not take it."""
        form = {
            "PaymentId": payment_id,
            "CardNumber": card,
            "ExpiryDate": "12/39",
            "Cvv": "123",
            "CardholderName": "BEK",
            "Email": "bek@example.kz",
        }
        kind = {"content-type": "application/x-www-form-urlencoded"}
        try:
            status, _ = await self._ask("POST", FORM, urlencode(form).encode(), kind)
        except WireError:
            return False
        return status == FOUND

    async def books(self) -> list[dict[str, Any]]:
        """Every payment, as `GET /sandbox/books` tells of it."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            _, content = await self._ask("GET", "/sandbox/books", query=f"after={after}")
            page = json.loads(content)
            found += page["payments"]
            after = page["next"]
        return found

    async def struck(self) -> dict[str, int]:
        _, content = await self._ask("GET", "/sandbox/faults/struck")
        counts: dict[str, int] = json.loads(content)
        return counts

    def letter(self, payment_id: str, status: str) -> tuple[bytes, str]:
        """A webhook and its signature."""
        told = {"paymentId": payment_id, "status": status, "teamSlug": TEAM, "data": {}}
        body = json.dumps(told).encode()
        return body, "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> tuple[int, bytes]:
        """Raises WireError when the answer breaks off."""
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        named = {"host": "127.0.0.1:8083", "content-type": "application/json", **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8083),
        }
        lost = asyncio.Event()
        outside = Context()
        outside.run(_LOST.set, lost)
        # The gateway's own: it goes on when its caller is dead, and dies with nobody.
        answering = asyncio.Task(self._app(scope, receive, send), context=outside)
        losing = asyncio.ensure_future(lost.wait())
        await asyncio.wait({answering, losing}, return_when=asyncio.FIRST_COMPLETED)
        losing.cancel()
        if not answering.done():
            self._held.add(answering)
            answering.add_done_callback(self._held.discard)
            raise WireError("no answer in time")
        answering.result()
        if told[-1].get("more_body"):
            raise WireError("the line broke")
        content = b"".join(message.get("body", b"") for message in told[1:])
        return told[0]["status"], content


def payment_of(url: str) -> str:
    """The payment id in the address of a form."""
    return url.rstrip("/").rpartition("/")[2]
