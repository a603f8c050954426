"""What the door knows of one room: whom it lets through uncounted, and which rules only count.

The room's settings carry these as words with spaces between (see settings.py).
"""

from functools import lru_cache
from ipaddress import ip_network

import msgspec

from kernel.web.networks import Network

# A room's lists are read once; a change makes new ones.
ROOMS_MAX = 1_024
# Half the country is no neighbourhood.
WIDEST_V4, WIDEST_V6 = 8, 32


class Terms(msgspec.Struct, frozen=True):
    """`mild` are names of rules that refuse nobody; `staff` subjects; `networks` and `staff` meet
    no rule.
    """

    mild: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether anybody is let through uncounted."""
        return bool(self.staff or self.networks)


@lru_cache(maxsize=ROOMS_MAX)
def terms_of(staff: str, networks: str, count_only: str) -> Terms:
    return Terms(
        mild=frozenset(count_only.split()),
        staff=frozenset(staff.split()),
        networks=tuple(read_network(word) for word in networks.split()),
    )


def read_network(word: str) -> Network:
    """192.0.2.0/24, or one address. Raises ValueError, also for what is wider than any network of
    one organisation.
    """
    network = ip_network(word)
    widest = WIDEST_V4 if network.version == 4 else WIDEST_V6  # noqa: PLR2004  # of the protocol
    if network.prefixlen < widest:
        raise ValueError(word)
    return network
