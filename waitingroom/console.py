"""What operators do to a room: open one, change its settings, start its line anew."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from kernel.clock import Clock
from kernel.errors import Conflict
from kernel.lua import word
from waitingroom import keys
from waitingroom.settings import BadSetting, RoomSettings, changed, from_hash, to_hash
from waitingroom.store import RoomAway, RoomUnknown, Store

# Two operators who press at once both succeed; a third time means something is wrong.
CONFIGURE_TRIES = 3
CHANGES_KEPT = 200
UNLINK_PAGE = 1_000

log = structlog.get_logger()


class ChangedMeanwhile(Conflict):
    """Настройки очереди только что изменил кто-то другой."""

    code = "room-changed"


class RoomStarted(Conflict):
    """В этой очереди уже выданы номера. Чтобы назначить жеребьёвку, начните очередь заново."""

    code = "room-started"


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
            lottery=now_ms // 1000 if settings.mode == "scheduled" else 0,
            version=1,
            updated_at=now_ms,
        )
        reply = await self._store.run("open", [keys.settings(event)], to_hash(fresh))
        await self._store.ask(self._store.redis.sadd(keys.EVENTS, event))
        return word(reply) == "opened"

    async def settings(self, event: int) -> RoomSettings:
        """As they are in Redis at this moment. Raises RoomUnknown."""
        pairs = await self._store.ask(self._store.redis.hgetall(keys.settings(event)))
        if not pairs:
            raise RoomUnknown
        return from_hash([part for pair in pairs.items() for part in pair])

    async def configure(self, event: int, changes: Mapping[str, Any], actor: str) -> RoomSettings:
        """Change these settings, in force for the next join, tick and claim. Raises BadSetting,
        RoomUnknown, RoomStarted.

        A scheduled room that is put on opens now: the lottery is drawn with the next tick.
        """
        return (await self._change(event, dict(changes), actor))[1]

    async def reset(self, event: int, actor: str, generation: int | None = None) -> RoomSettings:
        """Start the line anew, and the lane: every number given so far is void. Those inside stay
        inside. `generation`: only that line is meant. Raises RoomUnknown, ChangedMeanwhile.
        """
        before, after = await self._change(event, {}, actor, anew=generation or 0)
        over: list[keys.LineId] = [before.generation, before.lane_id]
        if before.is_drawn:
            over.append(before.lottery)
        try:
            for line in over:
                await self._clear(event, line)
        except RoomAway:
            # The line has begun anew all the same; what the old one leaves behind only takes room.
            log.warning("an old line was not dropped", event_id=event, lines=[*map(str, over)])
        return after

    async def changes(self, event: int, count_max: int = 50) -> list[Change]:
        """What was changed last, newest first."""
        redis = self._store.redis
        notes = await self._store.ask(redis.lrange(keys.changes(event), 0, count_max - 1))
        return [msgspec.json.decode(note, type=Change) for note in notes]

    async def _change(
        self, event: int, changes: dict[str, Any], actor: str, anew: int | None = None
    ) -> tuple[RoomSettings, RoomSettings]:
        """The settings before and after. `anew`: with another line, after the one of this
        generation, or after whichever there is if it is 0.
        """
        for _ in range(CONFIGURE_TRIES):
            before = await self.settings(event)
            now_ms = self._clock.ms()
            if anew and anew != before.generation:
                raise ChangedMeanwhile
            own = {} if anew is None else _anew(before, now_ms)
            asked = _opened_now(before, changes, now_ms)
            after = changed(before, asked)
            begins = after.mode == "scheduled" and not before.awaits_draw and not own
            after = msgspec.structs.replace(
                after,
                **_own(before, asked, begins) | own,
                armed_at=_armed_at(before, after, now_ms),
                version=before.version + 1,
                updated_at=now_ms,
            )
            note = msgspec.json.encode(Change(now_ms, actor, asked | own))
            reply = await self._store.run(
                "configure",
                [
                    keys.settings(event),
                    keys.changes(event),
                    keys.line(event, before.generation),
                ],
                [before.version, note, CHANGES_KEPT, int(begins), *to_hash(after)],
            )
            if word(reply) == "started":
                raise RoomStarted
            if word(reply) == "changed":
                log.info("room changed", event_id=event, actor=actor, set=asked | own)
                return before, after
        raise ChangedMeanwhile

    async def _clear(self, event: int, generation: keys.LineId) -> None:
        """Drop the old line's keys, by name and a page at a time. The live bitmaps end by
        themselves.
        """
        of_line = [keys.line, keys.done, keys.knocked, keys.called, keys.left]
        of_line += [keys.reached, keys.returned, keys.standing, keys.came]
        of_line += [keys.owners, keys.moves]
        names = [name(event, generation) for name in of_line]
        buckets = range(keys.PLACE_BUCKETS)
        names += [keys.places_bucket(event, generation, bucket) for bucket in buckets]
        for start in range(0, len(names), UNLINK_PAGE):
            await self._store.ask(self._store.redis.unlink(*names[start : start + UNLINK_PAGE]))


def _opened_now(before: RoomSettings, changes: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """Numbers that wait for their draw are never called as they came: on means, draw now."""
    if changes.get("mode") == "auto" and before.awaits_draw:
        raise BadSetting("Места здесь распределит жребий: сначала проведите его.", setting="mode")
    _check_outside(before, changes, now_ms)
    if changes.get("mode") != "on" or not before.awaits_draw:
        return changes
    begins_at = min(before.prequeue_at or now_ms, now_ms)
    sooner = {"prequeue_at": begins_at, "opens_at": now_ms} if _is_later(before, now_ms) else {}
    return changes | {"mode": "scheduled"} | sooner


def _check_outside(before: RoomSettings, changes: dict[str, Any], now_ms: int) -> None:
    """Raises BadSetting: for a source named after the fact, and for an opening that would wait."""
    if not before.awaits_draw:
        return
    source = changes.get("outside_source", before.outside_source)
    if source != before.outside_source and not _is_later(before, now_ms):
        raise BadSetting(
            "Участников уже подсчитали: источник внешнего значения не меняют.",
            setting="outside_source",
        )
    names = ("outside", "without_outside")
    is_told = any(changes.get(name, getattr(before, name)) for name in names)
    if changes.get("mode") == "on" and source and not is_told:
        raise BadSetting(
            "Жеребьёвка ждёт внешнее значение: впишите его или проведите её без него.",
            setting="outside",
        )


def _is_later(settings: RoomSettings, now_ms: int) -> bool:
    return settings.opens_at is None or settings.opens_at > now_ms


def _anew(before: RoomSettings, now_ms: int) -> dict[str, Any]:
    """A new line has a lottery of its own, and a value from outside of its own."""
    new = max(before.generation + 1, now_ms // 1000)
    lottery = new if before.mode == "scheduled" else 0
    return {"generation": new, "lottery": lottery, "outside": "", "without_outside": False}


def _own(before: RoomSettings, asked: dict[str, Any], begins: bool) -> dict[str, Any]:  # noqa: FBT001  # one of one kind
    """Nobody has said yet that the lottery which begins here may do without."""
    goes_without = asked.get("without_outside", False)
    return {"lottery": before.generation, "without_outside": goes_without} if begins else {}


def _armed_at(before: RoomSettings, after: RoomSettings, now_ms: int) -> int:
    """A line that people stand in goes on when the room becomes automatic, and an automatic room
    that an operator stops is armed at once.
    """
    if after.mode != "auto":
        return 0
    if before.mode == "auto" and before.armed_at:
        return before.armed_at
    return now_ms if before.mode == "on" or after.state != "open" else 0
