"""Which webhooks are answered in front of the routes, and that all others reach them whole."""

import hashlib
import hmac
from typing import Any

import pytest

from sales.web.api.hot_webhooks import PATH, HotWebhooks

SECRET = b"webhook secret of a test"


class Judge:
    """As much of Payments as is asked."""

    def is_no_news(self, status: str, body: bytes, signature: str | None) -> bool:
        good = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        return status == "NEW" and signature in (None, good)


async def ask(body: bytes, headers: dict[str, str], path: str = PATH) -> tuple[str, bytes]:
    """Who answered, and the body that it got or gave."""
    seen: list[tuple[str, bytes]] = []

    async def routes(_: Any, receive: Any, __: Any) -> None:
        seen.append(("routes", (await receive())["body"]))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            seen.append(("at once", message["body"]))

    headers = {"content-length": str(len(body)), **headers}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "headers": pairs}
    await HotWebhooks(routes, Judge())(scope, receive, send)  # type: ignore[arg-type]  # a part of it
    assert len(seen) == 1
    return seen[0]


async def test_no_news_is_answered_at_once():
    body = b'{"paymentId": "17", "status": "NEW"}'
    good = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    assert (await ask(body, {"x-webhook-signature": good}))[0] == "at once"
    assert (await ask(body, {}))[0] == "at once"


@pytest.mark.parametrize(
    ("body", "headers", "path"),
    [
        (b'{"paymentId": "17", "status": "AUTHORIZED"}', {}, PATH),
        (b'{"status": "NEW"}', {"x-webhook-signature": "sha256=0"}, PATH),
        (b'{"status": 1}', {}, PATH),
        (b"\xff", {}, PATH),
        (b'{"status": "NEW"}', {"content-length": "99999"}, PATH),
        (b'{"status": "NEW"}', {"content-length": "x"}, PATH),
        (b'{"status": "NEW"}', {}, "/api/bookings"),
    ],
)
async def test_everything_else_reaches_the_routes_whole(body, headers, path):
    assert await ask(body, headers, path) == ("routes", body)
