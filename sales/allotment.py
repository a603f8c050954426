"""An allotment: what the owner of a hall has given us of one zone, and how Redis is told.

Of an event whose ownership is OWNERSHIP nothing may be sold but what was given: a number of places
of a zone, or listed ones, for a channel, until a deadline (ADR 32). The rule stands twice: in Redis
(lua/parts/allotments.lua), before anybody holds, and in PostgreSQL (sales.allotments_admitting),
before anything is claimed.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from sales.order import Channel

OWNERSHIP: Final = "allotment"
AllotmentChannel = Literal["any", "web", "box_office", "partner"]
AllotmentState = Literal["open", "closing", "closed"]
# The channel of an order, and of an allotment, as the commands of Redis call it.
LETTERS: Final[dict[AllotmentChannel, str]] = {
    "any": "a",
    "web": "w",
    "box_office": "b",
    "partner": "p",
}
# What buyers on the site see as free.
PUBLIC: Final = frozenset({LETTERS["any"], LETTERS["web"]})
SELLS: Final[dict[Channel, AllotmentChannel]] = {
    "web": "web",
    "api": "web",
    "box_office": "box_office",
}
# As allotments.lua reads it.
PACKED: Final = re.compile(rb"(\d+):(\d+):(\d+):(\w):([\d,-]*);")


def spans(seats: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending seats as first and last of those that follow each other."""
    found: list[tuple[int, int]] = []
    for seat in seats:
        if found and seat == found[-1][1] + 1:
            found[-1] = (found[-1][0], seat)
        else:
            found.append((seat, seat))
    return found


def packed(zones: Sequence[Any]) -> str:
    """What Redis is told about an event: rows of `list_given`; empty where all seats are ours.
    Its rank rises with each change of any of the allotments.
    """
    if not zones:
        return ""
    rank = sum(zone["version"] for zone in zones)
    return f"{rank};" + "".join(map(_packed_zone, zones))


def rooms(told: bytes, letters: bytes) -> dict[int, int]:
    """How many places more may be taken, by the first seat of a zone, of what Redis was told and
    what it says of the seats.
    """
    found = {}
    for first, last, places, _, _ in PACKED.findall(told):
        end = int(last) + 1
        taken = letters.count(b"H", int(first), end) + letters.count(b"S", int(first), end)
        found[int(first)] = max(0, int(places) - taken)
    return found


def settled(told: bytes, letters: bytes) -> bytes:
    """The letters as Redis ought to have them, by what it was told and by who has a seat."""
    left, right = rooms(told, letters), bytearray(letters)
    for first, last, _, channel, named in PACKED.findall(told):
        start, end = int(first), int(last) + 1
        right[start:end] = letters[start:end].replace(b"F", b"X")
        if channel.decode() not in PUBLIC or not left[start]:
            continue
        for span in filter(None, named.split(b",")):
            one, _, other = span.partition(b"-")
            inside = slice(int(one), int(other) + 1)
            right[inside] = letters[inside].replace(b"X", b"F")
    return bytes(right)


def _packed_zone(zone: Any) -> str:
    first, last = zone["first_seat"], zone["first_seat"] + zone["seat_count"] - 1
    given: list[tuple[int, int]] = []
    if zone["is_open"]:
        given = [(first, last)] if zone["seats"] is None else spans(zone["seats"])
    named = ",".join(f"{one}-{other}" for one, other in given)
    return f"{first}:{last}:{zone['places']}:{LETTERS[zone['channel']]}:{named};"
