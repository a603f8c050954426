"""What a request shows: which event it is about, where it wants to go, which pass it carries."""

import posixpath
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, unquote

from waitingroom.gate.used import Scope
from waitingroom.gate.visits import visit_cookie_of

# Characters that need no escape in a path (RFC 3986).
PATH_SAFE = "/:@!$&'()*+,;=~-._"
PASS_START = "pass="  # noqa: S105  # the name of a parameter


class Protected:
    """Path prefixes and the events they belong to; the longest prefix that fits decides."""

    def __init__(self, protect: Mapping[str, int | str]) -> None:
        """A prefix covers itself and what lies below it: /concert and /concert/1, not /concerts."""
        if not protect or any(not prefix.startswith("/") for prefix in protect):
            raise ValueError('`protect` maps path prefixes ("/concert") to events.')
        self._prefixes = sorted(
            ((prefix.rstrip("/"), str(event)) for prefix, event in protect.items()),
            key=lambda pair: -len(pair[0]),
        )

    def find(self, path: str) -> tuple[str, str] | None:
        """The prefix and its event. Detours (`//`, `/./`, `/x/..`) are no way round the gate."""
        straight = posixpath.normpath("/" + path.lstrip("/"))
        for prefix, event in self._prefixes:
            for way in (path, straight):
                if way == prefix or way.startswith(prefix + "/"):
                    return prefix or "/", event
        return None


class Asked:
    """One HTTP or WebSocket request to a protected address."""

    def __init__(self, scope: Scope, site: str | None, prefix: str, event: str) -> None:
        self._scope, self._prefix, self._event = scope, prefix, event
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        query = scope.get("query_string", b"").decode("latin-1")
        self._query, self._token = without_pass(query)
        self._cookies = _cookies(self._headers.get(b"cookie", b""))
        host = self._headers.get(b"host", b"localhost").decode("latin-1")
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        self._site = (site or f"{scheme}://{host}").rstrip("/")

    @property
    def is_https(self) -> bool:
        return self._site.startswith("https://")

    @property
    def is_a_person(self) -> bool:
        """Who asks for a page can be shown the way to one."""
        return b"text/html" in self._headers.get(b"accept", b"")

    @property
    def only_looks(self) -> bool:
        return self._scope.get("method") in ("GET", "HEAD")

    @property
    def address_has_pass(self) -> bool:
        return self._token is not None

    def address(self) -> str:
        """Absolute, without the pass."""
        root, path = self._scope.get("root_path", ""), self._scope["path"]
        whole = path if path.startswith(root) else root + path
        query = f"?{self._query}" if self._query else ""
        return self._site + quote(whole, safe=PATH_SAFE) + query

    def return_address(self) -> str:
        """Somewhere that can be looked at: not where a form was being sent to."""
        return self.address() if self.only_looks else self._site + quote(self._prefix, PATH_SAFE)

    def visit_cookie(self) -> str | None:
        return self._cookies.get(visit_cookie_of(self._event))

    def token(self) -> str | None:
        """The pass: of the header, else of the address, else of the room's cookie."""
        held = self._headers.get(b"x-queue-pass", b"").decode("latin-1").strip()
        return held or self._token or self._cookies.get(f"biletter_pass_{self._event}") or None


def without_pass(query: str) -> tuple[str, str | None]:
    """A query as it was but for the pass in it, and that pass."""
    parts = [part for part in query.split("&") if part]
    passes = [part for part in parts if part.startswith(PASS_START)]
    token = unquote(passes[-1].removeprefix(PASS_START)) if passes else None
    return "&".join(part for part in parts if part not in passes), token


def _cookies(raw: bytes) -> dict[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(raw.decode("latin-1")).items()}
    except CookieError:
        return {}
