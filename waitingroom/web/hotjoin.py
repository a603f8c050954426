"""Joining without the routing, for visitors who are already known: by HTTP Basic, an entry, or the
cookies of a browser that has been here. Everybody else joins by the ordinary route, which makes
them known.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from litestar import Request

from kernel.db import GONE, DatabaseAway
from kernel.web.links import Links
from waitingroom.line import Joined, RoomOff
from waitingroom.room import Rooms
from waitingroom.web.answers import join_answer
from waitingroom.web.entrance import COOKIE_LIFE_S, AnyRequest, cookie_of, event_of
from waitingroom.web.places import JOIN_BODY_MAX, check_join_body, join_room

Headers = dict[bytes, bytes]
Identify = Callable[[AnyRequest], Awaitable[str]]
DEVICE = re.compile(rb"(?:^|;\s*)biletter_device=([A-Za-z0-9_-]{22})(?:;|$)")


class HotJoin:
    def __init__(self, rooms: Rooms, links: Links, visitor: Identify, *, secure: bool) -> None:
        """`visitor` tells the subject of a request, as the ordinary route's dependency does."""
        self._rooms = rooms
        self._links = links
        self._visitor = visitor
        self._secure = secure

    def knows(self, headers: Headers) -> bool:
        """Whether this visitor needs no new device cookie."""
        return b"authorization" in headers or DEVICE.search(headers.get(b"cookie", b"")) is not None

    async def __call__(
        self, event: str, scope: Any, receive: Any, headers: Headers
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        """Status, body and cookie. Raises what the ordinary route raises."""
        event_id = event_of(event)
        device = DEVICE.search(headers.get(b"cookie", b""))
        if device:
            scope["device"] = device[1].decode()
        request: AnyRequest = Request(scope)
        try:
            visitor = await self._visitor(request)
        except GONE as error:
            raise DatabaseAway from error
        body = check_join_body(await _read(receive))
        try:
            joined = await join_room(request, self._rooms, event_id, visitor, body.proof)
        except RoomOff as off:
            host = headers.get(b"host", b"localhost").decode("latin-1")
            page = f"{self._links.base('sales', host)}/events/{event_id}"
            raise RoomOff(enter_url=page) from off
        told = msgspec.json.encode(join_answer(joined))
        return 201 if joined.is_new else 200, told, [self._cookie(event_id, joined)]

    def _cookie(self, event: int, joined: Joined) -> tuple[bytes, bytes]:
        line = f"{cookie_of(event)}={joined.token}; Path=/; Max-Age={COOKIE_LIFE_S}"
        line += "; HttpOnly; SameSite=lax" + ("; Secure" if self._secure else "")
        return b"set-cookie", line.encode("latin-1")


async def _read(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bytes:
    """The body, or a little more than may be: enough to be refused."""
    body = b""
    while len(body) <= JOIN_BODY_MAX:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body
