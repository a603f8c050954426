"""The room's Redis stands still in the middle of the star's sale: whoever is inside shops on."""

import contextlib
import signal
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.house import House, until

pytestmark = pytest.mark.process
STAR = 1
# Of the simulated crowd: other tests are about the people with names.
ARU, BEK = ((f"crowd-0{n}@demo.biletter.kz", f"crowd-0{n}") for n in (4998, 4999))


@contextlib.contextmanager
def standing_still(house: House, name: str) -> Iterator[None]:
    """Neither answers nor closes a connection: the worst way to be away."""
    process = psutil.Process(house.pid_of(name))
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def client(house: House, duty: str, who=None) -> httpx.Client:
    return httpx.Client(base_url=house.address(duty), auth=who, timeout=60)


def join(house: House, who) -> tuple[httpx.Client, dict[str, str]]:
    room = client(house, "waitingroom")
    joined = room.post(f"/rooms/{STAR}/entries", auth=who)
    assert joined.status_code in (200, 201), joined.text
    return room, {"authorization": f"Entry {joined.json()['entry']}"}


def test_with_the_rooms_redis_away_those_inside_shop_on(server: House) -> None:
    room, header = join(server, ARU)
    token = ""

    def is_in() -> bool:
        nonlocal token
        answer = room.post(f"/rooms/{STAR}/claims", headers=header)
        token = answer.json().get("pass", "")
        return bool(token)

    assert until(is_in)
    shop = client(server, "sales", ARU)
    shop.headers["x-queue-pass"] = token
    waiting, place = join(server, BEK)
    number = waiting.get(f"/rooms/{STAR}/entries/me", headers=place).json()["number"]
    with standing_still(server, "redis-rooms"):
        booking = shop.post("/api/bookings", json={"event_id": STAR})
        assert booking.status_code == 201, booking.text
        seats = shop.get("/api/seats", params={"event_id": STAR, "status": "FREE", "pageSize": 1})
        chosen = shop.patch(
            "/api/seats/select",
            json={"booking_id": booking.json()["id"], "seat_id": seats.json()[0]["id"]},
        )
        assert chosen.status_code == 200, chosen.text
        answer = waiting.post(f"/rooms/{STAR}/heartbeats", headers=place)
        assert (answer.status_code, answer.json()["code"]) == (503, "room-away")
        page = waiting.get(f"/queue/{STAR}", headers={**place, "accept": "text/html"})
        assert page.status_code == 200
        assert str(number) in page.text
    back = f"/rooms/{STAR}/entries/me"
    assert until(lambda: waiting.get(back, headers=place).json().get("number") == number)
    cancelled = shop.patch("/api/bookings/cancel", json={"booking_id": booking.json()["id"]})
    assert cancelled.status_code == 200
    for one in (room, shop, waiting):
        one.close()
