"""The pre-queue, its draw and what follows, with everything that may happen on the way: leaders
that die between two steps, clocks that jump, people who come and go at the very opening.
"""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from biletter.engines.launch import Engine
from kernel.keyring import Keyring
from tests.model.lives import run_lives
from tests.model.plain_room import MINUTE_MS, PlainRoom
from tests.model.test_room_machine import EVENT, PEOPLE, RoomMachine
from waitingroom.entries import Entry
from waitingroom.lottery import Lottery
from waitingroom.settings import RoomSettings
from waitingroom.store import RoomAway

OPENS_IN_S = 20
FENCE = 1
DAY_MS = 86_400_000


class PlainPrequeue(PlainRoom):
    """Before the draw nobody is called; at the opening everybody's number changes at once."""

    cohort: int | None = None
    is_drawn = False

    def tick(self, now: int) -> int:
        if self.is_drawn:
            return super().tick(now)
        self.state, state = "held", self.state
        super().tick(now)
        self.state = state
        return 0

    def draw(self, number_of: Any, now: int) -> None:
        assert self.cohort is not None
        pair = (now // MINUTE_MS, now // MINUTE_MS + 1)
        self.heard = {(number_of(entrant), at) for entrant, at in self.heard if at in pair}
        self.heard |= {(n, at) for n in range(self.cohort + 1, self.issued + 1) for at in pair}
        self.places = {who: number_of(entrant) for who, entrant in self.places.items()}
        self.spent = {number_of(entrant) for entrant in self.spent}
        self.is_drawn = True


class PrequeueMachine(RoomMachine):
    model: PlainPrequeue

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainPrequeue(rate=60, ceiling=3, grace_s=30, pass_s=30)
        self.run(self.redis.flushall())
        self.opens_ms = self.clock.ms() + OPENS_IN_S * 1000
        fields = RoomSettings(
            mode="scheduled",
            prequeue_at=self.clock.ms() - 10 * DAY_MS,  # jumps back stay after it
            opens_at=self.opens_ms,
            rate_per_minute=60,
            ceiling=3,
            grace_seconds=30,
            pass_seconds=30,
        )
        self.run(self.rooms.open(EVENT, fields))
        self.run(self.rooms.reader.refresh())
        self.generation = self.rooms.snapshot(EVENT).settings.generation
        self.place_of: Any = None

    def number_of(self, entry: Entry) -> int:
        if self.place_of is None or entry.generation != self.generation:
            return entry.number
        assert self.model.cohort is not None
        return self.place_of(entry.number) if entry.number <= self.model.cohort else entry.number

    def look(self, entry: Entry) -> tuple[str, Any]:
        """A look at a place that is nobody's sign of life."""
        told = self.code(self.rooms.place(entry))
        self.rooms.signs._noted.clear()
        return told

    def _advance(self, dies_at: int | None = None) -> None:
        """One step of the schedule; the leader dies before its call number `dies_at`."""
        model, due = self.model, self.clock.ms() >= self.opens_ms
        if not model.is_drawn and model.cohort is None and due:
            model.cohort = model.issued
        store = self.rooms.advance.__self__._store  # type: ignore[attr-defined]  # a bound method
        whole, calls = store.run, 0

        async def run(*asked: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == dies_at:
                raise RoomAway
            return await whole(*asked)

        store.run = run
        try:
            done = self.run(self.rooms.advance(EVENT, FENCE))
        except RoomAway:
            return
        finally:
            store.run = whole
        assert done == ("drawn" if not model.is_drawn and model.cohort is not None else "nothing")
        if done == "drawn":
            self._follow()

    def _follow(self) -> None:
        self.run(self.rooms.reader.refresh())
        told = self.rooms.lottery(self.rooms.snapshot(EVENT))
        assert (told.count, told.generation) == (self.model.cohort, self.generation)
        assert told.seed is not None
        assert told.count is not None
        lottery = Lottery(EVENT, self.generation, told.count, told.seed)
        assert lottery.commitment == told.commitment
        self.place_of = lottery.permutation()
        entry = Entry(EVENT, self.generation, 0, "", 0)
        self.model.draw(
            lambda n: self.number_of(Entry(EVENT, entry.gen, n, "", 0)), self.clock.ms()
        )

    @rule(ms=st.sampled_from([50, 250, 250, 1000, 5000]), times=st.integers(1, 12))
    def tick(self, ms: int, times: int) -> None:
        for _ in range(times):
            self.clock.advance(ms / 1000)
            self._advance()
            called = self.model.tick(self.clock.ms())
            told = self.run(self.rooms.tick(EVENT, fence=FENCE))
            assert (told.moved, told.serving) == (called, self.model.serving)

    @rule(at=st.integers(2, 5), who=st.sampled_from(PEOPLE), leaves=st.booleans())
    def a_leader_dies_at_the_opening(self, at: int, who: str, leaves: bool) -> None:  # noqa: FBT001  # drawn
        """And before the next one leads, somebody comes, or goes."""
        if not self.model.is_drawn:
            self.clock.advance(max(0, self.opens_ms - self.clock.ms()) / 1000)
        self._advance(dies_at=at)
        if leaves:
            self.leave(who)
        else:
            self.join(who)

    @rule()
    def somebody_says_open_now(self) -> None:
        if not self.model.is_drawn:
            self.opens_ms = min(self.opens_ms, self.clock.ms())
        self.run(self.rooms.configure(EVENT, {"mode": "on"}, "Dana"))

    @rule()
    def nobody_announces_another_draw(self) -> None:
        if self.model.is_drawn and self.model.issued:
            code, _ = self.code(self.rooms.configure(EVENT, {"mode": "scheduled"}, "Dana"))
            assert code == "room-started"

    @rule(who=st.sampled_from(PEOPLE), other=st.sampled_from(PEOPLE))
    def a_place_passes_to_an_account(self, who: str, other: str) -> None:
        """Only between those whose numbers are still waiting: the rest is told in tests/lua."""
        entry = self.entries.get(who)
        if entry is None or who == other or self.model.state in ("closed", "drained"):
            return
        mine, theirs = self.model.places.get(who), self.model.places.get(other)
        both = [number for number in (mine, theirs) if number is not None]
        if mine != self.number_of(entry) or any(n <= self.model.serving for n in both):
            return
        joined = self.run(self.rooms.join(EVENT, other, entry=entry, device=who))
        assert joined.entry.number == min(both)
        self.model.spent |= set(both) - {min(both)}
        del self.model.places[who]
        self.model.places[other] = min(both)
        self.entries[other] = joined.entry
        self.heard(other, "again")

    @invariant()
    def nobody_knows_their_number_before_the_draw(self) -> None:
        if self.model.is_drawn:
            return
        for who, entry in self.entries.items():
            if self.model.places.get(who) == entry.number:
                _, place = self.look(entry)
                assert (place.number, place.entrant) == (None, entry.number)

    @invariant()
    def everybody_has_the_number_that_was_drawn(self) -> None:
        if not self.model.is_drawn:
            return
        for who, number in self.model.places.items():
            entry = self.entries.get(who)
            if entry is None or self.number_of(entry) != number or number <= self.model.serving:
                continue
            code, place = self.look(entry)
            if code == "no-entry":  # given up, and seen by the reader
                assert number in self.model.spent
            else:
                assert place.number == number


@pytest.mark.parametrize("machine", [PrequeueMachine])
def test_the_pre_queue_keeps_its_promises(rooms_engine: Engine, machine: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        RoomMachine.url = rooms_engine.url
        RoomMachine.keyring = Keyring(Path(folder))
        run_lives(machine, count=25, steps=30)
