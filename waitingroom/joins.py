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

# The word of lua/join.lua for one subject, its field, and of which line they are.
Said = tuple[bytes, Any, keys.LineId]


def keys_of(
    event: int,
    line: keys.LineId,
    now_ms: int,
    subjects: Sequence[bytes],
    *,
    after_draw: bool = False,
) -> list[str]:
    """What lua/join.lua works on. A lane goes on through a draw: nothing comes before it."""
    buckets = [keys.bucket_of(who) for who in subjects]
    begins = [keys.places_begin(event, line)]
    if after_draw:
        before = line - 1 if isinstance(line, int) else line
        begins.append(keys.places_begin(event, before))
    return [
        keys.settings(event),
        keys.line(event, line),
        keys.done(event, line),
        keys.knocked(event, line),
        keys.leases(event),
        *keys.live_pair(event, line, now_ms),
        *[f"{begin}{bucket}" for begin in begins for bucket in buckets],
    ]


class Joins:
    def __init__(self, store: Store, memory: Memory, clock: Clock) -> None:
        self._store = store
        self._memory = memory
        self._clock = clock
        self._convoys: dict[tuple[int, bool], Convoy[bytes, Said]] = {}
        # Events whose line follows a draw, as far as this process was told.
        self._drawn: set[int] = set()

    def take(self, event: int, who: bytes, *, lane: bool = False) -> "asyncio.Future[Said]":
        """`joined` or `again` with the number, `cohort` with the entrant's, `closed`, `soon`,
        `full` or `off`; and of which line that is, whatever has begun since. For a room
        that exists. To be awaited; raises RoomUnknown, RoomAway.
        """
        convoy = self._convoys.get((event, lane))
        if convoy is None:

            async def send(subjects: list[bytes]) -> list[Said]:
                return await self._send(event, subjects, lane=lane)

            convoy = self._convoys[event, lane] = Convoy(send, size_max=JOINS_MAX)
        return convoy.ask(who)

    async def _send(self, event: int, subjects: list[bytes], *, lane: bool) -> list[Said]:
        now_ms = self._clock.ms()
        line: keys.LineId = 0

        def names(of: keys.LineId) -> list[str]:
            nonlocal line
            line = of
            return keys_of(event, of, now_ms, subjects, after_draw=event in self._drawn)

        floor = self._memory.floor(event, lane=lane)
        args: list[Arg] = [now_ms, LIVE_TTL_S, *floor, *subjects]
        reply = await self._store.run_in_line("join", event, names, args, lane=lane)
        if word(reply) == "drawn":
            self._drawn.add(event)
            reply = await self._store.run_in_line("join", event, names, args, lane=lane)
        if word(reply) == "off":
            return [(b"off", None, line)] * len(subjects)
        assert word(reply) == "answered", reply
        said = [(*pair, line) for pair in zip(reply[1::2], reply[2::2], strict=True)]
        given = [field for word, field, _ in said if word in (b"joined", b"again")]
        generation = keys.generation_of(line)
        self._memory.issued(event, generation, max(given, default=0), lane=lane)
        return said
