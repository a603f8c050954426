"""Simulated visitors, who do what the queue page does, on the same clock as the room."""

import asyncio
import heapq
from random import Random

from biletter.simulation.rules import EVENT
from biletter.simulation.scenarios import Habit
from kernel.errors import Refusal
from waitingroom.claims import GateFull, NotCalled, RoomShut
from waitingroom.entries import Entry
from waitingroom.pace import eta_of, is_near, poll_after_ms
from waitingroom.room import Rooms
from waitingroom.snapshot import Snapshot

# A request's way there and back, s.
WAY_S = (0.03, 0.3)
JOIN_PAGE = 500


class Visitor:
    __slots__ = ("entry", "habit")

    def __init__(self, habit: Habit) -> None:
        self.habit = habit
        self.entry: Entry | None = None


class Crowd:
    def __init__(self, rooms: Rooms, habits: list[Habit], chance: Random) -> None:
        self._rooms = rooms
        self._chance = chance
        self._visitors = [Visitor(habit) for habit in habits]
        self._joined = 0
        # When who acts next; the number makes ties run in the same order every time.
        self._due: list[tuple[float, int]] = []
        self.admitted = 0
        # Present and yet lapsed; seconds between the first knock and the door.
        self.lost = 0
        self._knocked_s: dict[int, float] = {}
        self.waits_s: list[float] = []

    async def act(self, now_s: float) -> None:
        """Everything that visitors do up to this moment."""
        await self._join(now_s)
        snapshot, claimers = self._rooms.snapshot(EVENT), []
        while self._due and self._due[0][0] <= now_s:
            due_s, who = heapq.heappop(self._due)
            if self._is_present(self._visitors[who].habit, due_s, who) and self._poll(
                snapshot, due_s, who
            ):
                claimers.append(who)
        results = await asyncio.gather(*(self._claim(who, now_s) for who in claimers))
        self.admitted += sum(results)

    async def _join(self, now_s: float) -> None:
        coming = self._visitors[self._joined :]
        ready = 0
        while ready < len(coming) and coming[ready].habit.comes_s <= now_s:
            ready += 1
        for start in range(0, ready, JOIN_PAGE):
            page = coming[start : min(ready, start + JOIN_PAGE)]
            names = [f"s{self._joined + i}" for i in range(len(page))]
            joined = await asyncio.gather(*(self._rooms.join(EVENT, name) for name in names))
            for visitor, answer in zip(page, joined, strict=True):
                visitor.entry = answer.entry
                self._again(self._joined, now_s, answer.place.poll_after_ms / 1000)
                self._joined += 1

    def _is_present(self, habit: Habit, now_s: float, who: int) -> bool:
        """Who went for good does nothing more; who is away acts when back."""
        if now_s >= habit.goes_s:
            return False
        start_s, end_s = habit.away_s
        if start_s <= now_s < end_s:
            self._again(who, end_s, 0.0)
            return False
        return True

    def _poll(self, snapshot: Snapshot, now_s: float, who: int) -> bool:
        """Whether the page now claims."""
        visitor = self._visitors[who]
        entry = visitor.entry
        assert entry is not None, "polls begin with the join"
        if entry.number <= snapshot.serving and not visitor.habit.is_stale:
            return True
        self._rooms.signs.note(entry)
        eta = eta_of(snapshot, entry.number)
        near = is_near(snapshot, entry.number)
        wait_ms = poll_after_ms(eta, called=False, chance=self._chance, is_near=near)
        self._again(who, now_s, wait_ms / 1000)
        return False

    async def _claim(self, who: int, now_s: float) -> bool:
        entry = self._visitors[who].entry
        assert entry is not None, "as above"
        try:
            await self._rooms.claim(entry)
        except (GateFull, RoomShut, NotCalled) as refusal:
            self._knocked_s.setdefault(who, now_s)
            self._again(who, now_s, float(refusal.headers["Retry-After"]))
            return False
        except Refusal:
            self.lost += 1
            return False
        self.waits_s.append(now_s - self._knocked_s.pop(who, now_s))
        return True

    def _again(self, who: int, now_s: float, after_s: float) -> None:
        heapq.heappush(self._due, (now_s + after_s + self._chance.uniform(*WAY_S), who))
