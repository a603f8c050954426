"""The admission tick: one leader among the tickers moves every room's serving number."""

import asyncio

import msgspec

from kernel.clock import Clock
from kernel.lua import word
from waitingroom import keys
from waitingroom.store import RoomUnknown, Store

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
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def lead(self, name: str) -> int | None:
        """Take or keep the lead under this process's name. The fence, or None: another leads."""
        names = [keys.LEADER, keys.LEADER_FENCE]
        reply = await self._store.run("lead", names, [name, LEADER_LIFE_MS, self._clock.ms()])
        return int(reply[1]) if word(reply) == "leads" else None

    async def tick(self, event: int, fence: int) -> Tick:
        """Call the next numbers of one room. Raises RoomUnknown, RoomAway."""
        now_ms = self._clock.ms()
        reply = await self._store.run_in_line(
            "tick",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.leases(event),
                keys.visits(event),
                keys.done(event, gen),
                keys.called(event, gen),
                keys.live_pair(event, gen, now_ms)[0],
            ],
            [fence, now_ms, ENDED_REMEMBERED_MS],
        )
        if word(reply) == "fenced":
            return Tick(0, fenced=True)
        if word(reply) == "still":
            return Tick(int(reply[1]))
        assert word(reply) == "ticked", reply
        return Tick(int(reply[1]), int(reply[2]))

    async def tick_all(self, name: str) -> int | None:
        """One step of the ticker: lead, tick every room. How many rooms; None: another leads."""
        fence = await self.lead(name)
        if fence is None:
            return None
        ticks = await asyncio.gather(*(self._try(e, fence) for e in await self._store.events()))
        return sum(ticks)

    async def _try(self, event: int, fence: int) -> bool:
        try:
            return not (await self.tick(event, fence)).fenced
        except RoomUnknown:  # removed since it was listed
            return False
