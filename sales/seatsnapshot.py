"""The seats of one event at one version, immutable, and what can be read off them.

100 000 seats are 100 kB here. Everything is done on whole byte strings: no loop runs over seats.
"""

from array import array
from bisect import bisect_left
from itertools import compress

from sales.allotment import rooms
from sales.geometry import Hall, Zone

FREE, HELD, SOLD = 0, 1, 2
# The letters of the string in Redis, as numbers. X, which its owner has given to others, may come
# back: it looks like one that is held.
TO_STATE = bytes.maketrans(b"FHSX", bytes([FREE, HELD, SOLD, HELD]))
ONLY = {state: bytes(int(n == state) for n in range(256)) for state in (FREE, HELD, SOLD)}
SEATS_PER_BYTE = 4


class Snapshot:
    def __init__(
        self,
        hall: Hall,
        version: int,
        letters: bytes,
        before: "Snapshot | None" = None,
        given: bytes = b"",
    ) -> None:
        """`letters`: F, H, S or X for each seat. `before`: an older snapshot of the same hall;
        zones that have not changed since keep their version. `given`: what of the zones may be
        sold, as Redis keeps it; empty: all.
        """
        assert len(letters) == hall.capacity, (hall.event_id, len(letters))
        self.version = version
        self._rooms = rooms(given, letters)
        self._states = letters.translate(TO_STATE)
        self._zone_versions = {
            zone.zone_no: before.zone_version(zone)
            if before is not None and before.states(zone.seats) == self.states(zone.seats)
            else version
            for zone in hall.zones
        }
        self._found: dict[int, array[int]] = {}
        self._packed: dict[int, bytes] = {}
        self._counts: dict[int, tuple[int, int, int, int]] = {}

    def zone_version(self, zone: Zone) -> int:
        return self._zone_versions[zone.zone_no]

    def states(self, seats: range) -> bytes:
        """One byte a seat: FREE, HELD or SOLD."""
        return self._states[seats.start : seats.stop]

    def packed(self, zone: Zone) -> bytes:
        """Four seats a byte, the first in the lowest bits."""
        if zone.zone_no not in self._packed:
            self._packed[zone.zone_no] = pack(self.states(zone.seats))
        return self._packed[zone.zone_no]

    def counts(self, zone: Zone) -> tuple[int, int, int, int]:
        """Total, free, held, sold. Of what was given to us no more is free than is left."""
        if zone.zone_no not in self._counts:
            states = self.states(zone.seats)
            free, sold = states.count(FREE), states.count(SOLD)
            free = min(free, self._rooms.get(zone.first_seat, free))
            held = zone.seat_count - free - sold
            self._counts[zone.zone_no] = (zone.seat_count, free, held, sold)
        return self._counts[zone.zone_no]

    def page(self, state: int, seats: range, start: int, offset: int, size: int) -> list[int]:
        """At most `size` seats of `seats` in this state, from the `offset`-th on, counted from the
        seat `start` round to the seat before it.
        """
        found = self._find(state, seats)
        first = bisect_left(found, start)
        last = min(offset + size, len(found))
        return [found[(first + at) % len(found)] for at in range(offset, last)]

    def count(self, state: int, seats: range) -> int:
        return self._states.count(state, seats.start, seats.stop)

    def _find(self, state: int, seats: range) -> "array[int]":
        whole = len(seats) == len(self._states)
        if whole and state in self._found:
            return self._found[state]
        found = array("I", compress(seats, self.states(seats).translate(ONLY[state])))
        if whole:
            self._found[state] = found
        return found


def pack(states: bytes) -> bytes:
    """2 bits a seat. No state is above 2, so shifting a whole number by 2, 4 or 6 bits never
    carries from one byte into the next.
    """
    length = -(-len(states) // SEATS_PER_BYTE)
    padded = states.ljust(length * SEATS_PER_BYTE, b"\0")
    whole = 0
    for place in range(SEATS_PER_BYTE):
        whole |= int.from_bytes(padded[place::SEATS_PER_BYTE], "little") << (2 * place)
    return whole.to_bytes(length, "little")
