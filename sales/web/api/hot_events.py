"""Repeated searches, answered in front of all layers from what the ordinary route has said.

An answer is kept while the catalogue is unchanged (sales.changes), and for a few seconds,
for what is to come becomes what is over by itself. Anybody gets the same one: nobody is asked who
they are.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kernel.clock import Clock
from kernel.web.edge import REQUESTS
from sales.changes import CatalogueChanges

PATH = "/api/events"
KEPT_MS = 5_000
RENEWED_WITHIN_MS = 2_000
ANSWERS_MAX = 2_000
QUERY_BYTES_MAX = 1_000
HEADERS = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]
COUNTED = "GET", "200"
App = Callable[[Any, Any, Any], Awaitable[None]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Kept(msgspec.Struct, frozen=True, gc=False):
    version: int
    until_ms: int
    start: dict[str, Any]
    body: dict[str, Any]


class SearchAnswers:
    """What was said lately, by the query as it was written."""

    def __init__(self, changes: CatalogueChanges, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._kept: dict[bytes, _Kept] = {}
        self._asked: dict[bytes, tuple[int | None, asyncio.Future[bytes]]] = {}

    def of(self, query: bytes) -> _Kept | None:
        """What to say; None: nothing that may still be said, or this one is to ask anew."""
        kept = self._kept.get(query)
        if kept is None:
            return None
        if kept.version != self._changes.version:
            del self._kept[query]
            return None
        if (now := self._clock.ms()) >= kept.until_ms:
            # This one asks anew; the others get the old answer meanwhile.
            self._kept[query] = msgspec.structs.replace(kept, until_ms=now + RENEWED_WITHIN_MS)
            return None
        return kept

    async def once(self, query: bytes, find: Callable[[], Awaitable[bytes]]) -> bytes:
        """What `find` finds for this query, kept. Who asks while somebody else's question is
        under way, and nothing has changed since it was put, waits for that answer.
        """
        version = self._changes.version
        asked = self._asked.get(query)
        if asked is None or asked[0] != version:
            asked = self._asked[query] = (version, asyncio.ensure_future(find()))
            asked[1].add_done_callback(lambda done: self._note(query, version, done))
        return await asyncio.shield(asked[1])

    def _note(self, query: bytes, version: int | None, done: asyncio.Future[bytes]) -> None:
        if (asked := self._asked.get(query)) is not None and asked[1] is done:
            del self._asked[query]
        if done.cancelled() or done.exception() or version is None or len(query) > QUERY_BYTES_MAX:
            return
        if len(self._kept) >= ANSWERS_MAX and query not in self._kept:
            del self._kept[next(iter(self._kept))]
        body = done.result()
        headers = [*HEADERS, (b"content-length", b"%d" % len(body))]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        told = {"type": "http.response.body", "body": body}
        self._kept[query] = _Kept(version, self._clock.ms() + KEPT_MS, start, told)


class HotEvents:
    """An ASGI app round another, which answers whatever else is asked."""

    def __init__(self, app: App, answers: SearchAnswers) -> None:
        self._app, self._answers = app, answers

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """Not a coroutine, but one of two: each layer of them costs a repeated search."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            kept = self._answers.of(scope["query_string"])
            if kept is not None:
                return _tell(kept, send)
        return self._app(scope, receive, send)


async def _tell(kept: _Kept, send: Send) -> None:
    REQUESTS.counts[COUNTED] += 1
    await send(kept.start)
    await send(kept.body)
