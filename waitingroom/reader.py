"""One coroutine a process reads every room's numbers; all else is answered from its memory.

When Redis is away the last snapshots stay and say how old they are.
"""

import asyncio
from bisect import insort
from collections import deque
from typing import TypeVar

import msgspec
import structlog

from kernel.clock import Clock
from kernel.lua import Reply
from waitingroom import keys
from waitingroom.cohort import Cohort
from waitingroom.entries import Entry
from waitingroom.memory import Memory, Owner
from waitingroom.settings import RoomSettings, from_hash
from waitingroom.signs import Signs
from waitingroom.snapshot import Snapshot, status_of, with_lane
from waitingroom.store import RoomAway, RoomUnknown, Store

READ_EVERY_S = 0.25
# How many of those who left are fetched at once; the others come with the next readings.
LEFT_PAGE = 10_000
OBSERVE_MS = 60_000
# A rate seen over less than this says little.
OBSERVE_MIN_MS = 10_000
# Redis doesn't answer: say so in the log this often, not four times a second.
COMPLAIN_EVERY_S = 30

T = TypeVar("T", bytes, int)

log = structlog.get_logger()


class Reader:
    def __init__(
        self, store: Store, memory: Memory, clock: Clock, signs: Signs, cohort: Cohort
    ) -> None:
        self._store = store
        self.memory = memory
        self._signs = signs
        self._cohort = cohort
        self._clock = clock
        self._snapshots: dict[int, Snapshot] = {}
        self._statuses: dict[int, bytes] = {}
        # Of each line, and of its lane.
        self._gone: dict[tuple[int, bool], list[int]] = {}
        self._history: dict[tuple[int, bool], deque[tuple[int, int]]] = {}
        # How many changes of hands were heard of, and after which loss of Redis.
        self._moved: dict[tuple[int, bool], int] = {}
        self._recovered: dict[tuple[int, bool], int] = {}
        self._read_at_ms: int | None = None
        self._complained_at_ms = 0

    def of(self, event: int) -> Snapshot:
        """The last snapshot. Raises RoomUnknown, or RoomAway if nothing was ever read."""
        snapshot = self._snapshots.get(event)
        if snapshot is None:
            raise RoomAway if self._read_at_ms is None else RoomUnknown
        return snapshot

    def is_staff(self, entry: Entry) -> bool:
        """Whether whoever has this place needn't be called; nobody where nothing was read."""
        snapshot = self._snapshots.get(entry.event)
        return snapshot is not None and snapshot.settings.is_staff(entry.subject)

    def status_bytes(self, event: int) -> bytes | None:
        """The answer of /status as it goes over the wire. None: no such room."""
        return self._statuses.get(event)

    def events(self) -> list[int]:
        return sorted(self._snapshots)

    @property
    def age_s(self) -> int:
        """How old the memory is; 0 in health, also a little after a missed reading."""
        if self._read_at_ms is None:
            return 0
        late_ms = self._clock.ms() - self._read_at_ms
        return late_ms // 1000 if late_ms > 4 * READ_EVERY_S * 1000 else 0

    def age_of(self, event: int) -> int:
        """How old the memory of this room is; 0 in health."""
        return self.age_s if event in self._snapshots else 0

    async def run(self) -> None:
        """Forever; for a lifespan."""
        while True:
            await self.refresh()
            await self._signs.flush()
            await asyncio.sleep(READ_EVERY_S)

    async def refresh(self) -> bool:
        """Read all rooms once. False: Redis didn't answer, the memory is as it was."""
        try:
            events = await self._store.events()
            # Rooms aren't removed: one that is no longer listed was lost with Redis's memory.
            events |= {event for event in self._snapshots if event not in events}
            snapshots = await asyncio.gather(*(self._read(event) for event in sorted(events)))
        except RoomAway as error:
            self._grow_old(error)
            return False
        for event in set(self._snapshots) - events:
            self._forget(event)
        for snapshot in snapshots:
            if snapshot is not None:
                self._snapshots[snapshot.event] = snapshot
                self._statuses[snapshot.event] = msgspec.json.encode(status_of(snapshot))
        self._read_at_ms = self._clock.ms()
        return True

    async def _read(self, event: int) -> Snapshot | None:
        try:
            return await self._read_known(event)
        except RoomUnknown:
            self._forget(event)
            self.memory.forget(event)
            return None

    async def _read_known(self, event: int) -> Snapshot:
        line = await self._read_line(event)
        if not line.has_lane:
            return line
        return with_lane(line, await self._read_line(event, lane=True))

    async def _read_line(self, event: int, *, lane: bool = False) -> Snapshot:
        floor = self.memory.floor(event, lane=lane)
        before = self._snapshots.get(event)
        if before is not None and lane:
            before = before.lane
        gone = self._gone.setdefault((event, lane), [])
        now_ms = self._clock.ms()
        moved = self._moved.get((event, lane), 0)
        reply = await self._ask(event, now_ms, len(gone), moved, lane=lane)
        settings = from_hash(reply[1])
        share, line = _counters(reply[2])
        serving, issued = line.get(b"serving", 0), line.get(b"issued", 0)
        was = (*floor, before.serving, before.settings.version) if before else (*floor, 0, 0)
        is_known = self.memory.of(event, lane=lane) is not None
        lost = is_known and is_behind(was, settings, issued, serving)
        if lost and await self._store.mended(event):
            return await self._read_line(event, lane=lane)
        if before is not None and before.settings.generation != settings.generation:
            self._forget(event)
            return await self._read_line(event, lane=lane)
        for number in reply[4]:
            insort(gone, int(number))
        self._hear_moves((event, lane), settings, line.get(b"recovered_ms", 0), reply[6])
        self.memory.saw(event, settings, (reply[1], reply[2]), reply[3], gone, lane=lane)
        living, claimed = line.get(b"living", 0), line.get(b"claimed", 0)
        moving = settings.state == "open" and living > 0
        return Snapshot(
            event=event,
            settings=settings,
            issued=issued,
            serving=serving,
            lapsed=line.get(b"lapsed", 0),
            claimed=claimed,
            living=living,
            in_flight=reply[3],
            taken_at_ms=now_ms,
            gone=gone,
            claims_per_s=self._observe((event, lane), now_ms, claimed, moving=moving),
            share=share,
            steps=_pairs(reply[5]),
            requests=line.get(b"requests", 0),
            implicit=line.get(b"implicit", 0),
            counted=line.get(b"counted") if settings.awaits_draw else None,
            drawn=await self._cohort.drawn(event) if settings.is_drawn and not lane else None,
            terms=settings.terms,
            has_lane=dict(_pairs(reply[1])).get(b"laned") == b"%d" % settings.lane_id.lane,
        )

    async def _ask(self, event: int, now_ms: int, known: int, moved: int, *, lane: bool) -> Reply:
        return await self._store.run_in_line(
            "read",
            event,
            lambda line: [
                keys.settings(event),
                keys.line(event, line),
                keys.leases(event),
                keys.left(event, line),
                keys.live_pair(event, line, now_ms)[0],
                keys.moves(event, line),
            ],
            [now_ms, known, LEFT_PAGE, moved],
            lane=lane,
        )

    def _hear_moves(
        self, of: tuple[int, bool], settings: RoomSettings, recovered_ms: int, told: list[bytes]
    ) -> None:
        """Once Redis has forgotten, its list is another: it is heard from the start."""
        event, lane = of
        if self._recovered.get(of, 0) != recovered_ms:
            self._recovered[of], self._moved[of] = recovered_ms, 0
            return
        self._moved[of] = self._moved.get(of, 0) + len(told)
        line = settings.lane_id if lane else settings.generation
        self.memory.moved(event, line, map(_move, told), lane=lane)

    def _observe(
        self, of: tuple[int, bool], now_ms: int, claimed: int, *, moving: bool
    ) -> float | None:
        history = self._history.setdefault(of, deque())
        if not moving:
            history.clear()
            return None
        history.append((now_ms, claimed))
        while history[0][0] < now_ms - OBSERVE_MS:
            history.popleft()
        first_ms, first_claimed = history[0]
        if now_ms - first_ms < OBSERVE_MIN_MS:
            return None
        return (claimed - first_claimed) * 1000 / (now_ms - first_ms)

    def _grow_old(self, error: Exception) -> None:
        now_ms, age_s = self._clock.ms(), self.age_s
        for event, snapshot in self._snapshots.items():
            self._statuses[event] = msgspec.json.encode(status_of(snapshot, age_s))
        if now_ms - self._complained_at_ms > COMPLAIN_EVERY_S * 1000:
            self._complained_at_ms = now_ms
            log.warning("rooms unread", age_s=age_s, error=repr(error.__cause__ or error))

    def _forget(self, event: int) -> None:
        self._snapshots.pop(event, None)
        self._statuses.pop(event, None)
        for lane in (False, True):
            self._gone.pop((event, lane), None)
            self._history.pop((event, lane), None)
            self._moved.pop((event, lane), None)


def is_behind(
    was: tuple[int, int, int, int], settings: RoomSettings, issued: int, serving: int
) -> bool:
    """Whether Redis knows less than we did: (generation, highest number, serving, version)."""
    generation, highest, was_serving, version = was
    if settings.generation != generation:
        return settings.generation < generation
    return issued < highest or serving < was_serving or settings.version < version


def _counters(flat: list[bytes]) -> tuple[float, dict[bytes, int]]:
    """The share, and all other counters of a line."""
    words = dict(_pairs(flat))
    share = float(words.pop(b"share", 1))
    return share, {field: int(value) for field, value in words.items()}


def _move(told: bytes) -> tuple[int, Owner]:
    number, hands, whose = told.split(b":", 2)
    return int(number), Owner(int(hands), whose)


def _pairs(flat: list[T]) -> list[tuple[T, T]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
