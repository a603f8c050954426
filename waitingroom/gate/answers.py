"""What the gate itself answers: to people a way to the queue, to programs a problem document."""

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

RETRY_AFTER_S = 5
# Said in all languages of the product, since the gate doesn't know the visitor's.
AWAY_PAGE = (Path(__file__).parent / "away.html").read_bytes()
DETAILS = {
    "pass-needed": "Take a place in the queue first.",
    "pass-expired": "The pass is no longer valid: return to the queue.",
    "pass-used": "This pass was used by somebody else.",
    "pass-wrong-event": "This pass is for another event.",
    "pass-forged": "This is no pass of the room's.",
    "room-away": "The queue is away for a moment; the place is kept.",
}
KEPT_NOWHERE: list[Header] = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
]


async def redirect(send: Send, address: str, more: list[Header] | None = None) -> None:
    headers = [(b"location", address.encode("latin-1")), *KEPT_NOWHERE, *(more or [])]
    await _answer(send, HTTPStatus.SEE_OTHER, headers, b"")


async def problem(send: Send, status: int, code: str, queue: str) -> None:
    """A problem document (RFC 9457); the queue page stands in it and in the Link header."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": DETAILS[code],
        "queue": queue,
    }
    headers = [(b"content-type", b"application/problem+json"), *KEPT_NOWHERE]
    headers.append((b"link", f'<{queue}>; rel="queue"'.encode("latin-1")))
    if status != HTTPStatus.FORBIDDEN:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    await _answer(send, status, headers, msgspec.json.encode(body))


async def away(send: Send) -> None:
    headers = [(b"content-type", b"text/html; charset=utf-8"), *KEPT_NOWHERE]
    headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    await _answer(send, HTTPStatus.SERVICE_UNAVAILABLE, headers, AWAY_PAGE)


async def _answer(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
