"""The stand-in gateway without sockets: the merchant's calls and the payer's form go straight into
its app, and webhooks wait until somebody hands them on. Its books are its own, in a file.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
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


class Bank:
    def __init__(self, folder: Path, clock: ManualClock, chance: Random | None = None) -> None:
        self.folder = folder
        # How long stalls and delays have lasted: the world's clock is not touched by them.
        self.slept_s = 0.0

        async def sleep(seconds: float) -> None:
            self.slept_s += seconds

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
        await self._app(scope, receive, send)
        if told[-1].get("more_body"):
            raise WireError("the line broke")
        content = b"".join(message.get("body", b"") for message in told[1:])
        return told[0]["status"], content


def payment_of(url: str) -> str:
    """The payment id in the address of a form."""
    return url.rstrip("/").rpartition("/")[2]
