"""Addresses that were given as settings, looked at before anything starts.

Each function returns the address, or raises ValueError with what it must be like: the caller knows
which setting it was, and says so without showing a password.
"""

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from redis.asyncio.connection import URL_QUERY_ARGUMENT_PARSERS, parse_url

from biletter.redis_address import REDIS_PORT, SENTINEL_PORT, hosts_of

SECRET = re.compile(r"//[^/]*@")
PLAIN = re.compile(r"[\x21-\x7e]+")
DATABASE = re.compile(r"/?[0-9]{0,5}", re.ASCII)
# Options of an address beside those that the driver reads as numbers and the like.
OPTIONS = frozenset({"username", "password", "protocol", "client_name"})
REDIS_LIKE = "a Redis address like redis://host:6379/0"
ROOMS_LIKE = (
    f"{REDIS_LIKE}, redis+sentinel://one:26379,two:26379/NAME or redis+cluster://one:6379,two:6379"
)
POSTGRES_LIKE = "a PostgreSQL address like postgresql://user:password@host:5432/database"
WEB_LIKE = "an address like https://pay.example"


def one_redis(url: str) -> str:
    """One server: what the jobs' library can speak to."""
    try:
        parse_url(url)
        parts = urlsplit(url)
        is_unix = parts.scheme == "unix"
        is_good = bool(parts.path if is_unix else parts.hostname) and is_plain(url)
        is_good = is_good and (is_unix or DATABASE.fullmatch(parts.path) is not None)
        is_good = is_good and all(map(_is_option, parse_qs(parts.query)))
    except (ValueError, TypeError) as error:
        raise ValueError(REDIS_LIKE) from error
    if not is_good:
        raise ValueError(REDIS_LIKE)
    return url


def rooms_redis(url: str) -> str:
    """One server, a master that sentinels know, or a cluster (see biletter.redis_address)."""
    scheme, _, kind = url.partition("://")[0].partition("+")
    try:
        if not kind:
            return one_redis(url)
        parts = urlsplit(url)
        hosts_of(parts.netloc, SENTINEL_PORT if kind == "sentinel" else REDIS_PORT)
        name, databases = parts.path.strip("/"), parse_qs(parts.query).get("db", ["0"])
    except ValueError as error:
        raise ValueError(ROOMS_LIKE) from error
    is_known = scheme in ("redis", "rediss") and kind in ("sentinel", "cluster") and is_plain(url)
    fits = bool(name) and "/" not in name if kind == "sentinel" else not name and not parts.query
    if not is_known or not fits or not all(DATABASE.fullmatch(one) for one in databases):
        raise ValueError(ROOMS_LIKE)
    return url


def database(url: str) -> str:
    """PostgreSQL's; the host may stand in `?host=`, as that of a unix socket does."""
    try:
        parts = urlsplit(url)
        told = parse_qs(parts.query)
        is_apart = not parts.netloc.rpartition("@")[2]
        is_good = bool(told.get("host") if is_apart else hosts_of(parts.netloc, 0))
        numbers = ",".join(told.get("port", [])).split(",")
        is_good = is_good and all(not one or one.isdecimal() for one in numbers)
    except ValueError as error:
        raise ValueError(POSTGRES_LIKE) from error
    if parts.scheme not in ("postgresql", "postgres") or not is_good or not is_plain(url):
        raise ValueError(POSTGRES_LIKE)
    return url


def web(url: str) -> str:
    """Where somebody's HTTP server is; a path may follow."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and _is_host(parts)
    except ValueError as error:
        raise ValueError(WEB_LIKE) from error
    if not is_good or parts.query or parts.fragment or not is_plain(url):
        raise ValueError(WEB_LIKE)
    return url.rstrip("/")


def is_plain(url: str) -> bool:
    """Printable ASCII without spaces: what is meant to be one address is one."""
    return PLAIN.fullmatch(url) is not None


def shown(url: str) -> str:
    """For a message: without user and password."""
    return SECRET.sub("//…@", url)


def _is_option(name: str) -> bool:
    return name in OPTIONS or name in URL_QUERY_ARGUMENT_PARSERS or name.startswith("ssl_")


def _is_host(parts: SplitResult) -> bool:
    """Raises ValueError for a port that is none."""
    return bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
