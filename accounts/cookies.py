"""Our cookies, and the outermost layer that sets them.

`CookieEdge` wraps a whole ASGI app. A browser without a device cookie gets one where that does no
harm (on pages and writes, never on answers that a cache may share); its token stands in
`scope["device"]` from this very request on. Whoever answers the request may add `Set-Cookie`
lines to `scope["set_cookies"]`.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

SESSION_COOKIE = "biletter_session"
STAFF_COOKIE = "biletter_staff"
DEVICE_COOKIE = "biletter_device"
# To which accounts this device has signed in: signed marks, no names.
MET_COOKIE = "biletter_met"
DEVICE = re.compile(rb"(?:^|;\s*)biletter_device=([A-Za-z0-9_-]{22})(?:;|$)")
DEVICE_BYTES = 16
YEAR_S = 365 * 24 * 3600
# Programs and machinery keep no cookies.
# /authorize answers another site's web server, which must not hand our cookie on as its own.
NO_DEVICE_PATHS = (
    "/api/",
    "/static/",
    "/health/",
    "/metrics",
    "/.well-known/",
    "/openapi",
    "/authorize",
    "/service/",
)

App = Callable[[Any, Any, Any], Awaitable[None]]


def cookie_line(name: str, value: str, *, max_age_s: int, secure: bool) -> str:
    """A `Set-Cookie` value: for all paths, unseen by scripts, not sent along by other sites'
    forms. A `max_age_s` of 0 removes the cookie.
    """
    line = f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax"
    return f"{line}; Secure" if secure else line


def new_device() -> str:
    return secrets.token_urlsafe(DEVICE_BYTES)


def device_in(cookie_header: bytes) -> str | None:
    """The device token of a Cookie header, if there is one of ours."""
    found = DEVICE.search(cookie_header)
    return found.group(1).decode() if found else None


class CookieEdge:
    def __init__(self, app: App, *, secure: bool) -> None:
        self.app = app
        self._secure = secure

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lines: list[str] = []
        scope["set_cookies"] = lines
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        device = device_in(cookies) if cookies else None
        if device is None and _is_browsers_own(scope):
            device = new_device()
            lines.append(cookie_line(DEVICE_COOKIE, device, max_age_s=YEAR_S, secure=self._secure))
        if device is not None:
            scope["device"] = device

        async def send_with_cookies(message: dict[str, Any]) -> None:
            if lines and message["type"] == "http.response.start":
                added = [(b"set-cookie", line.encode("latin-1")) for line in lines]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, send_with_cookies)


def _is_browsers_own(scope: Any) -> bool:
    if scope["path"].startswith(NO_DEVICE_PATHS):
        return False
    headers = dict(scope["headers"])
    if b"authorization" in headers:
        return False
    return scope["method"] == "POST" or b"text/html" in headers.get(b"accept", b"")
