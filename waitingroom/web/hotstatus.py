"""/rooms/{event}/status in front of all else: two ASGI messages, made once a reading of the room.

Everybody asks for it all the time, so it is answered before any other layer sees the request.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kernel.web.edge import REQUESTS
from waitingroom.reader import Reader
from waitingroom.store import RoomUnknown
from waitingroom.web.entrance import event_of

# No more headers than these: each costs a poll a fortieth of its rate, and no browser takes JSON
# for anything else.
JSON = (b"content-type", b"application/json")
SHARED = (b"cache-control", b"public, max-age=1")
STATUS = "/status"
# Addresses remembered; those of one room may be written `1` and `01`.
ADDRESSES_MAX = 10_000
COUNTED = "GET", "200"

App = Callable[[Any, Any, Any], Awaitable[None]]


class Told(msgspec.Struct, frozen=True):
    event: int
    body: bytes
    start: dict[str, Any]
    rest: dict[str, Any]


class HotStatus:
    """An ASGI app round another, which answers whatever else is asked."""

    def __init__(self, app: App, reader: Reader) -> None:
        self._app, self._reader = app, reader
        self._told: dict[str, Told] = {}

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Not a coroutine, but one of two: each layer of them costs a poll a hundredth."""
        if scope["type"] == "http" and scope["method"] == "GET":
            told = self._of(scope["path"])
            if told is not None:
                return _tell(told, send)
        return self._app(scope, receive, send)

    def _of(self, path: str) -> Told | None:
        """What to send; None: no address of a status, no such room, or none is known yet."""
        told = self._told.get(path)
        if told is not None and told.body is self._reader.status_bytes(told.event):
            return told
        return self._tell_anew(path) if path.endswith(STATUS) else None

    def _tell_anew(self, path: str) -> Told | None:
        _, _, event = path.removesuffix(STATUS).rpartition("/")
        if path != f"/rooms/{event}{STATUS}":
            return None
        try:
            event_id = event_of(event)
        except RoomUnknown:
            return None
        body = self._reader.status_bytes(event_id)
        if body is None:
            return None
        headers = [JSON, SHARED, (b"content-length", b"%d" % len(body))]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        if len(self._told) >= ADDRESSES_MAX:
            self._told.clear()
        told = Told(event_id, body, start, {"type": "http.response.body", "body": body})
        self._told[path] = told
        return told


async def _tell(told: Told, send: Any) -> None:
    REQUESTS.counts[COUNTED] += 1
    await send(told.start)
    await send(told.rest)
