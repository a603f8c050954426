"""The calls that everybody makes all the time, as plain ASGI in front of any routing: my place,
heartbeat, claim, and joining for those who are known. Whatever is unusual about a request is left
to the ordinary routes, which answer the same. (The status: waitingroom.web.hotstatus.)
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kernel.errors import Refusal
from kernel.web.cookies import cookie_in
from kernel.web.edge import REQUESTS
from kernel.web.links import Links
from kernel.web.problems import document_of, headers_of
from waitingroom.abuse import Verb
from waitingroom.entries import Entry
from waitingroom.room import Rooms
from waitingroom.web.answers import claim_answer, place_answer
from waitingroom.web.entrance import (
    cookie_of,
    entry_in_header,
    event_of,
    pass_address,
)
from waitingroom.web.hotjoin import HotJoin
from waitingroom.web.hotstatus import JSON
from waitingroom.web.joining import at_door

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]
# Status, body, headers beyond the usual.
Answer = tuple[int, bytes, list[tuple[bytes, bytes]]]

PROBLEM = (b"content-type", b"application/problem+json")
PRIVATE = (b"cache-control", b"no-store")
NOSNIFF = (b"x-content-type-options", b"nosniff")
# What the door counts (waitingroom.abuse); joins are counted where they are made.
DOOR_VERBS: dict[str, Verb] = {"heartbeats": "heartbeat", "claims": "claim"}
# /rooms/{event}/…
PARTS_MIN = 4


class HotRooms:
    """For kernel.web.edge's `hot` under "/rooms/": True when it answered."""

    def __init__(
        self,
        rooms: Rooms,
        links: Links,
        join: HotJoin | None = None,
        told: Callable[[Headers, str], str] = lambda _, message: message,
    ) -> None:
        """`told` says a refusal's words in the language that the headers ask for."""
        self._told_in = told
        self._rooms = rooms
        self._join = join
        self._links = links
        self.calls: dict[tuple[str, str], Callable[[Entry, Headers], Awaitable[Answer]]] = {
            ("GET", "entries/me"): self._place,
            ("POST", "heartbeats"): self._heartbeat,
            ("POST", "claims"): self._claim,
        }

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> bool:
        method, path = scope["method"], scope["path"]
        parts = path.split("/", 3)
        if len(parts) < PARTS_MIN:
            return False
        _, _, event, rest = parts
        headers: Headers = dict(scope["headers"])
        if not _is_plain(method, headers):
            return False
        try:
            if rest == "entries" and method == "POST":
                answer = await self._joined(event, scope, receive, headers)
            else:
                answer = await self._answered((method, rest), event, headers, scope)
        except Refusal as refusal:
            await _refuse(method, send, refusal, self._told_in(headers, refusal.detail))
            return True
        if answer is None:
            return False
        status, body, more = answer
        kind = [JSON] if body else []
        await _answer(method, send, status, [*kind, PRIVATE, NOSNIFF, *more], body)
        return True

    async def _answered(
        self, which: tuple[str, str], event: str, headers: Headers, scope: Scope
    ) -> Answer | None:
        call = self.calls.get(which)
        if call is None:
            return None
        entry = self._entry(event, headers)
        if entry is None:
            return None
        verb = DOOR_VERBS.get(which[1])
        if verb:
            at_door(self._rooms, entry.event, verb, entry.subject, scope)
        return await call(entry, headers)

    async def _joined(
        self, event: str, scope: Scope, receive: Any, headers: Headers
    ) -> Answer | None:
        return await self._join(event, scope, receive, headers) if self._join else None

    def _entry(self, event: str, headers: Headers) -> Entry | None:
        event_id = event_of(event)
        self._rooms.snapshot(event_id)
        token = entry_in_header(headers.get(b"authorization", b"").decode("latin-1"))
        token = token or cookie_in(headers.get(b"cookie", b""), cookie_of(event_id))
        return self._rooms.book.read(token, event_id) if token else None

    async def _place(self, entry: Entry, _: Headers) -> Answer:
        return 200, msgspec.json.encode(place_answer(await self._rooms.place(entry))), []

    async def _heartbeat(self, entry: Entry, _: Headers) -> Answer:
        await self._rooms.heartbeat(entry)
        return 204, b"", []

    async def _claim(self, entry: Entry, headers: Headers) -> Answer:
        admitted = await self._rooms.claim(entry)
        host = headers.get(b"host", b"localhost").decode("latin-1")
        settings = self._rooms.snapshot(entry.event).settings
        enter_url = pass_address(self._links, host, entry.event, settings)
        return 201, msgspec.json.encode(claim_answer(admitted, enter_url)), []


def _is_plain(method: str, headers: Headers) -> bool:
    """Not a person's page, and no write that the edge would have to judge."""
    if b"text/html" in headers.get(b"accept", b""):
        return False
    if method == "GET":
        return True
    site = headers.get(b"sec-fetch-site")
    return site == b"same-origin" or (site is None and b"origin" not in headers)


async def _refuse(method: str, send: Send, refusal: Refusal, detail: str) -> None:
    headers = [PROBLEM, PRIVATE, NOSNIFF]
    more = headers_of(refusal).items()
    headers += [(name.lower().encode(), text.encode("latin-1")) for name, text in more]
    await _answer(method, send, refusal.status, headers, document_of(refusal, detail))


async def _answer(
    method: str, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    REQUESTS.counts[method, str(status)] += 1
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]  # noqa: PLR2004
    await send({"type": "http.response.start", "status": status, "headers": headers + length})
    await send({"type": "http.response.body", "body": body})
