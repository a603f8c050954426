"""The admission tick: one leader among the tickers moves every room's serving number."""

import asyncio

import msgspec

from kernel.clock import Clock
from kernel.lua import Reply, word
from waitingroom import keys
from waitingroom.schedule import Schedule
from waitingroom.store import RoomUnknown, Store
from waitingroom.traffic import Traffic

TICK_EVERY_S = 0.25
# A dead leader is replaced after this; a living one renews eight times meanwhile.
LEADER_LIFE_MS = 2_000
# A late notice about a lease is still understood for this long after its end.
ENDED_REMEMBERED_MS = 120_000


class Tick(msgspec.Struct, frozen=True):
    """`moved` is how many numbers were called. `fenced`: a later leader has been here."""

    serving: int
    moved: int = 0
    fenced: bool = False


class Throttle:
    def __init__(self, store: Store, clock: Clock, schedule: Schedule, traffic: Traffic) -> None:
        self._store = store
        self._schedule = schedule
        self._traffic = traffic
        self._clock = clock
        # Rooms with a lane.
        self._laned: set[int] = set()

    async def lead(self, name: str) -> int | None:
        """Take or keep the lead under this process's name. The fence, or None: another leads."""
        names = [keys.LEADER, keys.LEADER_FENCE]
        reply = await self._store.run("lead", names, [name, LEADER_LIFE_MS, self._clock.ms()])
        return int(reply[1]) if word(reply) == "leads" else None

    async def tick(self, event: int, fence: int) -> Tick:
        """Call the next numbers of one room. Raises RoomUnknown, RoomAway.

        All in one pipeline: reckon how many, part them between the line and the lane of the
        invited, call them, forget the long gone.
        """
        now_ms = self._clock.ms()
        lanes = (True, False) if event in self._laned else (False,)
        answers = await asyncio.gather(
            *(self._reckon(event, fence, now_ms, lane=lane) for lane in lanes),
            self._split(event, fence),
            *(self._call(event, fence, now_ms, lane=lane) for lane in lanes),
            self._store.run(
                "sweep", [keys.leases(event), keys.visits(event)], [now_ms - ENDED_REMEMBERED_MS]
            ),
        )
        reckoned, parted, called = answers[len(lanes) - 1], answers[len(lanes)], answers[-2]
        (self._laned.add if word(parted) == "split" else self._laned.discard)(event)
        if "fenced" in (word(reckoned), word(called)):
            return Tick(0, fenced=True)
        return Tick(int(called[1]), int(called[2]))

    async def _split(self, event: int, fence: int) -> Reply:
        """After the reckoning of both lines."""
        lane = await self._store.lane(event, await self._store.generation(event))
        return await self._store.run_in_line(
            "split",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.line(event, lane),
                keys.standing(event, lane),
            ],
            [fence],
        )

    async def _reckon(self, event: int, fence: int, now_ms: int, *, lane: bool) -> Reply:
        return await self._store.run_in_line(
            "tick",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.leases(event),
                keys.reached(event, gen),
                keys.came(event, gen),
                keys.standing(event, gen),
            ],
            [fence, now_ms],
            lane=lane,
        )

    async def _call(self, event: int, fence: int, now_ms: int, *, lane: bool) -> Reply:
        return await self._store.run_in_line(
            "call",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.done(event, gen),
                keys.reached(event, gen),
                keys.called(event, gen),
                keys.returned(event, gen),
                keys.live_pair(event, gen, now_ms)[0],
            ],
            [fence],
            lane=lane,
        )

    async def tick_all(self, name: str) -> int | None:
        """One step of the ticker: lead, tick every room. How many rooms; None: another leads."""
        fence = await self.lead(name)
        if fence is None:
            return None
        ticks = await asyncio.gather(*(self._try(e, fence) for e in await self._store.events()))
        return sum(ticks)

    async def _try(self, event: int, fence: int) -> bool:
        try:
            await asyncio.gather(
                self._schedule.advance(event, fence), self._traffic.watch(event, fence)
            )
            return not (await self.tick(event, fence)).fenced
        except RoomUnknown:  # removed since it was listed
            return False
