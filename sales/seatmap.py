"""The map of a hall: what is free, held and sold, answered from memory.

One snapshot an event and process, at most FRESH_MS old. However many look, Redis is asked at most
once in that time, and sends the seats only when something has changed. The map is never used to
decide anything: the hold is.
"""

import asyncio
from hashlib import blake2b

import msgspec

from kernel.clock import Clock
from kernel.lua import word
from sales.geometry import Hall, Place, Zone, ZoneUnknown
from sales.partner_availability import Asked, Availability
from sales.seatsnapshot import FREE, HELD, SOLD, Snapshot
from sales.seatstore import SeatStore

# People see a seat go after this long; Redis is asked at most five times a second.
FRESH_MS = 200
# 100 kB each for the largest hall.
SNAPSHOTS_MAX = 200
# A caller's free seats begin elsewhere after this long. Long enough to leaf through pages; short
# enough that two who met at the same free seat part again.
ROTATION_MS = 300_000
STATES = {"FREE": FREE, "RESERVED": HELD, "SOLD": SOLD}
NAMES = {state: name for name, state in STATES.items()}


class ZoneCounts(msgspec.Struct, frozen=True):
    """Seats of a zone: total = free + held + sold."""

    zone_no: int
    total: int
    free: int
    held: int
    sold: int


class RowStates(msgspec.Struct, frozen=True):
    """A row of a zone: `states` has one byte a seat (0 free, 1 held, 2 sold), `first_seat` is the
    index of seat number 1.
    """

    row: int
    first_seat: int
    states: bytes


class ListedSeat(msgspec.Struct, frozen=True):
    """A seat of the contract's list; `status` is FREE, RESERVED or SOLD."""

    seat: int
    place: Place
    status: str


class SeatMaps:
    def __init__(
        self, store: SeatStore, clock: Clock, availability: Availability | None = None
    ) -> None:
        """`availability` None: no partner owns any seats here."""
        self._store = store
        self._clock = clock
        self._availability = availability
        self._snapshots: dict[int, tuple[int, Snapshot]] = {}
        self._readings: dict[int, asyncio.Task[Snapshot]] = {}

    async def zone_map(self, event_id: int, zone_no: int) -> tuple[int, bytes]:
        """Version and states of a zone, 2 bits a seat: seat i of the zone stands in byte i // 4 at
        bit 2 * (i % 4); 0 free, 1 held, 2 sold. The version is the one at which this zone last
        changed as this process saw it: two equal versions of a zone are equal maps.
        Raises ZoneUnknown, EventUnknown.
        """
        zone, snapshot = await self._zone(event_id, zone_no)
        return snapshot.zone_version(zone), snapshot.packed(zone)

    async def zone_states(
        self, event_id: int, zone_no: int, *, fresh: bool = False
    ) -> tuple[int, bytes]:
        """As `zone_map`, but one byte a seat: 0 free, 1 held, 2 sold. `fresh`: as it stands now,
        for whoever has just changed it and wants to see that.
        """
        zone, snapshot = await self._zone(event_id, zone_no, fresh=fresh)
        return snapshot.zone_version(zone), snapshot.states(zone.seats)

    async def rows(
        self, event_id: int, zone_no: int, first_row: int, last_row: int, *, fresh: bool = False
    ) -> list[RowStates]:
        """Rows of a zone, both ends included, for a grid. Rows the zone does not have are left
        out. Raises ZoneUnknown, EventUnknown.
        """
        hall = await self._store.halls.hall(event_id)
        zone, snapshot = await self._zone(event_id, zone_no, fresh=fresh)
        first, last = max(first_row, zone.first_row), min(last_row, zone.last_row)
        spans = [(row, hall.seats_of_row(row)) for row in range(first, last + 1)]
        return [RowStates(row, seats.start, snapshot.states(seats)) for row, seats in spans]

    async def counts(self, event_id: int) -> list[ZoneCounts]:
        """What is free, held and sold in each zone. Raises EventUnknown."""
        hall = await self._store.halls.hall(event_id)
        snapshot = await self._snapshot(hall)
        return [ZoneCounts(zone.zone_no, *snapshot.counts(zone)) for zone in hall.zones]

    async def free_slice(
        self,
        event_id: int,
        caller_salt: str,
        page: int,
        page_size: int,
        *,
        row: int | None = None,
        status: str | None = None,
    ) -> list[ListedSeat]:
        """A page of seats for the contract: of one row or all, of one status or all, free first.

        Free seats begin at a place that depends on the caller and go round the hall, so that
        callers who take the first of their list do not meet; the order holds from page to page
        for some minutes. Others stand in seat order. Empty beyond the end. Raises EventUnknown.
        """
        hall = await self._store.halls.hall(event_id)
        snapshot = await self._snapshot(hall)
        seats = range(hall.capacity) if row is None else hall.seats_of_row(row)
        start = self._start(event_id, caller_salt, seats)
        offset = (page - 1) * page_size
        listed: list[ListedSeat] = []
        for state in NAMES if status is None else [STATES[status]]:
            first = start if state == FREE else seats.start
            found = snapshot.page(state, seats, first, offset, page_size - len(listed))
            listed += [ListedSeat(seat, hall.place(seat), NAMES[state]) for seat in found]
            offset = max(0, offset - snapshot.count(state, seats))
        return listed

    async def zone(self, event_id: int, zone_no: int) -> Zone:
        """The geometry of a zone. Raises ZoneUnknown, EventUnknown."""
        zone = (await self._store.halls.hall(event_id)).zone(zone_no)
        if zone is None:
            raise ZoneUnknown
        return zone

    async def asked(self, event_id: int) -> Asked | None:
        """How old the map is as far as a partner goes; None: the seats are our own. Raises
        EventUnknown.
        """
        return await self._availability.asked(event_id) if self._availability else None

    async def _zone(
        self, event_id: int, zone_no: int, *, fresh: bool = False
    ) -> tuple[Zone, Snapshot]:
        zone = await self.zone(event_id, zone_no)
        hall = await self._store.halls.hall(event_id)
        return zone, await self._snapshot(hall, fresh=fresh)

    async def _snapshot(self, hall: Hall, *, fresh: bool = False) -> Snapshot:
        if self._availability is not None:
            await self._availability.refresh(hall.event_id)
        if fresh:
            return await self._read(hall)
        kept = self._snapshots.get(hall.event_id)
        if kept is not None and 0 <= self._clock.ms() - kept[0] < FRESH_MS:
            return kept[1]
        reading = self._readings.get(hall.event_id)
        if reading is None:
            reading = asyncio.create_task(self._read(hall))
            self._readings[hall.event_id] = reading
            reading.add_done_callback(lambda task: self._done(hall.event_id, task))
        return await asyncio.shield(reading)

    async def _read(self, hall: Hall) -> Snapshot:
        if not hall.capacity:  # an event of the archive: Redis need not know it
            return Snapshot(hall, 0, b"")
        at_ms = self._clock.ms()
        _, before = self._snapshots.get(hall.event_id, (0, None))
        reply = await self._store.run("read", hall.event_id, before.version if before else 0)
        if word(reply) == "same" and before is not None:
            snapshot = before
        else:
            snapshot = Snapshot(hall, int(reply[1]), reply[2], before, *reply[3:])
        self._keep(hall.event_id, at_ms, snapshot)
        return snapshot

    def _keep(self, event_id: int, at_ms: int, snapshot: Snapshot) -> None:
        kept = self._snapshots.pop(event_id, None)
        # Of two looks at once the one that was asked later counts.
        self._snapshots[event_id] = kept if kept and kept[0] > at_ms else (at_ms, snapshot)
        if len(self._snapshots) > SNAPSHOTS_MAX:
            del self._snapshots[next(iter(self._snapshots))]

    def _done(self, event_id: int, task: asyncio.Task[Snapshot]) -> None:
        del self._readings[event_id]
        if not task.cancelled():
            task.exception()  # told to whoever waited; not a forgotten failure

    def _start(self, event_id: int, caller_salt: str, seats: range) -> int:
        turn = self._clock.ms() // ROTATION_MS
        mark = blake2b(f"{caller_salt}:{event_id}:{turn}".encode(), digest_size=8).digest()
        return seats.start + int.from_bytes(mark) % max(1, len(seats))
