"""Which neighbourhood of the network a request comes from: a /24 of IPv4, a /56 of IPv6."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

PREFIX_V4, PREFIX_V6 = 24, 56
# X-Forwarded-For is read from its end, no further than this many proxies.
HOPS_MAX = 8
FORWARDED_MAX = 1_024
# Addresses whose neighbourhood is remembered.
KNOWN_MAX = 65_536
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Networks:
    """`trusted` proxies may say whom they speak for; nobody else's X-Forwarded-For is believed.
    This machine and the `allowed` have no neighbourhood: nothing is counted against it.
    """

    def __init__(self, trusted: Iterable[Network] = (), allowed: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)
        self._allowed = (*LOOPBACK, *allowed)
        self._known: dict[str, str | None] = {}

    def prefix_of(self, scope: Any) -> str | None:
        """`203.0.113.0/24`, or None where nothing is counted: see the class, and callers of no
        address at all (a unix socket).
        """
        return self._remembered(self._caller(scope))

    def is_in(self, scope: Any, networks: Iterable[Network]) -> bool:
        """Whether the caller's address is in one of these."""
        address = _parse(self._caller(scope))
        return address is not None and _is_in(address, networks)

    def _caller(self, scope: Any) -> str:
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        if self._trusted and (address := _parse(peer)) and _is_in(address, self._trusted):
            return self._forwarded(scope, peer)
        return peer

    def _forwarded(self, scope: Any, peer: str) -> str:
        """The last address that isn't a trusted proxy's, as far as all after it are."""
        lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        told = b",".join(lines)[-FORWARDED_MAX:].decode("latin-1").split(",")
        for hop in reversed(told[-HOPS_MAX:]):
            address = _parse(hop.strip())
            if address is None:
                return peer
            peer = str(address)
            if not _is_in(address, self._trusted):
                return peer
        return peer

    def _remembered(self, text: str) -> str | None:
        if text not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[text] = self._prefix(text)
        return self._known[text]

    def _prefix(self, text: str) -> str | None:
        address = _parse(text)
        if address is None or _is_in(address, self._allowed):
            return None
        bits = PREFIX_V4 if address.version == 4 else PREFIX_V6  # noqa: PLR2004  # of the protocol
        return str(ip_network((address, bits), strict=False))


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # An IPv4 caller of an IPv6 socket is an IPv4 caller.
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
