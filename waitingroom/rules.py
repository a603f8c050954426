"""The rules at the door: how often whom may do what, a line each. waitingroom.abuse keeps them."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Rule(msgspec.Struct, frozen=True):
    """`burst` at once, and `per_minute` in the long run."""

    per_minute: int
    burst: int


# A page joins once, beats three times a minute and claims every few seconds: a subject (an account,
# or a device of nobody's) may do so from ten tabs. On one device there may be a family's accounts.
# Behind one /24 there may be a school, or a phone operator's thousands.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "join-subject": Rule(per_minute=60, burst=300),
        "join-device": Rule(per_minute=120, burst=600),
        "join-prefix": Rule(per_minute=6_000, burst=6_000),
        "heartbeat-subject": Rule(per_minute=60, burst=60),
        "heartbeat-device": Rule(per_minute=300, burst=300),
        "heartbeat-prefix": Rule(per_minute=60_000, burst=60_000),
        "claim-subject": Rule(per_minute=120, burst=120),
        "claim-device": Rule(per_minute=600, burst=600),
        "claim-prefix": Rule(per_minute=30_000, burst=30_000),
    }
)
