"""A body that was read in front of the routes, for the routes to read."""

import re
from typing import Any, Final

# A longer one is left for the routes to read.
BODY_BYTES_MAX: Final = 16_384
LENGTH: Final = re.compile(rb"[0-9]{1,6}")


class Replay:
    """`receive` of a request whose body is here already."""

    def __init__(self, body: bytes, receive: Any) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Any:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def length_of(headers: Any) -> int | None:
    """How long the body says it is; None: too long to be read here, or not said."""
    for name, value in headers:
        if name == b"content-length" and LENGTH.fullmatch(value):
            length = int(value)
            return length if length <= BODY_BYTES_MAX else None
    return None


async def read_body(receive: Any, length: int) -> tuple[bytes, bool]:
    """The body, and whether it is whole: False where the caller has gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body, False
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > length:
            return body, True
