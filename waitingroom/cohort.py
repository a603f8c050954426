"""The cohort: those who were in the pre-queue, and follow the draw to the places it gave them.

What they hold is an entrant's number of one generation; the draw began the next one, in which
each has the number that the permutation gives. Nothing is stored for that: a place is moved when
its owner first asks for more than to look at it.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from kernel.lua import Arg, word
from waitingroom import keys
from waitingroom.entries import Entry, GenerationOver
from waitingroom.lottery import Lottery, Permutation
from waitingroom.store import RoomUnknown, Store

Answer = TypeVar("Answer")
# Subjects and entrants' numbers that were moved already, by this process.
FOLLOWED_MAX = 100_000


class Drawn:
    """A lottery that was drawn, as the line that came of it needs it."""

    def __init__(self, lottery: Lottery, drawn_at_ms: int, source: str = "") -> None:
        """`source` is where the value from outside was to come from, as told beforehand."""
        self.lottery = lottery
        self.drawn_at_ms = drawn_at_ms
        self.source = source
        self._place_of: Permutation = lottery.permutation()

    @property
    def generation(self) -> int:
        """Of the line with the drawn numbers."""
        return self.lottery.generation + 1

    def number_of(self, entrant: int) -> int:
        """Whoever came after the count was made has the number they came as."""
        return self._place_of(entrant) if 0 < entrant <= self.lottery.count else entrant

    def entrant_of(self, number: int) -> int | None:
        """Who drew this number; None: it was not drawn for anybody."""
        return self._place_of.entrant_of(number) if 0 < number <= self.lottery.count else None

    def present(self, entry: Entry) -> Entry:
        """The entry as it counts now; any other entry as it is."""
        if entry.generation != self.lottery.generation:
            return entry
        if entry.lane:
            return msgspec.structs.replace(entry, gen=self.generation)
        return msgspec.structs.replace(
            entry, gen=self.generation, num=self.number_of(entry.number), srv=0, lot=False
        )


class Cohort:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, tuple[int, Drawn | None]] = {}
        self._followed: set[tuple[int, int, str, int]] = set()

    async def drawn(self, event: int, *, fresh: bool = False) -> Drawn | None:
        """The lottery of the line's present generation; None: there was none, or not yet. Read
        once a generation, so from memory as long as that stays. Raises RoomUnknown, RoomAway.
        """
        generation = await self._store.generation(event)
        known = self._known.get(event)
        if known is not None and known[0] == generation and not fresh:
            return known[1]
        reply = await self._store.run("drawn", [keys.settings(event), keys.draw(event)])
        if word(reply) == "unknown":
            raise RoomUnknown
        current = int(reply[1])
        self._store.saw(event, current)
        drawn = _drawn(event, reply) if word(reply) == "drawn" else None
        self._known[event] = (current, drawn)
        return drawn

    async def retell(self, event: int) -> None:
        """Tell Redis, which has lost its memory, of the lottery that this process knows of."""
        _, drawn = self._known.get(event, (0, None))
        if drawn is None:
            return
        lottery = drawn.lottery
        args: list[Arg] = [lottery.generation, lottery.count, lottery.seed, lottery.outside]
        names = [keys.settings(event), keys.draw(event)]
        await self._store.run("retell", names, [*args, drawn.drawn_at_ms, drawn.source])

    async def follow(self, entry: Entry, *, moving: bool = True) -> Entry:
        """The entry as it counts now; `moving`: and its place with it."""
        drawn = await self.drawn(entry.event)
        now = drawn.present(entry) if drawn else entry
        if drawn is None or now is entry:
            return entry
        # Of this very number: who gave one away and took another has entries of both.
        step = (entry.event, drawn.generation, entry.subject, entry.number)
        if moving and not entry.lane and step not in self._followed:
            await self._move(drawn, entry.event, entry.subject, entry.number)
            if len(self._followed) >= FOLLOWED_MAX:
                self._followed.clear()
            self._followed.add(step)
        return now

    async def settle(self, event: int, subject: str, entrant: int = 0) -> None:
        """Move the subject's place, if it was an entrant's; 0: which entrant is not known."""
        drawn = await self.drawn(event)
        if drawn is None:
            return
        if entrant == 0:
            reply = await self._move(drawn, event, subject, 0)
            entrant = reply or 0
        if entrant:
            await self._move(drawn, event, subject, entrant)

    def following(
        self, verb: Callable[[Entry], Awaitable[Answer]], *, moving: bool = True
    ) -> Callable[[Entry], Awaitable[Answer]]:
        """The verb for entries of the pre-queue as well, also while the draw is being made."""

        async def run(entry: Entry) -> Answer:
            try:
                return await verb(await self.follow(entry, moving=moving))
            except GenerationOver:
                # Drawn a moment ago, perhaps.
                await self.drawn(entry.event, fresh=True)
                now = await self.follow(entry, moving=moving)
                if now is entry:
                    raise
                return await verb(now)

        return run

    async def _move(self, drawn: Drawn, event: int, subject: str, entrant: int) -> int | None:
        """Who the entrant was, when asked with 0. A line that started anew moves nobody."""
        who, before = keys.member(subject), drawn.lottery.generation
        reply = await self._store.run(
            "follow",
            [
                keys.settings(event),
                keys.places(event, before, who),
                keys.places(event, drawn.generation, who),
            ],
            [drawn.generation, who, entrant, drawn.number_of(entrant)],
        )
        return int(reply[1]) if word(reply) == "entrant" else None


def _drawn(event: int, reply: list[bytes]) -> Drawn:
    generation, count, seed, outside, drawn_ms, source = reply[2:]
    lottery = Lottery(event, int(generation), int(count), seed.decode(), outside.decode())
    return Drawn(lottery, int(drawn_ms), source.decode())
