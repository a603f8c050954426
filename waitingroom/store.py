"""The room's door to Redis: commands by name, keys of the right generation, one way to be away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError

from kernel.errors import NotFound, TryAgain
from kernel.lua import Arg, LuaScripts, Reply, word
from waitingroom import keys
from waitingroom.entries import Entry, GenerationOver

# A visitor hears "your place is kept" rather than wait longer than this.
REDIS_TIMEOUT_S = 2.0
AWAY_RETRY_S = 5
# The generation may change between reading it and running the command; twice in a row is a storm.
GENERATION_TRIES = 3

# Commands for many callers, who have gathered already: one leaves at once, and waits no longer than
# that either.
GATHERED = frozenset({"join", "heartbeat"})

# Commands that are sent once more when the connection broke under them, for having run twice they
# have done what they do once: a subject that joins again gets the number it got, who was heard was
# heard, who comes back to the gate gets the same visit, and the others only read.
REPEATABLE = frozenset({"join", "heartbeat", "claim", "look", "read", "drawn"})

KeysOf = Callable[[keys.LineId], Sequence[str]]


class RoomUnknown(NotFound):
    """У этого мероприятия нет очереди."""

    code = "room-unknown"


class RoomAway(TryAgain):
    """Очередь ненадолго недоступна. Если у вас есть номер, он сохранён."""

    code = "room-away"

    def __init__(self, detail: str | None = None, *, retry_after_s: int = AWAY_RETRY_S) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class Store:
    def __init__(self, redis: "Redis") -> None:
        self.redis = redis
        self._scripts = LuaScripts(redis, Path(__file__).parent / "lua", REDIS_TIMEOUT_S)
        self._generations: dict[int, int] = {}
        self._lanes: dict[int, keys.LaneId] = {}
        # Puts back a room that Redis has lost; False: nothing is known of it.
        self.mend: Callable[[int], Awaitable[bool]] | None = None

    async def run(self, name: str, names: Sequence[str], args: Sequence[Arg] = ()) -> Reply:
        """Run a command. Raises RoomAway when Redis doesn't answer: whether it ran is unknown."""
        try:
            return await self._send(name, names, args)
        except ConnectionLost as error:
            if name not in REPEATABLE:
                raise RoomAway from error
        except (RedisError, OSError, TimeoutError) as error:
            raise RoomAway from error
        try:
            return await self._send(name, names, args)
        except (RedisError, OSError, TimeoutError) as error:
            raise RoomAway from error

    async def _send(self, name: str, names: Sequence[str], args: Sequence[Arg]) -> Reply:
        if name in GATHERED:
            return await self._scripts.send(name, names, args)
        async with asyncio.timeout(REDIS_TIMEOUT_S):
            return await self._scripts.run(name, names, args)

    async def run_in_line(
        self,
        name: str,
        event: int,
        keys_of: KeysOf,
        args: Sequence[Arg] = (),
        *,
        lane: bool = False,
    ) -> Reply:
        """Run a command on keys that carry the generation, which it gets as ARGV[1]. It answers
        `generation` when a reset came in between, and is run again on the new keys. `lane`: on
        the keys of the lane.
        """
        for _ in range(GENERATION_TRIES):
            generation = await self.generation(event)
            of = await self.lane(event, generation) if lane else generation
            reply = await self.run(name, keys_of(of), [generation, *args])
            if word(reply) in ("unknown", "behind"):
                self._generations.pop(event, None)
                if not await self.mended(event):
                    raise RoomUnknown
                continue
            if word(reply) != "generation":
                return reply
            self._generations[event] = int(reply[1])
        raise RoomAway

    async def run_for_entry(
        self, name: str, entry: Entry, keys_of: KeysOf, args: Sequence[Arg] = ()
    ) -> Reply:
        """Run a command on the keys of the entry's own generation. Raises GenerationOver when
        the line has started anew since.
        """
        names = keys_of(entry.line)
        reply = await self.run(name, names, [entry.generation, *args])
        if word(reply) == "unknown" and await self.mended(entry.event):
            reply = await self.run(name, names, [entry.generation, *args])
        if word(reply) == "gone" and await self.heal(entry):
            reply = await self.run(name, names, [entry.generation, *args])
        if word(reply) == "unknown":
            raise RoomUnknown
        if word(reply) == "generation":
            raise GenerationOver
        return reply

    async def heal(self, entry: Entry) -> bool:
        """After Redis lost its memory: the place that the entry proves is put back."""
        who, event, line = keys.member(entry.subject), entry.event, entry.line
        names = [
            keys.settings(event),
            keys.line(event, line),
            keys.places(event, line, who),
            keys.done(event, line),
            keys.owners(event, line),
            keys.moves(event, line),
        ]
        args: list[Arg] = [entry.generation, who, entry.number, entry.hands]
        return word(await self.run("heal", names, args)) == "healed"

    async def mended(self, event: int) -> bool:
        """Whether a room that Redis doesn't know, or knows too little of, was put back."""
        return self.mend is not None and await self.mend(event)

    async def list_event(self, event: int) -> None:
        await self.ask(self.redis.sadd(keys.EVENTS, event))

    async def ask(self, call: Any) -> Any:
        """A plain command's answer. Raises RoomAway."""
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                return await call
        except (RedisError, OSError, TimeoutError) as error:
            raise RoomAway from error

    def saw(self, event: int, generation: int) -> None:
        """The line is of this generation now."""
        self._generations[event] = generation

    async def events(self) -> set[int]:
        """Every event that has a room."""
        return {int(event) for event in await self.ask(self.redis.smembers(keys.EVENTS))}

    async def generation(self, event: int) -> int:
        """The line's generation as last seen by this process."""
        if event not in self._generations:
            found = await self._read_generation(event)
            if found is None and await self.mended(event):
                found = await self._read_generation(event)
            if found is None:
                raise RoomUnknown
            self._generations[event] = found
        return self._generations[event]

    async def lane(self, event: int, generation: int) -> keys.LaneId:
        """The lane beside the line of this generation. When that has passed, the lane is told by
        guess; whatever is run on it answers `generation`.
        """
        known = self._lanes.get(event)
        if known is not None and known.generation == generation:
            return known
        found = await self._read_fields(event, "generation", "lottery")
        if found[0] is None or int(found[0]) != generation:
            return keys.LaneId(generation, generation)
        lane = keys.LaneId(generation, int(found[1] or 0) or generation)
        self._lanes[event] = lane
        return lane

    async def _read_generation(self, event: int) -> int | None:
        found = (await self._read_fields(event, "generation"))[0]
        return None if found is None else int(found)

    async def _read_fields(self, event: int, *fields: str) -> list[bytes | None]:
        return list(await self.ask(self.redis.hmget(keys.settings(event), list(fields))))
