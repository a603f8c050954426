"""How long it may take, and when to ask again: arithmetic on a snapshot, no Redis."""

import math
from random import Random

import msgspec

from waitingroom.snapshot import Snapshot

# The band leans high: a wait that turns out shorter angers nobody.
HIGH_FACTOR = 1.25
HIGH_MORE_S = 5

POLL_MIN_MS, POLL_MAX_MS = 3_000, 60_000
# A wait is looked at about this many times.
POLLS_A_WAIT = 12
# Should those before them turn out to be absent, people are called long before they would have
# thought: a minute's worth of numbers each 2.5 s (lua/tick.lua), in the minute for which the far do
# not ask. Whoever is that near, and among the first NEAR_MAX, asks this often.
NEAR_MINUTES, NEAR_MAX, NEAR_POLL_MS = 24, 6_000, 6_000
# Who will be called within this time asks every second.
FRONT_S = 15
FRONT_POLL_MS = 1_000
# While nothing moves: often enough to see that it does.
STILL_POLL_MS = 10_000
# After the draw everybody learns their number within this time.
ASK_AFTER_OPENING_MS = (500, 4_000)
# Everybody's interval differs by up to this part, so that polls don't march in step.
JITTER = 0.15


class Eta(msgspec.Struct, frozen=True, gc=False):
    """A band of seconds until the call."""

    low_s: int
    high_s: int


def eta_of(snapshot: Snapshot, number: int) -> Eta | None:
    """When this number is called: the living ahead, less those who won't come, at the rate that
    was observed. None while nobody is called: then nobody can say.
    """
    if snapshot.state not in ("open", "drained"):
        return None
    fast, slow = snapshot.bounds
    ahead = snapshot.living_ahead_of(number)
    return Eta(
        low_s=math.floor(ahead * snapshot.share / fast),
        high_s=math.ceil((ahead + 1) / slow * HIGH_FACTOR) + HIGH_MORE_S,
    )


def poll_before_ms(opens_in_ms: int, chance: Random) -> int:
    """When to ask again before the opening: seldom while it is far, then all of a sudden everybody
    wants to know, so spread over the first seconds after it.
    """
    after_opening = opens_in_ms + int(chance.uniform(*ASK_AFTER_OPENING_MS))
    if after_opening <= POLL_MAX_MS:
        return after_opening
    return int(POLL_MAX_MS * chance.uniform(1 - 2 * JITTER, 1))


def is_near(snapshot: Snapshot, number: int) -> bool:
    """Whether this number may be called within a minute, however far its turn seems."""
    most = min(NEAR_MAX, NEAR_MINUTES * snapshot.settings.rate_per_minute)
    return snapshot.ahead_of(number) <= most


def poll_after_ms(eta: Eta | None, *, called: bool, chance: Random, is_near: bool = False) -> int:
    """When to ask again: between a second at the front and a minute far behind."""
    if called:
        base = FRONT_POLL_MS
    elif eta is None:
        base = STILL_POLL_MS
    elif eta.high_s <= FRONT_S:
        base = FRONT_POLL_MS
    else:
        base = max(POLL_MIN_MS, eta.high_s * 1000 // POLLS_A_WAIT)
        base = min(base, NEAR_POLL_MS) if is_near else base
    return min(POLL_MAX_MS, int(base * chance.uniform(1 - JITTER, 1 + JITTER)))
