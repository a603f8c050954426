"""The shop's Redis is emptied, or killed and comes back empty or old, in the middle of the sale:
selling goes on by itself within seconds, and who pays notices nothing.
"""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from redis import Redis

from tests.house import House, until
from tests.process.shoppers import Shopper, shopping
from tests.process.test_stores_gone import assert_whole, pids, sold

pytestmark = pytest.mark.process
# A busy machine; where nothing else runs it is two.
BELIEVED_S = 4.0


def remember(house: House, old: Path) -> None:
    """A folder in Redis 7, a file in Redis 6."""
    old.mkdir()
    for one in memory_of(house):
        copy = shutil.copytree if one.is_dir() else shutil.copy
        copy(one, old / one.name)


def memory_of(house: House) -> list[Path]:
    return list((house.data / "redis-shop").glob("appendonly*"))


@contextmanager
def nobody_restarts(house: House) -> Iterator[None]:
    """The supervisor looks away, so that files can be changed under a dead Redis."""
    assert house.process is not None
    supervisor = house.process
    found = [supervisor, *supervisor.children(recursive=True)]
    keeper = next(one for one in found if " biletter up" in " ".join(one.cmdline()))
    keeper.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        keeper.send_signal(signal.SIGCONT)


def kill_redis(house: House) -> None:
    process = psutil.Process(house.pid_of("redis-shop"))
    process.kill()
    assert until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def flush(house: House, _: Path) -> None:
    shell = house.run("env").stdout
    url = next(line for line in shell.splitlines() if "REDIS_SHOP_URL" in line).partition("=")[2]
    with Redis.from_url(url.strip("'\"")) as redis:
        redis.flushall()


def drop_memory(house: House) -> None:
    for one in memory_of(house):
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()


def begin_empty(house: House, _: Path) -> None:
    with nobody_restarts(house):
        kill_redis(house)
        drop_memory(house)


def come_back_old(house: House, old: Path) -> None:
    with nobody_restarts(house):
        kill_redis(house)
        drop_memory(house)
        for one in old.iterdir():
            copy = shutil.copytree if one.is_dir() else shutil.copy
            copy(one, house.data / "redis-shop" / one.name)


def state_of(shop: httpx.Client, booking: int) -> dict[str, object]:
    found: dict[str, object] = shop.get(f"/api/bookings/{booking}").json()
    return found


def chosen(buyer: Shopper, shop: httpx.Client) -> tuple[int, int]:
    """A booking that holds a seat and goes no further: their ids."""
    event = buyer.events[0]
    booking = shop.post("/api/bookings", json={"event_id": event}).json()["id"]
    listed = shop.get(f"/api/seats?event_id={event}&status=FREE&pageSize=1").json()
    seat = {"booking_id": booking, "seat_id": listed[0]["id"]}
    assert shop.patch("/api/seats/select", json=seat).status_code == httpx.codes.OK
    return booking, seat["seat_id"]


@pytest.mark.parametrize(
    "lose", [flush, begin_empty, come_back_old], ids=lambda lose: lose.__name__
)
def test_who_pays_notices_nothing_and_who_chose_is_asked_to_choose_again(
    server: House, tmp_path: Path, lose: Callable[[House, Path], None]
) -> None:
    before = pids(server)
    old = tmp_path / "old"
    remember(server, old)
    paying, choosing, third = (Shopper(server, n, threading.Event()) for n in (10, 11, 12))
    with paying.clients() as (shop, web), choosing.clients() as (mine, _), third.clients() as late:
        placed = paying.place(shop)
        assert placed is not None
        booking, seat = chosen(choosing, mine)
        with shopping(server) as shoppers:
            assert until(lambda: sold(shoppers) >= 2)
            lose(server, old)
            lost_at, so_far = time.monotonic(), sold(shoppers)
            assert until(lambda: sold(shoppers) >= so_far + 2)
        # What each process believes of Redis may be a second old (sales.epochs): until then an old
        # copy may seem true, and only the checkout would find out.
        assert until(lambda: time.monotonic() > lost_at + BELIEVED_S, BELIEVED_S + 1)
        # The one who was choosing: nothing is held, a word why, and the way is open.
        # A first call may still meet a connection of before, and be told to try again.
        assert until(lambda: state_of(mine, booking).get("seats") == [])
        answer = mine.patch("/api/bookings/initiatePayment", json={"booking_id": booking})
        assert (answer.status_code, answer.json()["reason"]) == (400, "hold-over")
        again = mine.patch("/api/seats/select", json={"booking_id": booking, "seat_id": seat})
        assert again.status_code == httpx.codes.OK
        # The one at the gateway's page: the seat is nobody else's, and the card is accepted.
        seats = state_of(shop, placed[0])["seats"]
        assert isinstance(seats, list)
        other = late[0].post(
            "/api/bookings", json={"event_id": state_of(shop, placed[0])["event_id"]}
        )
        wanted = {"booking_id": other.json()["id"], "seat_id": seats[0]["id"]}
        assert late[0].patch("/api/seats/select", json=wanted).status_code == 419
        paying.submit(web, *placed)
        assert until(lambda: state_of(shop, placed[0])["state"] == "paid")
    assert_whole(server, [*shoppers], before)
