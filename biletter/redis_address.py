"""A Redis by its address: one server, a master found by sentinels, or a cluster.

    redis://host:6379/0            rediss://…            unix:///path.sock
    redis+sentinel://one:26379,two:26379/name-of-the-master?db=0
    redis+cluster://one:6379,two:6379

User and password stand before the hosts as in redis://; `rediss+…` speaks TLS.
"""

from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

# A Redis that does not answer within this is away, and the caller is told so.
REDIS_TIMEOUT_S = 3.0
REDIS_CONNECTIONS_MAX = 32
SENTINEL_PORT, REDIS_PORT = 26379, 6379


def open_redis(url: str) -> "Redis":
    """No blind retries: whether a command ran is for the caller to find out. Raises ValueError
    for an address that is none. A cluster's client does what ours ask of a Redis.
    """
    options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_S,
        "socket_connect_timeout": REDIS_TIMEOUT_S,
        "max_connections": REDIS_CONNECTIONS_MAX,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 15,
    }
    scheme = url.partition("://")[0]
    if scheme.endswith("+sentinel"):
        return _by_sentinels(url, options)
    if scheme.endswith("+cluster"):
        return _of_cluster(url, options)
    return Redis.from_url(url, **options)


def _by_sentinels(url: str, options: dict[str, Any]) -> "Redis":
    parts = urlsplit(url)
    name = parts.path.strip("/")
    if not name:
        raise ValueError("redis+sentinel://HOSTS/NAME needs the name of the master.")
    database = int(parse_qs(parts.query).get("db", ["0"])[0])
    near = {key: options[key] for key in ("socket_timeout", "socket_connect_timeout", "retry")}
    sentinel: Any = Sentinel(hosts_of(parts.netloc, SENTINEL_PORT), sentinel_kwargs=near)  # type: ignore[no-untyped-call]  # the driver's
    who = _credentials(parts.netloc) | ({"ssl": True} if parts.scheme.startswith("rediss") else {})
    return cast("Redis", sentinel.master_for(name, db=database, **options, **who))


def _of_cluster(url: str, options: dict[str, Any]) -> "Redis":
    parts = urlsplit(url)
    nodes = [ClusterNode(host, port) for host, port in hosts_of(parts.netloc, REDIS_PORT)]
    who: dict[str, Any] = _credentials(parts.netloc)
    cluster = RedisCluster(
        startup_nodes=nodes, ssl=parts.scheme.startswith("rediss"), **options, **who
    )
    return cast("Redis", cluster)


def hosts_of(netloc: str, port: int) -> list[tuple[str, int]]:
    """Host and port of each of "[::1]:7000,two"."""
    found = []
    for text in netloc.rpartition("@")[2].split(","):
        parts = urlsplit(f"//{text}")
        if not parts.hostname:
            raise ValueError(f"No host in {text!r}.")
        found.append((parts.hostname, parts.port or port))
    return found


def _credentials(netloc: str) -> dict[str, Any]:
    user, _, password = netloc.rpartition("@")[0].partition(":")
    return {
        key: unquote(value) for key, value in (("username", user), ("password", password)) if value
    }
