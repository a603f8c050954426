"""How the line and the lane of the invited are called to one gate."""

from pathlib import Path
from random import Random

import httpx
import pytest
from redis.asyncio import Redis

from kernel.clock import ManualClock
from tests.web.room_site import EVENT, Site
from tests.web.test_room_lane import ROOM, invited, join
from waitingroom.programs import GateBusy


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


async def test_both_lines_are_called_by_their_parts_and_each_in_its_order(site: Site):
    await site.open(rate_per_minute=600, lane_share=25)
    line = [site.visitor() for _ in range(100)]
    for visitor in line:
        await join(visitor)
    lane = [await invited(site) for _ in range(50)]
    entered = await claims_of(site, line, lane, seconds=5)
    assert 45 <= len(entered["line"]) + len(entered["lane"]) <= 60
    snapshot = site.rooms.snapshot(EVENT)
    assert snapshot.lane
    called = snapshot.serving + snapshot.lane.serving
    assert abs(snapshot.lane.serving / called - 0.25) < 0.05
    assert abs(len(entered["lane"]) / 50 - 0.25) < 0.1


async def test_a_part_that_one_line_does_not_use_goes_to_the_other(site: Site):
    await site.open(rate_per_minute=600, lane_share=1)
    lane = [await invited(site) for _ in range(30)]
    assert len((await claims_of(site, [], lane, seconds=2))["lane"]) >= 18
    line = [site.visitor() for _ in range(40)]
    for visitor in line:
        await join(visitor)
    # Few of the invited who are left come between them now.
    entered = await claims_of(site, line, lane, seconds=4)
    assert len(entered["line"]) >= 25


async def claims_of(
    site: Site, line: list[httpx.AsyncClient], lane: list[httpx.AsyncClient], *, seconds: float
) -> dict[str, set[int]]:
    """Everybody who was called claims every quarter of a second, in any order; who was let in."""
    chance, entered = Random(1), {"line": set[int](), "lane": set[int]()}
    for _ in range(round(seconds * 4)):
        await site.move(0.25)
        snapshot = site.rooms.snapshot(EVENT)
        serving = {"line": snapshot.serving, "lane": snapshot.lane.serving if snapshot.lane else 0}
        called = [
            (name, number, people[number - 1])
            for name, people in (("line", line), ("lane", lane))
            for number in range(1, min(serving[name], len(people)) + 1)
            if number not in entered[name]
        ]
        chance.shuffle(called)
        for name, number, visitor in called:
            if (await visitor.post(f"{ROOM}/claims")).status_code == 201:
                entered[name].add(number)
    return entered


async def test_two_lines_stand_before_one_gate(site: Site):
    """Whoever comes, the rate and the ceiling are the room's, and nothing is banked."""
    await site.open(rate_per_minute=60, ceiling=3, lane_share=50)
    line = [site.visitor() for _ in range(12)]
    for visitor in line:
        await join(visitor)
    lane = [await invited(site) for _ in range(12)]
    await site.move(30)
    entered = await claims_of(site, line, lane, seconds=8)
    assert len(entered["line"]) + len(entered["lane"]) == 3, "the ceiling is of both together"
    assert site.rooms.snapshot(EVENT).in_flight == 3
    await site.rooms.configure(EVENT, {"ceiling": 100}, "Dana")
    before = site.clock.ms()
    more = await claims_of(site, line, lane, seconds=8)
    seconds = (site.clock.ms() - before) / 1000
    again = sum(len(numbers) for numbers in entered.values())
    assert sum(len(numbers) for numbers in more.values()) - again <= 1 + seconds


async def test_at_a_slow_rate_the_lines_take_turns(site: Site):
    await site.open(rate_per_minute=6, lane_share=50)
    line = [site.visitor() for _ in range(12)]
    for visitor in line:
        await join(visitor)
    lane = [await invited(site) for _ in range(12)]
    entered = await claims_of(site, line, lane, seconds=60)
    assert abs(len(entered["line"]) - len(entered["lane"])) <= 1
    assert len(entered["line"]) + len(entered["lane"]) >= 6


async def test_programs_do_not_overtake_the_invited_who_wait(site: Site):
    await site.open(mode="auto", rate_per_minute=600, ceiling=100)
    await site.rooms.configure(EVENT, {"state": "paused"}, "Dana")
    await site.rooms.reader.refresh()
    await invited(site)
    await site.move(1)
    await site.rooms.configure(EVENT, {"state": "open", "ceiling": 1}, "Dana")
    with pytest.raises(GateBusy) as refused:
        await site.rooms.admit(EVENT, "a program")
    assert refused.value.extra["reason"] == "waiting"
