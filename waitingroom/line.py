"""Places in line: join, look, stay, leave."""

from random import Random
from types import MappingProxyType

import msgspec
from prometheus_client import Counter

from kernel.clock import Clock
from kernel.errors import Conflict
from kernel.lua import word
from waitingroom import keys
from waitingroom.entries import Entry, EntryBook, GenerationOver, NoEntry
from waitingroom.hands import Hands
from waitingroom.invitations import Invitation
from waitingroom.joins import Joins, Said
from waitingroom.lane import Lane
from waitingroom.place import Place, PlaceTeller, Stage
from waitingroom.reader import Reader
from waitingroom.signs import Signs
from waitingroom.snapshot import Snapshot, iso
from waitingroom.store import RoomAway, Store

# People leave and are let in: a place may be free a little later.
FULL_RETRY_S = 30
FULL = Counter("room_full", "Joins refused because the room gives no more places", ["event"])


class RoomOff(Conflict):
    """Очереди сейчас нет, вход свободный."""

    code = "room-off"
    told = MappingProxyType({"enter_url": "https://shop.example/events/1"})


class RoomClosed(Conflict):
    """Очередь закрыта, новых мест не выдаём."""

    code = "room-closed"


class RoomFull(Conflict):
    """Ждущих уже столько, что новых мест в очереди пока не даём."""

    code = "room-full"
    told = MappingProxyType({"retry_after_s": 30, "places_max": 50_000})


class RoomSoon(Conflict):
    """Очередь ещё не открылась."""

    code = "room-soon"
    told = MappingProxyType({"retry_after_s": 600, "begins_at": "2026-06-01T12:00:00.000Z"})


class Inside(Conflict):
    """Вас уже впустили. Место внутри освободится, когда вы закончите покупку или выйдете сами."""

    code = "inside"
    told = MappingProxyType({"leave_url": "https://shop.example/leave"})


class Joined(msgspec.Struct, frozen=True, gc=False):
    """`is_new` tells a first join from a repeat; `token` is the signed entry."""

    entry: Entry
    token: str
    place: Place
    is_new: bool


class Line:
    def __init__(
        self,
        store: Store,
        reader: Reader,
        hands: Hands,
        signs: Signs,
        book: EntryBook,
        *,
        clock: Clock,
        chance: Random,
    ) -> None:
        self._store = store
        self._memory = reader.memory
        cohort = self._cohort = hands.cohort
        self._joins = Joins(store, reader.memory, clock)
        self.lane = Lane(store, reader, cohort, clock)
        self._hands = hands
        self._signs = signs
        self._reader = reader
        self._book = book
        self._clock = clock
        self._says = PlaceTeller(reader, chance)

    async def join(
        self,
        event: int,
        subject: str,
        *,
        entry: Entry | None = None,
        device: str | None = None,
        invite: Invitation | None = None,
    ) -> Joined:
        """A place for the subject; the same one however often it joins. When the entry is of
        this very device and the subject is somebody else (who signed in since), the place
        becomes the subject's. Whoever is invited gets one in the lane instead. Raises RoomOff,
        RoomSoon, RoomClosed, RoomFull, InviteUsed, RoomUnknown, RoomAway.
        """
        self._reader.of(event)
        if entry is not None:
            if device is not None and entry.subject == device != subject:
                await self._hands.adopt(entry, subject)
            await self._heal(entry, subject)
        in_lane = await self.lane.admits(event, subject, invite, entry)
        said, number, line = await self._take(event, subject, lane=in_lane)
        if said == b"again" and await self._hands.disown(event, subject, line, number):
            said, number, line = await self._take(event, subject, lane=in_lane)
        if said == b"cohort":
            await self._cohort.settle(event, subject, number)
            said, number, line = await self._take(event, subject)
        if said == b"cohort":  # another line began in between
            raise RoomAway
        if in_lane:
            await self.lane.leave_line(event, subject)
        mine = self._entry(event, subject, number, line, entry)
        is_new = said == b"joined"
        snapshot = self._reader.of(event)
        if is_new and not snapshot.settings.is_staff(subject):
            place = self._says.waiting(snapshot.line_of(mine), mine)
        else:
            place = await self.place(mine)
        return Joined(mine, self._book.write(mine), place, is_new)

    def _entry(
        self, event: int, subject: str, number: int, line: keys.LineId, came_with: Entry | None
    ) -> Entry:
        snapshot, generation = self._reader.of(event), keys.generation_of(line)
        lane = line.lane if isinstance(line, keys.LaneId) else 0
        lot = not lane and snapshot.settings.lottery == generation
        now_s = self._clock.ms() // 1000
        if came_with is None and not lane:
            mine = Entry(event, generation, number, subject, now_s, snapshot.serving, lot)
            return self._hands.held(mine, None)
        mine = Entry(event, generation, number, subject, now_s, 0, lot, lane)
        had = snapshot.present(came_with) if came_with is not None else None
        if had is None or (had.line, had.number) != (line, number):
            had = None
        came_at = had.srv if had else snapshot.line_of(mine).serving
        return self._hands.held(msgspec.structs.replace(mine, srv=came_at), had)

    async def _heal(self, entry: Entry, subject: str) -> None:
        if entry.subject != subject:
            return
        known = self._memory.of(entry.event, lane=bool(entry.lane))
        if known and known.has_recovered:
            await self._store.heal(await self._cohort.follow(entry))

    async def _take(self, event: int, subject: str, *, lane: bool = False) -> Said:
        """`joined` or `again` with the number, or `cohort` with the entrant's."""
        said = await self._joins.take(event, keys.member(subject), lane=lane)
        what, field, _ = said
        if what == b"off":
            raise RoomOff
        if what == b"closed":
            raise RoomClosed
        if what == b"full":
            FULL.labels(event).inc()
            raise RoomFull(retry_after_s=FULL_RETRY_S, places_max=field)
        if what == b"soon":
            wait_s = max(1, -(-(field - self._clock.ms()) // 1000))
            raise RoomSoon(retry_after_s=wait_s, begins_at=iso(field))
        assert what in (b"joined", b"again", b"cohort"), said
        return said

    async def place(self, entry: Entry) -> Place:
        """From memory while waiting; Redis is asked only about a number that was called, and
        when it doesn't answer, the called are told what memory knows. Raises NoEntry,
        GenerationOver.
        """
        snapshot = self._reader.of(entry.event)
        came_with, entry = entry, snapshot.present(entry)
        if entry.generation < snapshot.settings.generation:
            raise GenerationOver
        self._memory.check_owner(entry)
        snapshot = snapshot.line_of(entry)
        if snapshot.settings.is_staff(entry.subject):
            return await self._of_staff(snapshot, came_with)
        if snapshot.has_left(entry.number):
            raise NoEntry
        if entry.number > snapshot.serving or entry.generation > snapshot.settings.generation:
            self._signs.note(entry)
            return self._says.waiting(snapshot, entry)
        try:
            stage = await self._look(came_with)
            if stage == "passed":
                await self._signs.beat(entry, is_passed=True)
        except RoomAway:
            stage = "called"
        if stage in ("waiting", "passed"):
            return self._says.waiting(snapshot, entry)
        return self._says.called(snapshot, entry, stage)

    async def _of_staff(self, snapshot: Snapshot, entry: Entry) -> Place:
        """Staff needn't be called."""
        stage = await self._look(entry)
        if stage not in ("inside", "over"):
            stage = "called"
        return self._says.called(snapshot, snapshot.present(entry), stage)

    async def heartbeat(self, entry: Entry) -> None:
        """The waiter is still here. Raises GenerationOver, NoEntry: whoever has left is not, nor
        is whoever gave the place away.
        """
        snapshot = self._reader.of(entry.event)
        if entry.generation < snapshot.settings.generation:
            raise GenerationOver
        self._memory.check_owner(entry)
        snapshot = snapshot.line_of(entry)
        if snapshot.has_left(entry.number):
            raise NoEntry
        await self._signs.beat(entry, is_passed=entry.number <= snapshot.serving)

    async def leave(self, entry: Entry) -> None:
        """Give the place up. Raises Inside: who was let in stays counted till their visit ends;
        NoEntry, also when it has ended.
        """
        self._memory.check_owner(entry)
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
                keys.leases(event),
            ],
            [who, entry.number, now_ms],
        )
        self._signs.forget(entry)
        if word(reply) == "inside":
            raise Inside
        if word(reply) != "left":
            raise NoEntry

    async def _look(self, entry: Entry) -> Stage:
        entry = await self._cohort.follow(entry)
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
