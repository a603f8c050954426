"""The contract at an event of which only a part was given to us."""

import asyncio
from collections import Counter

import pytest

from sales.geometry import Zone, seat_id
from tests.halls import build_event, give_places
from tests.web.api_calls import act, book, problem, select
from tests.web.api_stand import api_stand

# Any forty of the first, row 5 of the second, nothing of the third.
ZONES = tuple(
    Zone(n + 1, f"Зона {n + 1}", 500_000, 4 * n + 1, (30,) * 4, 120 * n, 120) for n in range(3)
)
ROW = [*range(120, 150)]
CALLERS, COUNT = 100, 40


@pytest.fixture
async def stand(db, redis_shop, clock, tmp_path):
    async with api_stand(db, redis_shop, clock, tmp_path) as made:
        yield made


async def test_a_hundred_callers_get_forty_and_everything_told_is_true(db, stand):
    event = await build_event(db, ZONES, ownership="allotment")
    await give_places(db, event, 1, COUNT)
    await give_places(db, event, 2, seats=ROW)
    async with stand.api("aru") as aru, stand.api("bek") as bek:
        told = (await aru.get("/api/analytics", params={"id": event})).json()
        assert (told["total_seats"], told["free_seats"]) == (360, COUNT + len(ROW))
        bookings = await asyncio.gather(*(book(aru, event) for _ in range(CALLERS)))

        async def take(n: int) -> tuple[int, str]:
            if n % 2:
                answer = await select(aru, bookings[n], seat_id(event, n))
            else:
                body = {"booking_id": bookings[n], "zone": 1, "count": 1}
                answer = await aru.patch("/api/seats/best", json=body)
            code = "" if answer.is_success else answer.json()["error"]
            return answer.status_code, code

        answers = await asyncio.gather(*map(take, range(CALLERS)))
        got = Counter(answers)
        assert sum(n for (status, _), n in got.items() if status < 300) == COUNT, got
        assert {status for status, _ in got} <= {200, 201, 419}
        stand.clock.advance(1)
        free = await aru.get("/api/seats", params={"event_id": event, "status": "FREE"})
        assert {seat["row"] for seat in free.json()} == {5}
        for row, statuses in ((6, {"RESERVED"}), (12, {"RESERVED"}), (5, {"FREE"})):
            page = await aru.get("/api/seats", params={"event_id": event, "row": row})
            assert {seat["status"] for seat in page.json()} == statuses
        told = (await aru.get("/api/analytics", params={"id": event})).json()
        assert (told["free_seats"], told["reserved_seats"]) == (len(ROW), 360 - len(ROW))
        other = await book(bek, event)
        for seat, code in ((150, "outside-allotment"), (300, "outside-allotment"), (119, None)):
            refused = problem(await select(bek, other, seat_id(event, seat)))
            assert refused[0] == 419
            assert refused[1] == (code or refused[1])
        mine = next(n for n, (status, _) in enumerate(answers) if status < 300)
        await act(aru, "cancel", bookings[mine])
        stand.clock.advance(1)
        assert (await select(bek, other, seat_id(event, 119))).status_code == 200
