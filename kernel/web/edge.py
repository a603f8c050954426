"""The outermost layer of every process, plain ASGI, so that hot routes pass through it cheaply.

It gives each request an id, refuses cross-site writes, adds the safety headers, counts and logs.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from prometheus_client import Histogram

from kernel.counter import PlainCounter
from kernel.errors import Forbidden, Refusal
from kernel.web.links import Links
from kernel.web.problems import PROBLEM, document_of

Scope = Any
Receive = Any
Send = Any
App = Callable[[Scope, Receive, Send], Any]

REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{8,64}$")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Told every second by our own processes: no news.
TOLD_OFTEN = frozenset({"/service/traffic"})
# A body larger than this is refused before it is read; no call of ours needs a tenth of it.
BODY_MAX_BYTES = 1_000_000
LENGTH_DIGITS_MAX = 15
# Names under which we are known; others are somebody's play and get theirs written each time.
HOSTS_MAX = 50
# A request slower than this is worth a line even if it only read something.
SLOW_S = 0.5

REQUESTS = PlainCounter("http_requests", "Requests answered", ["method", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Time to answer",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
log = structlog.get_logger()


class CrossSite(Forbidden):
    """Запрос пришёл с другого сайта."""

    code = "cross-site"


class TooLarge(Refusal):
    """Запрос слишком велик."""

    status, code = 413, "too-large"


class Edge:
    """`hot` maps a path prefix to a plain ASGI app that is called before any routing."""

    def __init__(
        self,
        app: App,
        links: Links,
        hot: Mapping[str, App] | None = None,
        body_max: int | None = BODY_MAX_BYTES,
    ) -> None:
        """`body_max` None: the routes judge a body's length by themselves."""
        self.app = app
        self._length_max = 10**LENGTH_DIGITS_MAX if body_max is None else body_max
        self._links = links
        self._hot = tuple((hot or {}).items())
        # By the name the visitor came by: written anew it costs more than the routing.
        self._safeties: dict[str, list[tuple[bytes, bytes]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        for prefix, hot_app in self._hot:
            if path.startswith(prefix) and await hot_app(scope, receive, send):
                return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        host = headers.get(b"host", b"").decode("latin-1")
        extra = [(b"x-request-id", request_id.encode()), *self._safety_of(host)]
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in extra if pair[0] not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            refused = self._refused(scope["method"], headers, host)
            if refused is None:
                await self.app(scope, receive, send_with_headers)
            else:
                scope["refusal"] = refused.code
                await _refuse(send_with_headers, refused)
        finally:
            _note(scope, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()

    def _refused(self, method: str, headers: dict[bytes, bytes], host: str) -> type[Refusal] | None:
        """What needs no look at the route, nor at the body."""
        length = headers.get(b"content-length", b"0")
        is_number = length.isdigit() and len(length) <= LENGTH_DIGITS_MAX
        if not is_number or int(length) > self._length_max:
            return TooLarge
        return CrossSite if self._is_cross_site(method, headers, host) else None

    def _is_cross_site(self, method: str, headers: dict[bytes, bytes], host: str) -> bool:
        """Browsers say where a request comes from. Programs that are no browser say nothing,
        and carry no cookies of a victim either: they pass.
        """
        if method in SAFE_METHODS:
            return False
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and origin != "null":
            return not self._links.knows(origin, host) and origin.partition("://")[2] != host
        site = headers.get(b"sec-fetch-site", b"")
        return site == b"cross-site" or (origin == "null" and site != b"same-origin")

    def _safety_of(self, host: str) -> list[tuple[bytes, bytes]]:
        known = self._safeties.get(host)
        if known is None:
            known = self._safety(host)
            if len(self._safeties) < HOSTS_MAX:
                self._safeties[host] = known
        return known

    def _safety(self, host: str) -> list[tuple[bytes, bytes]]:
        own = " ".join(self._links.origins(host))
        # A form leads whoever was let in on to a site behind the room.
        led_to = " ".join([own, *sorted(self._links.sites)])
        policy = (
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {led_to}; connect-src 'self' {own}"
        )
        return [
            (b"content-security-policy", policy.encode("latin-1", "replace")),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            # Not same-origin: with it browsers send `Origin: null` from one of our processes to
            # another, and the form that hands a pass to the shop would look like a stranger's.
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if REQUEST_ID.match(given) else secrets.token_hex(8)


def _note(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"]
    REQUESTS.counts[method, str(status)] += 1
    SECONDS.labels(method).observe(seconds)
    why = scope.get("refusal")
    told = {"refused": why} if why else {}
    write = log.warning if status >= 500 else log.info  # noqa: PLR2004  # server errors
    is_habit = scope["path"] in TOLD_OFTEN and not why
    is_news = (method not in SAFE_METHODS or "is_news" in scope) and not is_habit
    if is_news or status >= 500 or seconds > SLOW_S:  # noqa: PLR2004
        write(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1e3),
            **told,
        )


async def _refuse(send: Send, refused: type[Refusal]) -> None:
    headers = [(b"content-type", PROBLEM.encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": document_of(refused())})
