"""due, crowd, carry, draw, drawn, follow, and what a draw changes for join: one test an answer."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.lua.room_bench import EVENT, GENERATION, START_MS, Bench
from waitingroom import keys

NEXT = GENERATION + 1
OPENS_MS = START_MS + 10_000


class DrawBench(Bench):
    async def announce(self, **fields: Any) -> None:
        times = {"prequeue_at": START_MS, "opens_at": OPENS_MS}
        await self.open(mode="scheduled", lottery=GENERATION, **times | fields)

    async def due(self, fence: int = 1, generation: int = GENERATION, after_ms: int = 0) -> Any:
        self.now_ms += after_ms
        names = [keys.settings(EVENT), keys.line(EVENT, generation), keys.draw(EVENT)]
        names.append(keys.changes(EVENT))
        return await self._run("due", names, [generation, fence, self.now_ms, '{"at":0}', 5])

    async def crowd(self, known: int = 0, more: int = 10, generation: int = GENERATION) -> Any:
        names = [keys.settings(EVENT), keys.left(EVENT, generation)]
        names += keys.live_pair(EVENT, generation, self.now_ms)
        return await self._scripts.run("crowd", names, [generation, known, more])

    async def carry(self, before: int, *numbers: int, generation: int = GENERATION) -> Any:
        names = [keys.settings(EVENT), keys.left(EVENT, NEXT), keys.done(EVENT, NEXT)]
        return await self._run("carry", names, [generation, before, *numbers])

    async def draw(self, fence: int = 1, generation: int = GENERATION) -> Any:
        names = [keys.settings(EVENT), keys.line(EVENT, GENERATION), keys.line(EVENT, NEXT)]
        names += [keys.draw(EVENT), keys.left(EVENT, GENERATION), keys.left(EVENT, NEXT)]
        names += [*keys.live_pair(EVENT, NEXT, self.now_ms), keys.changes(EVENT)]
        args = [generation, fence, self.now_ms, "5eed", b"\x60", b"\x20", 180, '{"at":0}', 5]
        return await self._run("draw", names, args)

    async def drawn(self) -> Any:
        return await self._run("drawn", [keys.settings(EVENT), keys.draw(EVENT)], [])

    async def follow(self, who: str, entrant: int, number: int, generation: int = NEXT) -> Any:
        names = [keys.settings(EVENT), keys.places(EVENT, GENERATION, who.encode())]
        names.append(keys.places(EVENT, NEXT, who.encode()))
        return await self._run("follow", names, [generation, who, entrant, number])

    async def join_next(self, who: str, lines: Sequence[int] = (NEXT, GENERATION)) -> Any:
        names = [keys.settings(EVENT), keys.line(EVENT, NEXT), keys.done(EVENT, NEXT)]
        names += [keys.knocked(EVENT, NEXT), keys.leases(EVENT)]
        names += [*keys.live_pair(EVENT, NEXT, self.now_ms)]
        names += [keys.places(EVENT, gen, who.encode()) for gen in lines]
        reply = await self._run("join", names, [NEXT, self.now_ms, 180, NEXT, 0, who])
        return reply[1:] or reply


@pytest.fixture
def room(redis_rooms: Redis) -> DrawBench:
    return DrawBench(redis_rooms)


async def test_no_room_no_draw(room: DrawBench):
    for call in (
        room.due(),
        room.carry(0, 1),
        room.draw(),
        room.drawn(),
        room.follow("aru", 1, 1),
    ):
        assert await call == ["unknown"]
    assert (await room.crowd())[0] == b"unknown"
    assert await room.redis.keys("*") == []


async def test_no_draw_of_a_line_that_is_over(room: DrawBench):
    await room.announce()
    for call in (
        room.due(generation=GENERATION - 1),
        room.carry(0, 1, generation=GENERATION - 1),
        room.draw(generation=GENERATION - 1),
        room.follow("aru", 1, 1),
    ):
        assert await call == ["generation", str(GENERATION)]
    assert await room.crowd(generation=GENERATION - 1) == [b"generation", b"%d" % GENERATION]


async def test_nobody_joins_before_the_pre_queue(room: DrawBench):
    await room.announce(prequeue_at=START_MS + 5_000)
    assert await room.join("aru") == ["soon", START_MS + 5_000]
    room.now_ms += 5_000
    assert await room.join("aru") == ["joined", 1]
    room.now_ms -= 5_000
    assert await room.join("aru") == ["again", 1]


async def test_without_a_pre_queue_nobody_joins_before_the_opening(room: DrawBench):
    await room.open(mode="scheduled", lottery=GENERATION, opens_at=OPENS_MS)
    assert await room.join("aru") == ["soon", OPENS_MS]


async def test_nobody_is_called_before_the_draw(room: DrawBench):
    await room.announce()
    await room.join("aru")
    await room.tick(0)
    assert await room.tick(1_000) == ["still", 0]
    assert await room.claim("aru", 1) == ["not-called", 0]


async def test_nothing_is_due_before_the_opening(room: DrawBench):
    await room.announce()
    await room.join("aru")
    assert await room.due(after_ms=9_999) == ["nothing"]
    assert await room.due(after_ms=1) == ["draw", 1, ""]


async def test_whom_the_opening_counts_stays_counted(room: DrawBench):
    await room.announce(outside="f00d")
    await room.join("aru")
    assert await room.due(after_ms=10_000) == ["draw", 1, "f00d"]
    await room.join("bek")
    await room.set(outside="other", opens_at=OPENS_MS + 1_000_000)
    assert await room.due(after_ms=-20_000) == ["draw", 1, "f00d"]


@pytest.mark.parametrize(
    ("given", "outside"), [({"outside": "f00d"}, "f00d"), ({"without_outside": 1}, "")]
)
async def test_a_draw_whose_source_was_named_waits_for_its_value_or_the_word_to_go_without(
    room: DrawBench, given: dict[str, Any], outside: str
):
    await room.announce(outside_source="drand 42", closes_at=OPENS_MS + 60_000)
    await room.join("aru")
    assert await room.due(after_ms=10_000) == ["awaits", 1]
    await room.join("bek")
    # Neither a later comer, nor another source, nor a forgotten count changes what was counted.
    await room.set(outside_source="")
    assert await room.due() == ["awaits", 1]
    await room.set(outside_source="drand 42")
    await room.redis.delete(keys.draw(EVENT))
    assert await room.due() == ["awaits", 1]
    await room.set(**given)
    assert await room.due() == ["draw", 1, outside]
    await room.set(outside="too late")
    assert await room.due() == ["draw", 1, outside]
    assert await room.draw() == ["drawn", str(NEXT)]
    assert (await room.drawn())[-1] == "drand 42"


async def test_a_draw_that_waits_does_not_keep_the_room_from_closing(room: DrawBench):
    await room.announce(outside_source="drand 42", closes_at=OPENS_MS + 1_000)
    assert await room.due(after_ms=10_000) == ["awaits", 0]
    assert await room.due(after_ms=1_000) == ["closed"]
    assert await room.due() == ["awaits", 0]


async def test_an_older_leader_opens_and_draws_nothing(room: DrawBench):
    await room.announce()
    await room.tick(0, fence=9)
    assert await room.due(fence=8, after_ms=10_000) == ["fenced"]
    assert await room.due(fence=9) == ["draw", 0, ""]
    assert await room.draw(fence=8) == ["fenced"]


async def test_an_opened_room_that_is_not_scheduled_draws_nothing(room: DrawBench):
    await room.open(opens_at=OPENS_MS)
    assert await room.due(after_ms=10_000) == ["nothing"]
    assert await room.draw() == ["nothing"]
    assert await room.drawn() == ["none", str(GENERATION)]


async def test_a_room_closes_once_for_each_end(room: DrawBench):
    await room.open(closes_at=OPENS_MS)
    assert await room.due(after_ms=10_000) == ["closed"]
    assert await room.redis.hget(keys.settings(EVENT), "state") == b"closed"
    assert await room.redis.hget(keys.settings(EVENT), "version") == b"2"
    assert await room.redis.lrange(keys.changes(EVENT), 0, 5) == [b'{"at":%d}' % room.now_ms]
    await room.set(state="open")
    assert await room.due(after_ms=60_000) == ["nothing"]
    await room.set(closes_at=room.now_ms + 1)
    assert await room.due(after_ms=1) == ["closed"]


async def test_a_room_that_is_off_is_not_closed(room: DrawBench):
    await room.open(mode="off", closes_at=OPENS_MS)
    assert await room.due(after_ms=10_000) == ["nothing"]


async def test_the_crowd_is_told_in_pages(room: DrawBench):
    await room.announce()
    for who in ("aru", "bek", "dana"):
        await room.join(who)
    await room.leave("aru", 1)
    await room.leave("dana", 3)
    told = await room.crowd(known=0, more=1)
    assert told == [b"crowd", [b"1"], b"\x20", b"\x20"]
    assert (await room.crowd(known=1, more=10))[1] == [b"3"]


async def test_leavers_are_carried_once(room: DrawBench):
    await room.announce()
    assert await room.carry(0, 5, 6) == ["carried", 2]
    assert await room.carry(0, 5, 6) == ["elsewhere", 2]
    assert await room.carry(2, 7) == ["carried", 3]
    assert await room.redis.lrange(keys.left(EVENT, NEXT), 0, -1) == [b"5", b"6", b"7"]
    assert [await room.redis.getbit(keys.done(EVENT, NEXT), n) for n in (4, 5, 6, 7)] == [
        0,
        1,
        1,
        1,
    ]


async def test_no_draw_while_a_leaver_is_not_carried(room: DrawBench):
    await room.announce()
    await room.join("aru")
    await room.due(after_ms=10_000)
    await room.leave("aru", 1)
    assert await room.draw() == ["more", 1]
    await room.carry(0, 1)
    assert await room.draw() == ["drawn", str(NEXT)]


async def test_the_draw_begins_the_next_line_once(room: DrawBench):
    await room.announce()
    for who in ("aru", "bek"):
        await room.join(who)
    await room.due(after_ms=10_000)
    await room.join("dana")
    assert await room.draw(fence=4) == ["drawn", str(NEXT)]
    assert await room.draw(fence=4) == ["generation", str(NEXT)]
    settings = await room.redis.hgetall(keys.settings(EVENT))
    assert (settings[b"mode"], settings[b"generation"], settings[b"version"]) == (b"on", b"8", b"2")
    line = await room.redis.hgetall(keys.line(EVENT, NEXT))
    assert line == {b"issued": b"3", b"fence": b"4"}
    # Drawn numbers 1 and 2 as told, and 3 who came in between.
    live, live_next = keys.live_pair(EVENT, NEXT, room.now_ms)
    assert await room.redis.get(live) == b"\x70"
    assert await room.redis.get(live_next) == b"\x30"
    told = ["drawn", "8", "7", "2", "5eed", "", str(room.now_ms), ""]
    assert await room.drawn() == told


async def test_an_entrant_follows_once(room: DrawBench):
    await room.announce()
    await room.join("aru")
    await room.due(after_ms=10_000)
    await room.draw()
    assert await room.follow("bek", 0, 0) == ["gone"]
    assert await room.follow("aru", 2, 9) == ["gone"]
    assert await room.join_next("aru", [NEXT]) == ["drawn"]
    assert await room.join_next("aru") == ["cohort", 1]
    assert await room.follow("aru", 0, 0) == ["entrant", 1]
    assert await room.follow("aru", 1, 1) == ["followed"]
    assert await room.follow("aru", 1, 1) == ["gone"]
    assert await room.join_next("aru") == ["again", 1]
    assert await room.join_next("bek") == ["joined", 2]


async def test_a_lottery_is_announced_only_where_nobody_has_a_number(room: DrawBench):
    await room.open()
    assert await room.configure(1, empty=True, version=2) == ["changed"]
    await room.join("aru")
    assert await room.configure(2, empty=True, version=3) == ["started"]
    assert await room.configure(2, version=3) == ["changed"]
