"""Webhooks that are no news, answered in front of any routing: three of the five of a purchase.

Only what is beyond doubt is answered here. Everything else, a wrong signature as well as money,
goes on with its body to the ordinary route, which does and refuses in its own way.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from kernel.documents import UNREADABLE
from kernel.web.edge import REQUESTS
from kernel.web.replay import Replay, length_of, read_body
from sales.payments import Payments
from sales.web.api.shapes import Done, GatewayNotification

PATH: Final = "/api/payments/notifications"
SIGNATURE: Final = b"x-webhook-signature"
BODY: Final = msgspec.json.encode(Done())
HEADERS: Final = [
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(BODY)),
    (b"x-content-type-options", b"nosniff"),
]
App = Callable[[Any, Any, Any], Awaitable[None]]


class HotWebhooks:
    """Around a whole app."""

    def __init__(self, app: App, payments: Payments) -> None:
        self._app, self._payments = app, payments
        self._decode = msgspec.json.Decoder(GatewayNotification).decode

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_one = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        length = length_of(scope["headers"]) if is_one else None
        if length is None:
            await self._app(scope, receive, send)
            return
        body, is_whole = await read_body(receive, length)
        if is_whole and self._is_no_news(scope, body):
            REQUESTS.counts["POST", "200"] += 1
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await send({"type": "http.response.body", "body": BODY, "more_body": False})
            return
        await self._app(scope, Replay(body, receive), send)

    def _is_no_news(self, scope: Any, body: bytes) -> bool:
        signatures = [value for name, value in scope["headers"] if name == SIGNATURE]
        signature = signatures[0].decode("latin-1") if signatures else None
        try:
            told = self._decode(body)
        except UNREADABLE:
            return False
        return self._payments.is_no_news(told.status, body, signature)
