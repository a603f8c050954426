"""Places in line: join, look, stay, leave."""

from random import Random
from typing import Literal

import msgspec

from kernel.clock import Clock
from kernel.errors import Conflict
from kernel.lua import word
from waitingroom import keys
from waitingroom.entries import Entry, EntryBook, GenerationOver, NoEntry
from waitingroom.pace import Eta, eta_of, poll_after_ms
from waitingroom.reader import Reader
from waitingroom.signs import LIVE_TTL_S, Signs
from waitingroom.snapshot import Snapshot
from waitingroom.store import RoomAway, Store

# Passed: over, while absent. Whoever asks is not absent and waits for the very next call.
Stage = Literal["waiting", "passed", "called", "inside", "lapsed", "over"]


class RoomOff(Conflict):
    """Очереди сейчас нет, вход свободный."""

    code = "room-off"


class RoomClosed(Conflict):
    """Очередь закрыта, новых мест не выдаём."""

    code = "room-closed"


class Place(msgspec.Struct, frozen=True):
    """Where a visitor stands. `position` is 1 for the next to be called and 0 for the called;
    `state` is the room's word, `stage` the visitor's own: lapsed came too late, over was let in
    and is no longer.
    """

    number: int
    position: int
    ahead: int
    eta: Eta | None
    called: bool
    state: str
    stage: Stage
    poll_after_ms: int
    # What part of the way since the join is done, 0 to 1.
    progress: float
    # The number called last.
    serving: int
    # What the operator tells the waiting; may be empty.
    message: str
    # How old all this is; above 0 while Redis doesn't answer.
    age_s: int


class Joined(msgspec.Struct, frozen=True):
    """`is_new` tells a first join from a repeat; `token` is the signed entry."""

    entry: Entry
    token: str
    place: Place
    is_new: bool


class Line:
    def __init__(  # noqa: PLR0917  # the parts of a room, wired in one place
        self,
        store: Store,
        reader: Reader,
        signs: Signs,
        book: EntryBook,
        clock: Clock,
        chance: Random,
    ) -> None:
        self._store = store
        self._memory = reader.memory
        self._signs = signs
        self._reader = reader
        self._book = book
        self._clock = clock
        self._chance = chance

    async def join(
        self, event: int, subject: str, *, entry: Entry | None = None, device: str | None = None
    ) -> Joined:
        """A place for the subject; the same one however often it joins. When the entry is of
        this very device and the subject is somebody else (who signed in since), the place
        becomes the subject's. Raises RoomOff, RoomClosed, RoomUnknown, RoomAway.
        """
        self._reader.of(event)
        if entry is not None and device is not None and entry.subject == device != subject:
            await self._adopt(entry, subject)
        known = self._memory.of(event)
        if entry is not None and entry.subject == subject and known and known.has_recovered:
            await self._store.heal(entry)
        who, now_ms = keys.member(subject), self._clock.ms()
        reply = await self._store.run_in_line(
            "join",
            event,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.places(event, gen, who),
                keys.done(event, gen),
                keys.knocked(event, gen),
                keys.leases(event),
                *keys.live_pair(event, gen, now_ms),
            ],
            [who, now_ms, LIVE_TTL_S, *self._memory.floor(event)],
        )
        if word(reply) == "off":
            raise RoomOff
        if word(reply) == "closed":
            raise RoomClosed
        assert word(reply) in ("joined", "again"), reply
        generation = await self._store.generation(event)
        snapshot, number = self._reader.of(event), int(reply[1])
        self._memory.issued(event, generation, number)
        came_at = snapshot.serving
        if entry is not None and (entry.generation, entry.number) == (generation, number):
            came_at = entry.srv
        mine = Entry(event, generation, number, subject, now_ms // 1000, came_at)
        is_new = word(reply) == "joined"
        place = self._waiting(snapshot, mine) if is_new else await self.place(mine)
        return Joined(mine, self._book.write(mine), place, is_new)

    async def place(self, entry: Entry) -> Place:
        """From memory while waiting; Redis is asked only about a number that was called, and
        when it doesn't answer, the called are told what memory knows. Raises NoEntry,
        GenerationOver.
        """
        snapshot = self._reader.of(entry.event)
        if entry.generation < snapshot.settings.generation:
            raise GenerationOver
        if snapshot.has_left(entry.number):
            raise NoEntry
        if entry.number > snapshot.serving or entry.generation > snapshot.settings.generation:
            self._signs.note(entry)
            return self._waiting(snapshot, entry)
        try:
            stage = await self._look(entry)
            if stage == "passed":
                await self._signs.beat(entry, is_passed=True)
        except RoomAway:
            stage = "called"
        if stage in ("waiting", "passed"):
            return self._waiting(snapshot, entry)
        return self._called(snapshot, entry, stage)

    async def heartbeat(self, entry: Entry) -> None:
        """The waiter is still here. Raises GenerationOver."""
        snapshot = self._reader.of(entry.event)
        if entry.generation < snapshot.settings.generation:
            raise GenerationOver
        await self._signs.beat(entry, is_passed=entry.number <= snapshot.serving)

    async def leave(self, entry: Entry) -> None:
        """Give the place up; who was let in stays counted till their visit ends. Raises NoEntry."""
        who, event, now_ms = keys.member(entry.subject), entry.event, self._clock.ms()
        reply = await self._store.run_for_entry(
            "leave",
            entry,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.places(event, gen, who),
                keys.done(event, gen),
                keys.left(event, gen),
                *keys.live_pair(event, gen, now_ms),
            ],
            [who, entry.number],
        )
        if word(reply) == "gone":
            raise NoEntry

    async def _adopt(self, entry: Entry, subject: str) -> None:
        """Nothing to adopt (it ended, or the line started anew) is no error: the join decides."""
        giver, taker, event = keys.member(entry.subject), keys.member(subject), entry.event
        try:
            await self._store.run_for_entry(
                "adopt",
                entry,
                lambda gen: [
                    keys.settings(event),
                    keys.line(event, gen),
                    keys.places(event, gen, giver),
                    keys.places(event, gen, taker),
                    keys.done(event, gen),
                    keys.left(event, gen),
                ],
                [giver, taker, entry.number],
            )
        except GenerationOver:
            return

    async def _look(self, entry: Entry) -> Stage:
        who, event = keys.member(entry.subject), entry.event
        reply = await self._store.run_for_entry(
            "look",
            entry,
            lambda gen: [
                keys.settings(event),
                keys.line(event, gen),
                keys.places(event, gen, who),
                keys.done(event, gen),
                keys.knocked(event, gen),
                keys.leases(event),
                keys.called(event, gen),
            ],
            [who, entry.number, self._clock.ms()],
        )
        if word(reply) == "gone":
            raise NoEntry
        stages: dict[str, Stage] = {
            "waiting": "waiting",
            "passed": "passed",
            "called": "called",
            "inside": "inside",
            "lapsed": "lapsed",
            "over": "over",
        }
        return stages[word(reply)]

    def _waiting(self, snapshot: Snapshot, entry: Entry) -> Place:
        ahead = snapshot.ahead_of(entry.number)
        eta = eta_of(snapshot, entry.number)
        way = max(1, entry.number - entry.srv)
        return Place(
            number=entry.number,
            position=ahead + 1,
            ahead=ahead,
            eta=eta,
            called=False,
            state=snapshot.state,
            stage="waiting",
            poll_after_ms=poll_after_ms(eta, called=False, chance=self._chance),
            progress=round(min(1.0, max(0, snapshot.serving - entry.srv) / way), 4),
            serving=snapshot.serving,
            message=snapshot.settings.message,
            age_s=self._reader.age_s,
        )

    def _called(self, snapshot: Snapshot, entry: Entry, stage: Stage) -> Place:
        return Place(
            number=entry.number,
            position=0,
            ahead=0,
            eta=Eta(0, 0),
            called=True,
            state=snapshot.state,
            stage=stage,
            poll_after_ms=poll_after_ms(None, called=True, chance=self._chance),
            progress=1.0,
            serving=snapshot.serving,
            message=snapshot.settings.message,
            age_s=self._reader.age_s,
        )
