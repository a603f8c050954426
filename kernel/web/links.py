"""Addresses of our own processes, as the visitor's browser must see them.

Where public addresses are configured they are used. Otherwise (one machine) a link keeps the
name the visitor came by and changes the port, so that cookies stay on one host.
"""

from urllib.parse import urlsplit

import msgspec
from litestar.connection import ASGIConnection

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


class Links(msgspec.Struct, frozen=True):
    """`ports` and `public` by duty: sales, waitingroom, admin, toleubar, provider; without `sales`
    the room stands alone before other people's sites.
    """

    ports: dict[str, int]
    public: dict[str, str] = {}
    # Names besides the local ones under which this machine may be reached.
    hosts: frozenset[str] = frozenset()
    # Origins of other people's sites that the room stands in front of: visitors may be led there,
    # and nothing that comes from there is trusted.
    sites: frozenset[str] = frozenset()

    @property
    def has_shop(self) -> bool:
        return "sales" in self.ports

    @property
    def home(self) -> str:
        """The one site of a room that stands alone; empty: there is none, or there are several."""
        return next(iter(self.sites)) + "/" if len(self.sites) == 1 else ""

    def base(self, duty: str, host: str) -> str:
        """`http://localhost:8081`, without a slash at the end."""
        if duty in self.public:
            return self.public[duty].rstrip("/")
        name = _name_of(host)
        if name not in LOCAL_NAMES and name not in self.hosts:
            name = "localhost"
        return f"http://{name}:{self.ports[duty]}"

    def to(self, duty: str, connection: ASGIConnection, path: str = "/") -> str:  # type: ignore[type-arg]
        return self.base(duty, connection.headers.get("host", "localhost")) + path

    def origins(self, host: str) -> list[str]:
        return [self.base(duty, host) for duty in self.ports]

    def as_seen_from(self, url: str, host: str) -> str:
        """An address that one of our processes gave another (by 127.0.0.1), as the visitor's
        browser should see it; any other address is left alone.
        """
        for duty in self.ports:
            ours = self.base(duty, "127.0.0.1")
            if url == ours or url.startswith(ours + "/"):
                return self.base(duty, host) + url[len(ours) :]
        return url

    def knows(self, url: str, host: str) -> bool:
        """Whether an absolute address is one of our own processes (return_to, Origin)."""
        try:
            parts = urlsplit(url)
            origin = f"{parts.scheme}://{parts.netloc}"
        except ValueError:
            return False
        return bool(parts.netloc) and origin in self.origins(host)

    def leads_to_site(self, url: str) -> bool:
        """Whether an absolute address is on a site that the room stands in front of."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return is_plain(url) and f"{parts.scheme}://{parts.netloc}" in self.sites


def safe_return(url: str | None, otherwise: str, links: Links, host: str) -> str:
    """An address to send a browser back to: a path of this site, or one of our processes;
    anything else (another site, `//host`, a script) becomes `otherwise`.
    """
    if not url or not is_plain(url):
        return otherwise
    if url.startswith("/") and not url.startswith("//"):
        return url
    return url if links.knows(url, host) else otherwise


def is_plain(url: str) -> bool:
    """Nothing in it that a browser reads differently from us."""
    return "\\" not in url and all(ord(char) > 32 for char in url)  # noqa: PLR2004  # controls, space


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
