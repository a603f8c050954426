"""The gate as ASGI middleware."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote

from waitingroom.gate.answers import Send, away, problem, redirect
from waitingroom.gate.requests import Asked, Protected
from waitingroom.gate.roomwatch import Fetch, RoomWatch, fetch
from waitingroom.gate.used import MemoryUsedPasses, Scope, UsedPasses, fingerprint, visit_by
from waitingroom.gate.visits import Refused, Visit, VisitBook, kid_of, read_pass, visit_cookie

App = Callable[[Any, Any, Any], Awaitable[Any]]
SECRET_BYTES = 32
POLICY_VIOLATION = 1008


class QueueGate:
    """Lets those pass who were let in by the room, and shows the others the queue."""

    def __init__(
        self,
        app: App,
        *,
        room: str,
        protect: Mapping[str, int | str],
        queue: str | None = None,
        site: str | None = None,
        secret: str | bytes | None = None,
        keys: Mapping[str, Any] | None = None,
        used: UsedPasses | None = None,
        visitor: Callable[[Scope], str] = fingerprint,
        when_away: Literal["closed", "open"] = "closed",
        fetch: Fetch = fetch,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`room` is where this server reaches the room, `queue` where browsers do (the same,
        unless said otherwise); `protect` maps path prefixes to events; `site` is this site's
        origin as browsers see it, where a proxy hides it. `secret` signs the visits' cookies:
        processes that share visitors share it, and `used`, which remembers passes. `keys`: see
        RoomWatch. `when_away` says what becomes of visitors without a visit while the room can't
        be reached: closed keeps them out, open lets them in.
        """
        if when_away not in ("closed", "open"):
            raise ValueError(f"`when_away` is closed or open, not {when_away!r}.")
        self._app, self._site, self._visitor, self._now = app, site, visitor, now
        self._protected = Protected(protect)
        self._room = RoomWatch(room, keys, fetch=fetch)
        self._queue = (queue or room).rstrip("/")
        secret = secret or secrets.token_bytes(SECRET_BYTES)
        self._book = VisitBook(secret.encode() if isinstance(secret, str) else secret)
        self._used = used or MemoryUsedPasses(now)
        self._opens_when_away = when_away == "open"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        found = None
        if scope["type"] in ("http", "websocket") and scope.get("method") != "OPTIONS":
            found = self._protected.find(scope["path"])
        if found is None:
            await self._app(scope, receive, send)
            return
        event = found[1]
        asked = Asked(scope, self._site, *found)
        visit = self._book.read(asked.visit_cookie() or "", event, self._now())
        is_new = False
        try:
            if visit is None:
                visit, is_new = await self._begin(scope, asked, event), True
        except Refused as refused:
            await _turn_away(scope, send, asked, f"{self._queue}/queue/{event}", refused)
            return
        cookie = [self._cookie(visit, asked)] if visit and is_new else []
        if visit and asked.address_has_pass and asked.only_looks:
            await redirect(send, asked.address(), cookie)
            return
        scope["queue_visit"] = visit
        await self._app(scope, receive, _with(send, cookie) if cookie else send)

    async def _begin(self, scope: Scope, asked: Asked, event: str) -> Visit | None:
        """The visit that the shown pass opens or has opened; None: nobody needs one just now.
        Raises Refused.
        """
        token = asked.token()
        if token is None:
            if await self._room.is_off(event) or self._may_by(event):
                return None
            raise Refused("pass-needed", 429)
        key = await self._room.key(kid_of(token))
        if key is None and not self._room.has_keys:
            if self._opens_when_away:
                return None
            raise Refused("room-away", 503)
        if key is None:
            raise Refused("pass-forged", 403)
        good = read_pass(token, key, event, self._now())
        return await visit_by(good, self._used, self._visitor(scope), self._now())

    def _may_by(self, event: str) -> bool:
        return self._opens_when_away and self._room.is_away(event)

    def _cookie(self, visit: Visit, asked: Asked) -> tuple[bytes, bytes]:
        line = visit_cookie(self._book, visit, self._now(), secure=asked.is_https)
        return b"set-cookie", line.encode("latin-1")


async def _turn_away(scope: Scope, send: Send, asked: Asked, queue: str, refused: Refused) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
    elif not asked.is_a_person:
        await problem(send, refused.status, refused.code, queue)
    elif refused.code == "room-away":
        await away(send)
    else:
        await redirect(send, f"{queue}?return_to={quote(asked.return_address(), safe='')}")


def _with(send: Send, more: list[tuple[bytes, bytes]]) -> Send:
    """The answer, with these headers added to its beginning."""

    async def send_more(message: Any) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return send_more
