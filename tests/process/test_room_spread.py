"""The room on several Redis processes: a master with a replica and a sentinel, and a cluster."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from biletter.engines.binaries import find_redis
from biletter.redis_address import open_redis
from kernel.clock import ManualClock
from kernel.errors import Refusal
from tests.house import PATIENCE_S, free_ports
from tests.web.room_site import EVENT, Site

pytestmark = pytest.mark.process
ROOM = f"/rooms/{EVENT}"
OTHERS = range(2, 8)
SLOTS = 16_384
COMMON = """\
port {port}
bind 127.0.0.1
dir {folder}
save ""
daemonize no
"""
WATCH = """\
sentinel monitor rooms 127.0.0.1 {master} 1
sentinel down-after-milliseconds rooms 400
sentinel failover-timeout rooms 3000
"""


class Fleet:
    """Redis processes on ports in a row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first = free_ports()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, port: int, more: str = "", *flags: str) -> None:
        home = self.folder / str(port)
        home.mkdir()
        settings = home / "redis.conf"
        settings.write_text(COMMON.format(port=port, folder=home) + more)
        self._processes[port] = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "--", find_redis().path, settings, *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def kill(self, port: int) -> None:
        process = self._processes.pop(port)
        process.kill()
        process.wait()

    def end(self) -> None:
        for port in list(self._processes):
            self.kill(port)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.end()


async def until(what) -> None:
    """Asked again and again; errors of Redis mean "not yet"."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(RedisError, OSError, Refusal):
                if await what():
                    return
            await asyncio.sleep(0.05)


async def ask(port: int, *words: str | int):
    redis = Redis(port=port)
    try:
        return await redis.execute_command(*words)
    finally:
        await redis.aclose()


@pytest.fixture
async def watched(fleet: Fleet) -> AsyncIterator[Redis]:
    master, replica, sentinel = (fleet.first + n for n in range(3))
    fleet.start(master)
    fleet.start(replica, f"replicaof 127.0.0.1 {master}\n")
    await until(lambda: ask(master, "PING"))
    fleet.start(sentinel, WATCH.format(master=master), "--sentinel")

    async def is_watched() -> bool:
        found = await ask(sentinel, "SENTINEL", "REPLICAS", "rooms")
        info = await ask(replica, "INFO", "replication")
        return bool(found) and "up" in str(info["master_link_status"])

    await until(is_watched)
    client = open_redis(f"redis+sentinel://127.0.0.1:{sentinel}/rooms")
    yield client
    await client.aclose()
    pool: Any = client.connection_pool
    for watcher in pool.sentinel_manager.sentinels:
        await watcher.aclose()


@pytest.fixture
async def cluster(fleet: Fleet) -> AsyncIterator[Redis]:
    ports = [fleet.first + n for n in range(3)]
    for port in ports:
        fleet.start(port, "cluster-enabled yes\ncluster-node-timeout 2000\n")
    share = -(-SLOTS // len(ports))
    for number, port in enumerate(ports):
        await until(lambda port=port: ask(port, "PING"))
        mine = range(number * share, min(SLOTS, (number + 1) * share))
        await ask(port, "CLUSTER", "ADDSLOTS", *mine)
        await ask(port, "CLUSTER", "MEET", "127.0.0.1", ports[0])

    async def is_whole() -> bool:
        told = [await ask(port, "CLUSTER", "INFO") for port in ports]
        return all(b"cluster_state:ok" in bytes(one) for one in told)

    await until(is_whole)
    client = open_redis(f"redis+cluster://127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}")
    yield client
    await client.aclose()


async def test_after_a_failover_the_line_goes_on_and_no_number_is_given_twice(
    fleet: Fleet, watched: Redis, clock: ManualClock, tmp_path: Path
):
    site = Site(watched, clock, tmp_path)
    await site.open(rate_per_minute=6000, grace_seconds=3600)
    people = [site.visitor(account) for account in range(1, 21)]
    numbers = [(await p.post(f"{ROOM}/entries")).json()["number"] for p in people]
    await site.move(0.5)
    first = await people[0].post(f"{ROOM}/claims")
    assert first.status_code == 201
    fence = await site.rooms.lead("ticker")
    assert fence is not None
    fleet.kill(fleet.first)
    away = await people[0].post(f"{ROOM}/entries")
    assert (away.status_code, away.json()["code"]) == (503, "room-away")

    async def is_back() -> bool:
        return await site.rooms.reader.refresh()

    await until(is_back)
    site.clock.advance(3)
    late = [site.visitor(account) for account in range(21, 26)]
    numbers += [(await p.post(f"{ROOM}/entries")).json()["number"] for p in late]
    assert len(set(numbers)) == len(numbers) == 25
    for number, person in zip(numbers, [*people, *late], strict=True):
        assert (await person.get(f"{ROOM}/entries/me")).json()["number"] == number
    again = await site.rooms.lead("other")
    assert again is None or again >= fence
    # The visit is known on the replica as well, so the repeat is the same pass.
    assert (await people[0].post(f"{ROOM}/claims")).json()["pass"] == first.json()["pass"]
    await site.move(2.0)
    assert (await people[1].post(f"{ROOM}/claims")).status_code == 201


async def test_a_cluster_spreads_rooms_and_each_works_as_ever(
    cluster: Redis, clock: ManualClock, tmp_path: Path
):
    site = Site(cluster, clock, tmp_path)
    for event in (EVENT, *OTHERS):
        await site.open(event, rate_per_minute=6000)
    assert await site.rooms.all_events() == {EVENT, *OTHERS}
    for event in (EVENT, *OTHERS):
        aru, bek = site.visitor(1), site.visitor(2)
        room = f"/rooms/{event}"
        assert [
            (await person.post(f"{room}/entries")).json()["number"] for person in (aru, bek, aru)
        ] == [1, 2, 1]
        await site.move(0.5)
        assert (await aru.get(f"{room}/entries/me")).json()["called"]
        claimed = await aru.post(f"{room}/claims")
        assert claimed.status_code == 201
        assert (await bek.post(f"{room}/heartbeats")).status_code == 204
        assert (await bek.delete(f"{room}/entries/me")).status_code == 204
        assert (await site.rooms.configure(event, {"message": "!"}, "Dana")).message == "!"
        subject = site.rooms.book.read(aru.cookies[f"biletter_entry_{event}"], event).subject
        assert await site.rooms.keep(event, subject, site.clock.ms() + 60_000)
        assert await site.rooms.free(event, subject)
        before = (await site.rooms.settings(event)).generation
        assert (await site.rooms.reset(event, "Dana")).generation > before
    # All on one node would prove nothing.
    nodes = {node_of(cluster, f"room:{{{event}}}:settings") for event in (EVENT, *OTHERS)}
    assert len(nodes) > 1


async def test_a_lost_node_of_a_cluster_takes_no_other_rooms_along(
    fleet: Fleet, cluster: Redis, clock: ManualClock, tmp_path: Path
):
    for port in range(fleet.first, fleet.first + 3):
        await ask(port, "CONFIG", "SET", "cluster-require-full-coverage", "no")
    site = Site(cluster, clock, tmp_path)
    events = (EVENT, *OTHERS)
    for event in events:
        await site.open(event, rate_per_minute=6000)
    at = {event: node_of(cluster, f"room:{{{event}}}:settings") for event in events}
    lost = next(port for port in at.values() if port != node_of(cluster, "room:events"))
    fleet.kill(lost)

    async def join(event: int) -> int:
        return (await site.visitor(1).post(f"/rooms/{event}/entries")).status_code

    for event in events:
        if at[event] == lost:
            assert await join(event) == 503
    for event in events:
        if at[event] != lost:
            # The client learns the cluster's new shape by a call that fails.
            await until(lambda event=event: is_joined(join, event))


async def is_joined(join, event: int) -> bool:
    return bool(await join(event) in (200, 201))


def node_of(cluster: Any, key: str) -> int:
    """The port of the node where the key lies."""
    return int(cluster.get_node_from_key(key).port)
