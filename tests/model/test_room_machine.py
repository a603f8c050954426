"""Anything that visitors, operators, sales and time can do, in any order, on real Redis: every
answer is the plain model's, and the promises hold.
"""

import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)
from redis.asyncio import Redis

from biletter.engines.launch import Engine
from kernel.clock import ManualClock
from kernel.errors import Refusal
from kernel.keyring import Keyring
from tests.model.lives import run_lives
from tests.model.plain_room import PlainRoom
from waitingroom import keys
from waitingroom.claims import Admitted
from waitingroom.entries import Entry
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings

EVENT = 1
PEOPLE = [f"v{i}" for i in range(12)]
RATES, CEILINGS = st.sampled_from([1, 30, 60, 600, 6000]), st.integers(1, 6)
STATES = st.sampled_from(["open", "open", "open", "paused", "held", "closed", "drained"])
WHO = st.sampled_from(PEOPLE)
MINUTE_MS = 60_000


class RoomMachine(RuleBasedStateMachine):
    url: ClassVar[str]
    keyring: ClassVar[Keyring]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.redis = Redis.from_url(self.url)
        self.rooms = Rooms(
            self.redis,
            clock=self.clock,
            keyring=self.keyring,
            chance=Random(1),
            gate_clock=self.clock,
        )
        self.entries: dict[str, Entry] = {}
        self.passes: dict[str, str] = {}
        self.owners: dict[str, tuple[str, int]] = {}
        # Rates that were in force, with the moment each began.
        self.rates: list[tuple[int, int]] = [(self.clock.ms(), 60)]
        self.model = PlainRoom(rate=60, ceiling=3, grace_s=30, pass_s=30)
        self.run(self.redis.flushall())
        fields = RoomSettings(rate_per_minute=60, ceiling=3, grace_seconds=30, pass_seconds=30)
        self.run(self.rooms.open(EVENT, fields))
        self.run(self.rooms.reader.refresh())

    def run(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self.runner.run(wait())

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.runner.close()

    def number_of(self, entry: Entry) -> int:
        """What the entry's number is by now."""
        return entry.number

    def side(self, entry: Entry) -> PlainRoom:
        """The plain line that the entry's number is of."""
        del entry
        return self.model

    def code(self, work: Awaitable[Any]) -> tuple[str, Any]:
        """`done` and the result, or the refusal's code."""
        try:
            return "done", self.run(work)
        except Refusal as refusal:
            return refusal.code, None

    @rule(who=WHO)
    def join(self, who: str) -> None:
        expected, number = self.model.join(who, self.clock.ms())
        code, joined = self.code(self.rooms.join(EVENT, who))
        if expected == "closed":
            assert code == "room-closed"
            return
        assert (code, joined.entry.number) == ("done", number)
        assert joined.is_new == (expected == "joined")
        if joined.is_new:
            self.passes.pop(who, None)
        self.entries[who] = joined.entry
        self.heard(who, expected)

    def heard(self, who: str, said: str) -> None:
        """Who joins again and waits has asked for their place, which is a sign of life."""
        self.run(self.rooms.signs.flush())
        entry, now = self.entries[who], self.clock.ms()
        side, number = self.side(entry), self.number_of(entry)
        if said == "again" and side.stage(who, number, now) == "waiting":
            side.beat(number, now)

    @precondition(lambda self: self.entries)
    @rule(who=WHO, whose=WHO)
    def claim(self, who: str, whose: str) -> None:
        """Mostly one's own number, sometimes somebody else's."""
        entry = self.entries.get(whose)
        if entry is None:
            return
        if not self.model.is_inside(who, self.clock.ms()):
            self.passes.pop(who, None)  # the next one is of another visit
        expected = self.side(entry).claim(who, self.number_of(entry), self.clock.ms())
        mine = Entry(EVENT, entry.gen, entry.num, who, 0, lane=entry.lane)
        code, admitted = self.code(self.rooms.claim(mine))
        if expected == "admitted":
            assert code == "done"
            assert self.passes.setdefault(who, admitted.token) == admitted.token
            self._note_admission(who, admitted)
        else:
            assert code == {"gone": "no-entry"}.get(expected, expected)

    def _note_admission(self, who: str, admitted: Admitted) -> None:
        """A pass is somebody's for good, and nobody comes in above the ceiling."""
        owner = (who, admitted.visit.number)
        if admitted.visit.jti not in self.owners:
            now_ms = self.clock.ms()
            inside = self.run(self.redis.zcount(keys.leases(EVENT), f"({now_ms}", "+inf"))
            assert inside <= self.model.ceiling
        assert self.owners.setdefault(admitted.visit.jti, owner) == owner

    @rule(who=WHO)
    def heartbeat(self, who: str) -> None:
        if who in self.entries:
            number = self.number_of(self.entries[who])
            side = self.side(self.entries[who])
            is_given_away = side.places.get(who) != number in side.places.values()
            if not is_given_away:
                side.beat(number, self.clock.ms())
            code = self.code(self.rooms.heartbeat(self.entries[who]))[0]
            # Of a number that was used a process may have heard a moment before.
            is_used = code == "no-entry" and number in side.spent
            assert is_used or code == ("no-entry" if is_given_away else "done")

    @rule(who=WHO)
    def poll(self, who: str) -> None:
        """A look at one's place tells what the model says, and is a sign of life."""
        if who not in self.entries:
            return
        entry = self.entries[who]
        side = self.side(entry)
        expected = side.poll(who, self.number_of(entry), self.clock.ms())
        code, place = self.code(self.rooms.place(entry))
        if expected == "gone":
            assert code == "no-entry" or place.stage == "waiting"
            return
        assert (code, place.stage) == ("done", "waiting" if expected == "passed" else expected)
        self.run(self.rooms.signs.flush())
        if expected == "waiting":
            side.beat(self.number_of(entry), self.clock.ms())

    @rule()
    def everybody_joins(self) -> None:
        for who in PEOPLE:
            self.join(who)

    @rule(chance=st.randoms(use_true_random=False))
    def everybody_claims(self, chance: Random) -> None:
        for who in chance.sample(PEOPLE, len(PEOPLE)):
            if who in self.entries:
                self.claim(who, who)

    @rule(who=WHO)
    def leave(self, who: str) -> None:
        if who not in self.entries:
            return
        entry = self.entries[who]
        expected = self.side(entry).leave(who, self.number_of(entry), self.clock.ms())
        code, _ = self.code(self.rooms.leave(self.entries[who]))
        assert code == {"left": "done", "inside": "inside"}.get(expected, "no-entry")

    @rule(who=WHO)
    def free(self, who: str) -> None:
        assert self.run(self.rooms.free(EVENT, who)) == self.model.free(who)
        if who in self.passes:
            del self.passes[who]

    @rule(who=WHO, seconds=st.integers(1, 100))
    def keep(self, who: str, seconds: int) -> None:
        until = self.clock.ms() + seconds * 1000
        is_late = not self.model.is_inside(who, self.clock.ms())
        if is_late and self.model.in_flight(self.clock.ms()) >= self.model.ceiling:
            return  # exceeds the ceiling by design, told apart in tests/lua
        assert self.run(self.rooms.keep(EVENT, who, until)) == self.model.keep(who, until)

    @rule(ms=st.sampled_from([50, 250, 250, 1000, 5000]), times=st.integers(1, 12))
    def tick(self, ms: int, times: int) -> None:
        for _ in range(times):
            self.clock.advance(ms / 1000)
            called = self.model.tick(self.clock.ms())
            told = self.run(self.rooms.tick(EVENT, fence=1))
            assert (told.moved, told.serving) == (called, self.model.serving)

    @rule(seconds=st.sampled_from([0.001, 0.5, 1, 10, 46, 3600, -2, -3600]))
    def time_passes_or_jumps_back(self, seconds: float) -> None:
        self.clock.advance(seconds)
        if seconds < 0:
            # What happened "later" cannot be placed in any minute any more.
            self.model.gate.admitted_at.clear()

    @rule(rate=RATES, ceiling=CEILINGS, state=STATES)
    def configure(self, rate: int, ceiling: int, state: str) -> None:
        changes = {"rate_per_minute": rate, "ceiling": ceiling, "state": state}
        self.run(self.rooms.configure(EVENT, changes, "Dana"))
        self.model.rate, self.model.ceiling, self.model.state = rate, ceiling, state
        self.rates.append((self.clock.ms(), rate))

    @invariant()
    def the_numbers_are_the_models(self) -> None:
        assert self.run(self.rooms.reader.refresh())
        seen = self.rooms.snapshot(EVENT)
        told = (seen.issued, seen.serving, seen.in_flight)
        model = self.model
        assert told == (model.issued, model.serving, model.in_flight(self.clock.ms()))
        assert seen.serving <= seen.issued

    @invariant()
    def no_minute_admits_more_than_rate_and_burst(self) -> None:
        """Counted with the highest rate in force in that minute."""
        moments = self.model.gate.admitted_at
        for first, start in enumerate(moments):
            count = sum(start <= moment < start + MINUTE_MS for moment in moments[first:])
            rate = self._highest_rate(start, start + MINUTE_MS)
            assert count <= rate + max(1, rate // 60)

    def _highest_rate(self, start: int, end: int) -> int:
        ends = [begin for begin, _ in self.rates[1:]] + [end]
        return max(
            (rate for (begin, rate), over in zip(self.rates, ends, strict=True)
             if begin < end and over >= start),
            default=max(rate for _, rate in self.rates),
        )  # fmt: skip


class AutomaticMachine(RoomMachine):
    """The same room, automatic and armed, so that programs without a place come as well."""

    def __init__(self) -> None:
        super().__init__()
        key = keys.settings(EVENT)
        self.run(self.redis.hset(key, mapping={"mode": "auto", "armed_at": "1"}))

    @rule(who=WHO)
    def program(self, who: str) -> None:
        expected = self.model.program(who, self.clock.ms())
        code, admitted = self.code(self.rooms.admit(EVENT, who))
        if expected == "gate-busy":
            assert code == expected
            return
        assert code == "done"
        if expected == "admitted":
            assert admitted.visit.number == 0
            self.passes[who] = admitted.token
        assert self.passes.setdefault(who, admitted.token) == admitted.token
        self._note_admission(who, admitted)

    @rule(chance=st.randoms(use_true_random=False))
    def everybodys_programs(self, chance: Random) -> None:
        for who in chance.sample(PEOPLE, len(PEOPLE)):
            self.program(who)

    @rule()
    def the_line_is_served(self) -> None:
        """Otherwise somebody would nearly always wait."""
        for who in PEOPLE:
            self.leave(who)
        self.tick(ms=1000, times=12)


@pytest.mark.parametrize("machine", [RoomMachine, AutomaticMachine])
def test_the_room_keeps_its_promises_whatever_happens(
    rooms_engine: Engine, machine: type[RoomMachine]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        RoomMachine.url = rooms_engine.url
        RoomMachine.keyring = Keyring(Path(folder))
        run_lives(machine, count=25, steps=30)
