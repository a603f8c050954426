"""Joining without the routing, for visitors who are already known: by HTTP Basic, an entry, or the
cookies of a browser that has been here. Everybody else joins by the ordinary route, which makes
them known.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request

from kernel.db import GONE, DatabaseAway
from kernel.subjects import subject_of
from kernel.web.cookies import cookie_in
from kernel.web.links import Links
from kernel.web.replay import read_body
from waitingroom.abuse import DEVICE
from waitingroom.entries import Entry, EntryForeign, EntryForged
from waitingroom.line import RoomOff
from waitingroom.room import Rooms
from waitingroom.web.answers import JoinBody, join_answer
from waitingroom.web.entrance import COOKIE_LIFE_S, AnyRequest, cookie_of, event_of
from waitingroom.web.joining import (
    INVITE_HEADER,
    JOIN_BODY_MAX,
    Comer,
    body_of,
    comer_of,
    join_room,
    room_off,
)

Headers = dict[bytes, bytes]
Identify = Callable[[AnyRequest], Awaitable[str]]
# The subject of a browser with this device token, by its headers alone.
Near = Callable[[Headers, str], str]
INVITED, NOTHING = INVITE_HEADER.encode(), JoinBody()
_encode = msgspec.json.Encoder().encode


class HotJoin:
    def __init__(
        self, rooms: Rooms, links: Links, visitor: Identify, near: Near, *, secure: bool
    ) -> None:
        """`visitor` tells the subject of a request, as the ordinary route's dependency does, and
        `near` the same without a request, for those who show no credentials.
        """
        self._rooms = rooms
        self._links = links
        self._visitor = visitor
        self._near = near
        self._secret = rooms.keyring.secret("subject")
        self._ends = f"; Path=/; Max-Age={COOKIE_LIFE_S}; HttpOnly; SameSite=lax"
        self._ends += "; Secure" if secure else ""

    async def __call__(
        self, event: str, scope: Any, receive: Any, headers: Headers
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]] | None:
        """Status, body and cookie; None: the visitor needs a new device cookie, which the ordinary
        route gives. Raises what that raises.
        """
        device = DEVICE.search(headers.get(b"cookie", b""))
        if device is None and b"authorization" not in headers:
            return None
        event_id = event_of(event)
        if device is None or b"authorization" in headers:
            comer = await self._anybody(event_id, scope, device)
        else:
            comer = self._browser(event_id, headers, device[1].decode())
        invite = headers.get(INVITED, b"").decode("latin-1") or None
        # Asking for a body costs as much as the rest of this, and nearly nobody sends one.
        raw = b"" if headers.get(b"content-length") == b"0" else await _body(receive)
        body = body_of(raw, invite) if raw or invite else NOTHING
        try:
            joined = await join_room(self._rooms, event_id, comer, scope, body)
        except RoomOff as off:
            host = headers.get(b"host", b"localhost").decode("latin-1")
            raise room_off(self._links, host, self._rooms, event_id) from off
        line = f"{cookie_of(event_id)}={joined.token}{self._ends}"
        cookie = (b"set-cookie", line.encode("latin-1"))
        return 201 if joined.is_new else 200, _encode(join_answer(joined)), [cookie]

    def _browser(self, event: int, headers: Headers, device: str) -> Comer:
        """Whom the cookies tell."""
        settings = self._rooms.snapshot(event).settings
        visitor = self._near(headers, device)
        entry: Entry | None = None
        token = cookie_in(headers[b"cookie"], cookie_of(event))
        if token:
            try:
                entry = self._rooms.book.read(token, event)
            except (EntryForged, EntryForeign):
                entry = None
        if entry is None and settings.proof_bits == 0:
            return Comer(visitor, None, token=device)  # nothing depends on the device's subject
        return Comer(visitor, subject_of(self._secret, "device", device), entry, token=device)

    async def _anybody(self, event: int, scope: Any, device: re.Match[bytes] | None) -> Comer:
        if device:
            scope["device"] = device[1].decode()
        request: AnyRequest = Request(scope)
        try:
            visitor = await self._visitor(request)
        except GONE as error:
            raise DatabaseAway from error
        return comer_of(request, self._rooms, event, visitor)


async def _body(receive: Any) -> bytes:
    """Of a body that is too long enough to be refused."""
    body, _ = await read_body(receive, JOIN_BODY_MAX)
    return body
