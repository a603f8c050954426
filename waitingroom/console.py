"""What operators do to a room: open one, change its settings, start its line anew."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from kernel.clock import Clock
from kernel.errors import Conflict
from kernel.lua import word
from waitingroom import keys
from waitingroom.settings import RoomSettings, changed, from_hash, to_hash
from waitingroom.store import REDIS_TIMEOUT_S, RoomAway, RoomUnknown, Store

# Two operators who press at once both succeed; a third time means something is wrong.
CONFIGURE_TRIES = 3
CHANGES_KEPT = 200
UNLINK_PAGE = 1_000

log = structlog.get_logger()


class ChangedMeanwhile(Conflict):
    """Настройки очереди только что изменил кто-то другой."""

    code = "room-changed"


class Change(msgspec.Struct, frozen=True):
    """Who changed which settings to what, and when (epoch ms)."""

    at: int
    actor: str
    changes: dict[str, Any]


class Console:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def open(self, event: int, settings: RoomSettings) -> bool:
        """Give the event a room. False: it has one, which keeps its settings and its line."""
        now_ms = self._clock.ms()
        settings = changed(settings, {})  # the same checks as for a change
        fresh = msgspec.structs.replace(
            # Seconds of opening: higher than of any room that Redis has forgotten.
            settings,
            generation=now_ms // 1000,
            version=1,
            updated_at=now_ms,
        )
        reply = await self._store.run("open", [keys.settings(event)], to_hash(fresh))
        await self._ask(self._store.redis.sadd(keys.EVENTS, event))
        return word(reply) == "opened"

    async def settings(self, event: int) -> RoomSettings:
        """As they are in Redis at this moment. Raises RoomUnknown."""
        pairs = await self._ask(self._store.redis.hgetall(keys.settings(event)))
        if not pairs:
            raise RoomUnknown
        return from_hash([part for pair in pairs.items() for part in pair])

    async def configure(self, event: int, changes: Mapping[str, Any], actor: str) -> RoomSettings:
        """Change these settings, in force for the next join, tick and claim. Raises BadSetting,
        RoomUnknown.
        """
        return await self._change(event, dict(changes), {}, actor)

    async def reset(self, event: int, actor: str) -> RoomSettings:
        """Start the line anew: every number given so far is void. Those inside stay inside."""
        old = (await self.settings(event)).generation
        new = max(old + 1, self._clock.ms() // 1000)
        settings = await self._change(event, {}, {"generation": new}, actor)
        await self._clear(event, old)
        return settings

    async def changes(self, event: int, count_max: int = 50) -> list[Change]:
        """What was changed last, newest first."""
        redis = self._store.redis
        notes = await self._ask(redis.lrange(keys.changes(event), 0, count_max - 1))
        return [msgspec.json.decode(note, type=Change) for note in notes]

    async def _change(
        self, event: int, changes: dict[str, Any], own: dict[str, int], actor: str
    ) -> RoomSettings:
        for _ in range(CONFIGURE_TRIES):
            before = await self.settings(event)
            now_ms = self._clock.ms()
            after = msgspec.structs.replace(
                changed(before, changes), **own, version=before.version + 1, updated_at=now_ms
            )
            note = msgspec.json.encode(Change(now_ms, actor, changes | own))
            reply = await self._store.run(
                "configure",
                [keys.settings(event), keys.changes(event)],
                [before.version, note, CHANGES_KEPT, *to_hash(after)],
            )
            if word(reply) == "changed":
                log.info("room changed", event_id=event, actor=actor, set=changes | own)
                return after
        raise ChangedMeanwhile

    async def _clear(self, event: int, generation: int) -> None:
        """Drop the old line's keys, by name and a page at a time. The live bitmaps end by
        themselves.
        """
        of_line = [keys.line, keys.done, keys.knocked, keys.called, keys.left]
        of_line += [keys.reached, keys.returned, keys.standing, keys.came]
        names = [name(event, generation) for name in of_line]
        buckets = range(keys.PLACE_BUCKETS)
        names += [keys.places_bucket(event, generation, bucket) for bucket in buckets]
        for start in range(0, len(names), UNLINK_PAGE):
            await self._ask(self._store.redis.unlink(*names[start : start + UNLINK_PAGE]))

    async def _ask(self, call: Any) -> Any:
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                return await call
        except (RedisError, OSError, TimeoutError) as error:
            raise RoomAway from error
