"""Places in line are taken together: the joins that come while Redis is at work on others travel in
one command, so that the cost of asking it is shared by all who ask.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from kernel.clock import Clock
from kernel.convoy import Convoy
from kernel.lua import Arg, word
from waitingroom import keys
from waitingroom.memory import Memory
from waitingroom.signs import LIVE_TTL_S
from waitingroom.store import Store

# One command takes so many at most: some 0.3 ms of Redis.
JOINS_MAX = 128

# The word of lua/join.lua for one subject, its field, and of which generation they are.
Said = tuple[bytes, Any, int]


def keys_of(event: int, generation: int, now_ms: int, subjects: Sequence[bytes]) -> list[str]:
    """What lua/join.lua works on."""
    places = [
        keys.places(event, gen, who) for gen in (generation, generation - 1) for who in subjects
    ]
    return [
        keys.settings(event),
        keys.line(event, generation),
        keys.done(event, generation),
        keys.knocked(event, generation),
        keys.leases(event),
        *keys.live_pair(event, generation, now_ms),
        *places,
    ]


class Joins:
    def __init__(self, store: Store, memory: Memory, clock: Clock) -> None:
        self._store = store
        self._memory = memory
        self._clock = clock
        self._convoys: dict[int, Convoy[bytes, Said]] = {}

    def take(self, event: int, who: bytes) -> "asyncio.Future[Said]":
        """`joined` or `again` with the number, `cohort` with the entrant's, `closed`, `soon`,
        `full` or `off`; and of which generation that is, whatever has begun since. For a room
        that exists. To be awaited; raises RoomUnknown, RoomAway.
        """
        convoy = self._convoys.get(event)
        if convoy is None:

            async def send(subjects: list[bytes]) -> list[Said]:
                return await self._send(event, subjects)

            convoy = self._convoys[event] = Convoy(send, size_max=JOINS_MAX)
        return convoy.ask(who)

    async def _send(self, event: int, subjects: list[bytes]) -> list[Said]:
        now_ms, generation = self._clock.ms(), 0

        def names(gen: int) -> list[str]:
            nonlocal generation
            generation = gen
            return keys_of(event, gen, now_ms, subjects)

        args: list[Arg] = [now_ms, LIVE_TTL_S, *self._memory.floor(event), *subjects]
        reply = await self._store.run_in_line("join", event, names, args)
        if word(reply) == "off":
            return [(b"off", None, generation)] * len(subjects)
        assert word(reply) == "answered", reply
        said = [(*pair, generation) for pair in zip(reply[1::2], reply[2::2], strict=True)]
        given = [field for word, field, _ in said if word in (b"joined", b"again")]
        self._memory.issued(event, generation, max(given, default=0))
        return said
