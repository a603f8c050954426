"""The seat map as the page's script asks for it."""

from base64 import b64decode

import httpx
import pytest

from kernel.web.app import build_app
from kernel.web.links import Links
from sales.catalogue import Catalogue
from sales.holds import Holds
from sales.seatmap import SeatMaps
from sales.web.seatmap import routes
from tests.halls import build_event

BEK = 1
LINKS = Links(ports={"sales": 18300, "waitingroom": 18301, "admin": 18302})


@pytest.fixture
def holds(redis_shop, db, clock):
    return Holds(redis_shop, db, Catalogue(db, clock), clock)


@pytest.fixture
async def browser(holds, clock):
    app = build_app("test", routes, links=LINKS, provide={"seatmaps": SeatMaps(holds.store, clock)})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:18300") as client:
        yield client


def states(answer: httpx.Response, count: int) -> list[int]:
    packed = b64decode(answer.json()["seats"])
    return [(packed[i >> 2] >> ((i & 3) << 1)) & 3 for i in range(count)]


async def test_geometry_is_told_once_and_kept(browser, db):
    event = await build_event(db)
    answer = await browser.get(f"/events/{event}/zones/2/geometry.json")
    assert answer.json() == {
        "event_id": event,
        "zone_no": 2,
        "name": "Балкон",
        "price": "3000.00",
        "first_row": 3,
        "row_sizes": [4],
        "first_seat": 7,
        "seat_count": 4,
    }
    assert "max-age=3600" in answer.headers["cache-control"]
    tag = {"if-none-match": answer.headers["etag"]}
    again = await browser.get(f"/events/{event}/zones/2/geometry.json", headers=tag)
    assert (again.status_code, again.content) == (304, b"")


async def test_states_come_when_the_zone_changed_and_only_then(browser, holds, db, clock):
    event = await build_event(db)
    first = await browser.get(f"/events/{event}/zones/1/seats")
    assert states(first, 7) == [0] * 7
    assert len(b64decode(first.json()["seats"])) == 2
    version = first.json()["version"]
    since = f"/events/{event}/zones/1/seats?since={version}"
    assert (await browser.get(since)).status_code == 204

    await holds.hold(event, 10, BEK, [8])
    clock.advance(0.2)
    assert (await browser.get(since)).status_code == 204, "another zone changed"

    await holds.hold(event, 10, BEK, [1])
    await holds.sell(event, 10, [1])
    clock.advance(0.2)
    changed = await browser.get(since)
    assert changed.status_code == 200
    assert states(changed, 7) == [0, 2, 0, 0, 0, 0, 0]
    assert changed.json()["version"] > version


async def test_counts_of_zones_add_up(browser, holds, db):
    event = await build_event(db)
    await holds.hold(event, 10, BEK, [1, 8])
    await holds.sell(event, 10, [8])
    await holds.hold(event, 11, BEK, [0])
    answer = await browser.get(f"/events/{event}/zones/counts")
    assert answer.json()["zones"] == [
        {"zone_no": 1, "total": 7, "free": 5, "held": 2, "sold": 0},
        {"zone_no": 2, "total": 4, "free": 3, "held": 0, "sold": 1},
    ]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/events/{event}/zones/3/seats", 404, "zone-unknown"),
        ("/events/{event}/zones/3/geometry.json", 404, "zone-unknown"),
        ("/events/9999999/zones/1/seats", 404, "event-unknown"),
        ("/events/9223372036854775808/zones/1/seats", 404, "event-unknown"),
        ("/events/0/zones/counts", 404, "event-unknown"),
        ("/events/{event}/zones/1/seats?since=yesterday", 400, "bad-input"),
        ("/events/{event}/zones/1/seats?since=-1", 400, "bad-input"),
        ("/events/{event}/zones/one/seats", 404, "not-found"),
    ],
)
async def test_what_does_not_exist_is_refused_clearly(browser, db, path, status, code):
    event = await build_event(db)
    answer = await browser.get(path.format(event=event))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
