"""The contract's ten users at a real automatic room, disarmed, arming and armed: sales and the room
speak with each other as their processes do.
"""

import asyncio
import contextlib
from typing import Any

import httpx
import pytest

from accounts.accounts import Newcomer
from biletter.room_desk import HttpRoomDesk
from biletter.room_modes import PolledRoomModes
from kernel.service_tokens import ServiceTokens
from kernel.values import EventId
from tests.halls import big_zones, build_event
from tests.web.api_calls import problem
from tests.web.api_stand import HOST as SALES
from tests.web.api_stand import api_stand
from tests.web.room_site import HOST, Site

GOOD, BAD, ROUNDS = 7, 3, 3
THRESHOLDS = {"arm_requests": 40, "disarm_requests": 10, "disarm_seconds": 30}


class Town:
    """The shop, the room, and what passes between them every second."""

    def __init__(self, stand, room, modes, event_id: int) -> None:
        self.stand, self.room, self.modes, self.event_id = stand, room, modes, event_id
        self.wire = room.visitor()

    async def second(self) -> None:
        await self.modes.talk(self.wire, [EventId(self.event_id)])
        await self.room.move(1)
        await self.modes.talk(self.wire, [EventId(self.event_id)])

    def user(self, number: int) -> httpx.AsyncClient:
        auth = (f"user-{number}@demo.biletter.kz", f"password-{number}")
        transport = httpx.ASGITransport(self.stand.app)
        return httpx.AsyncClient(transport=transport, base_url=SALES, auth=auth)

    async def rounds(self) -> list[bool]:
        """Ten users, three of whom never sign in; how each try of the seven went."""
        users = [self.user(number) for number in range(GOOD + BAD)]
        tries: list[bool] = []
        for _ in range(ROUNDS):
            tries += await asyncio.gather(*(self.buy(one) for one in users[:GOOD]))
            for stranger in users[GOOD:]:
                answer = await stranger.post("/api/bookings", json={"event_id": self.event_id})
                assert answer.status_code == 401
            await self.second()
        return tries

    async def buy(self, user: httpx.AsyncClient) -> bool:
        """As the contract's booking test does."""
        booked = await user.post("/api/bookings", json={"event_id": self.event_id})
        if booked.status_code != 201:
            return False
        asked: dict[str, Any] = {"event_id": self.event_id, "status": "FREE", "pageSize": 5}
        seat = (await user.get("/api/seats", params=asked)).json()[0]["id"]
        chosen = {"booking_id": booked.json()["id"], "seat_id": seat}
        if (await user.patch("/api/seats/select", json=chosen)).status_code != 200:
            return False
        mine = {one["id"]: one["seats"] for one in (await user.get("/api/bookings")).json()}
        return bool(mine[booked.json()["id"]] == [{"id": seat}])


@pytest.fixture
async def town(db, redis_shop, redis_rooms, clock, tmp_path):
    event_id = await build_event(db, big_zones(100, 100, 1), guarded=True)
    room = Site(redis_rooms, clock, tmp_path)
    tokens = ServiceTokens(room.keyring, lambda: clock.ms() / 1000)
    modes, desk = PolledRoomModes(HOST, tokens, "sales:1"), HttpRoomDesk(HOST, tokens)
    desk._client = room.visitor()
    await room.open(event_id, mode="auto", **THRESHOLDS)
    async with api_stand(db, redis_shop, clock, tmp_path, modes=modes, desk=desk) as stand:
        await stand.accounts.ensure_many(
            [Newcomer(f"user-{n}@demo.biletter.kz", f"password-{n}") for n in range(GOOD)]
        )
        made = Town(stand, room, modes, event_id)
        await made.second()
        yield made


async def arm(town: Town) -> None:
    await town.room.rooms.hear(town.event_id, "others", [(0, 100)])
    await town.second()


async def test_disarmed_everybody_books(town: Town):
    await town.room.rooms.configure(town.event_id, {"arm_requests": 10_000}, "Dana")
    assert await town.rounds() == [True] * GOOD * ROUNDS
    assert town.room.rooms.snapshot(town.event_id).in_flight == 0


async def test_armed_everybody_books_through_the_gate(town: Town):
    await arm(town)
    assert await town.rounds() == [True] * GOOD * ROUNDS
    seen = town.room.rooms.snapshot(town.event_id)
    assert (seen.implicit, seen.in_flight) == (GOOD, GOOD)


async def test_their_own_requests_arm_it_on_the_way_and_nobody_notices(town: Town):
    assert await town.rounds() == [True] * GOOD * ROUNDS
    assert town.room.rooms.snapshot(town.event_id).state == "open"
    assert town.modes.armed_at(town.event_id) is not None
    assert town.room.rooms.snapshot(town.event_id).in_flight == 0


async def test_when_people_wait_a_program_is_told_so_and_those_inside_go_on(town: Town):
    await arm(town)
    early, late = town.user(0), town.user(1)
    assert await town.buy(early)
    await town.room.rooms.configure(town.event_id, {"ceiling": 1}, "Dana")
    await town.room.visitor().post(f"/rooms/{town.event_id}/entries")
    answer = await late.post("/api/bookings", json={"event_id": town.event_id})
    assert problem(answer) == (429, "pass-needed")
    assert answer.json()["reason"] == "waiting"
    assert 'rel="queue"' in answer.headers["link"]
    await town.second()
    assert await town.buy(early)


async def test_without_the_room_nobody_new_is_let_in(town: Town):
    await arm(town)
    assert await town.buy(town.user(0))
    with contextlib.suppress(httpx.HTTPError):
        lost = httpx.AsyncClient(transport=httpx.MockTransport(_nobody), base_url=HOST)
        town.stand.desk._client = lost
        await town.modes.talk(lost, [EventId(town.event_id)])
    answer = await town.user(1).post("/api/bookings", json={"event_id": town.event_id})
    assert problem(answer) == (503, "room-away")
    town.room.clock.advance(1)
    assert await town.buy(town.user(0))


def _nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)
