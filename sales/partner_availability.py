"""What a partner has sold elsewhere: its list is read while somebody looks at our map.

A reading serves everybody for FRESH_MS, in a hall too big for that for twenty times as long as it
took. Who comes later waits for a new one, but not for long: what the map says is never used to
decide. Of our own seats the partner is not believed: its list is behind what it has given us.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.db import GONE, Db
from kernel.errors import Refusal
from kernel.sql import load_queries
from sales.catalogue import Kept
from sales.keys import AVAILABILITY, key
from sales.partner_halls import list_places
from sales.partner_selecting import GIVEN_BACK_S
from sales.partners import Partners
from sales.seatstore import SeatStore

Q = load_queries(Path(__file__).parent / "sql")
FRESH_MS: Final = 2_000
# A reader of a hundred pages is busy with it for a twentieth of its time.
PACE: Final = 20
# A map waits for a reading for so long.
WAIT_S: Final = 0.8
# Older than this the map says how old it is.
STALE_MS: Final = 10_000
PLACES_KEPT_MS: Final = 60_000
HALLS_KEPT_MAX: Final = 100
OUTSIDE, FREE = b"XF"
log = structlog.get_logger()


class Asked(msgspec.Struct, frozen=True):
    """When a partner's list was read last (epoch ms); None: never yet."""

    at_ms: int | None
    is_stale: bool


class _Seen(msgspec.Struct):
    at_ms: int | None = None
    next_ms: int = 0
    # The last reading took longer than a map waits, or came to nothing: nobody waits for the next.
    is_slow: bool = False


class Availability:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        store: SeatStore,
        partners: Partners,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` tells how long a reading takes."""
        self._db, self._clock, self._store, self._partners = db, clock, store, partners
        self._seconds = seconds
        self._seen: dict[int, _Seen] = {}
        self._readings: dict[int, asyncio.Task[None]] = {}
        self._seats: Kept[int, dict[UUID, int]] = Kept(clock, PLACES_KEPT_MS, HALLS_KEPT_MAX)

    async def refresh(self, event_id: int) -> None:
        """Before a map of the event is shown. Nothing for an event whose seats are our own; never
        raises for the partner. Raises EventUnknown.
        """
        if not await self._partners.is_partners(event_id):
            return
        seen = self._seen.setdefault(event_id, _Seen())
        if self._clock.ms() < seen.next_ms:
            return
        task = self._readings.get(event_id)
        if task is None:
            task = self._readings[event_id] = asyncio.create_task(self._look(event_id, seen))
            task.add_done_callback(lambda _: self._readings.pop(event_id))
        if not seen.is_slow:
            await asyncio.wait({task}, timeout=WAIT_S)
            # One has waited in vain: nobody else has to, while this reading goes on.
            if not task.done():
                seen.is_slow = True

    async def asked(self, event_id: int) -> Asked | None:
        """How old the map is as far as the partner goes; None: the seats are our own."""
        if not await self._partners.is_partners(event_id):
            return None
        at_ms = self._seen.get(event_id, _Seen()).at_ms
        return Asked(at_ms, at_ms is None or self._clock.ms() - at_ms > STALE_MS)

    async def _look(self, event_id: int, seen: _Seen) -> None:
        began, is_read = self._seconds(), False
        try:
            seen.at_ms = await self._read(event_id)
            is_read = True
        except (Refusal, RedisError, *GONE) as error:
            log.warning("availability not read", event_id=event_id, error=repr(error))
        took_s = self._seconds() - began
        seen.is_slow = not is_read or took_s > WAIT_S
        seen.next_ms = self._clock.ms() + max(FRESH_MS, int(PACE * took_s * 1000))

    async def _read(self, event_id: int) -> int:
        """As of when the map is right now (epoch ms): another process may just have read it."""
        name, now_ms = key(AVAILABILITY, event_id), self._clock.ms()
        token = await self._store.epochs.token()
        told: Any = await self._store.redis.get(name)
        read_token, _, at = (told or b"").decode().rpartition(":")
        if read_token == token and now_ms - int(at) < FRESH_MS:
            return int(at)
        partner = await self._partners.of_event(event_id)
        places = await list_places(partner) if partner is not None else []
        seats = await self._seats.of(event_id, self._read_places)
        gone = {seats[one.id] for one in places if not one.is_free and one.id in seats}
        await self._mark(event_id, gone - await self._kept(event_id))
        await self._store.redis.set(name, f"{token}:{now_ms}", px=10 * STALE_MS)
        return now_ms

    async def _mark(self, event_id: int, outside: set[int]) -> None:
        """`outside`: everything that others have."""
        _, _, content = await self._store.run("read", event_id, 0)
        was = {seat for seat, state in enumerate(content) if state == OUTSIDE}
        fresh = sorted(seat for seat in outside - was if content[seat] == FREE)
        if fresh:
            await self._store.mark_outside(event_id, "X", fresh)
        if back := sorted(was - outside):
            await self._store.mark_outside(event_id, "F", back)

    async def _kept(self, event_id: int) -> set[int]:
        """Of these we know better than the partner's list."""
        since = self._clock.now() - timedelta(seconds=GIVEN_BACK_S)
        return {row["seat"] for row in await self._db.fetch(Q["list_kept_seats"], event_id, since)}

    async def _read_places(self, event_id: int) -> dict[UUID, int]:
        rows = await self._db.fetch(Q["list_all_places"], event_id)
        return {row["place_id"]: row["seat"] for row in rows}
