"""A redis-server that is killed and started again between two calls, unseen by the loop."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionLost

from biletter.redis_address import open_redis
from kernel.clock import SystemClock
from kernel.keyring import Keyring
from kernel.lua import LuaScripts
from tests.process.redis_server import Server
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings
from waitingroom.store import RoomAway

COUNT = "return {'counted', redis.call('INCR', KEYS[1])}"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory(prefix="biletter-restart-") as folder:
        made = Server(Path(folder))
        made.start()
        yield made
        made.kill()


@pytest.fixture
async def redis(server: Server) -> AsyncIterator[Redis]:
    client = open_redis(server.engine.url)
    yield client
    await client.aclose()


async def test_the_first_call_after_a_restart_is_answered_and_runs_once(
    server: Server, redis: Any, tmp_path: Path
):
    (tmp_path / "count.lua").write_text(COUNT)
    scripts = LuaScripts(redis, tmp_path)
    assert await scripts.run("count", ["n"]) == [b"counted", 1]
    # Another connection, left in the pool.
    await redis.ping()
    for expected in (2, 3):
        server.restart()
        assert await scripts.run("count", ["n"]) == [b"counted", expected]
    server.restart()
    flown = await asyncio.gather(*(scripts.send("count", ["n"]) for _ in range(3)))
    assert sorted(reply[1] for reply in flown) == [4, 5, 6]


async def test_a_join_goes_on_and_keeps_its_number(server: Server, redis: Any, tmp_path: Path):
    rooms = Rooms(redis, clock=SystemClock(), keyring=Keyring(tmp_path))
    await rooms.open(1, RoomSettings())
    await rooms.reader.refresh()
    assert (await rooms.join(1, "aru")).entry.number == 1
    server.restart()
    assert (await rooms.join(1, "aru")).entry.number == 1
    bek = await rooms.join(1, "bek")
    assert bek.is_new
    server.restart()
    await rooms.heartbeat(bek.entry)


class Thief:
    """Stands between: of the next `steals` answers each is thrown away, and the line is cut."""

    def __init__(self, folder: Path, behind: str) -> None:
        self.path, self._behind = folder / "thief.sock", behind.removeprefix("unix://")
        self.steals = 0

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._stand, self.path)

    async def _stand(self, asker: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        redis, to_redis = await asyncio.open_unix_connection(self._behind)
        forth = asyncio.create_task(self._carry(asker, to_redis))
        try:
            while told := await redis.read(65_536):
                if self.steals:
                    self.steals -= 1
                    return
                answers.write(told)
        finally:
            forth.cancel()
            for one in (answers, to_redis):
                one.close()

    async def _carry(self, asker: asyncio.StreamReader, to_redis: asyncio.StreamWriter) -> None:
        while asked := await asker.read(65_536):
            to_redis.write(asked)
        to_redis.write_eof()


@pytest.fixture
async def thief(server: Server, tmp_path: Path) -> AsyncIterator[Thief]:
    made = Thief(tmp_path, server.engine.url)
    standing = await made.serve()
    yield made
    standing.close()
    server.kill()  # whoever is still connected hears of it
    await asyncio.sleep(0.05)


async def test_a_join_whose_answer_was_lost_is_sent_once_more_and_burns_no_number(
    thief: Thief, tmp_path: Path
):
    redis = open_redis(f"unix://{thief.path}")
    rooms = Rooms(redis, clock=SystemClock(), keyring=Keyring(tmp_path / "keys"))
    await rooms.open(1, RoomSettings(rate_per_minute=6_000))
    await rooms.reader.refresh()
    aru = await rooms.join(1, "aru")
    await rooms.heartbeat(aru.entry)
    thief.steals = 1
    bek = await rooms.join(1, "bek")
    assert bek.entry.number == 2
    assert (await rooms.join(1, "dana")).entry.number == 3, "no number was burned"
    await rooms.tick(1, 1)
    thief.steals = 1
    visit = (await rooms.claim(aru.entry)).visit
    assert (await rooms.claim(aru.entry)).visit == visit
    await rooms.reader.refresh()
    assert rooms.snapshot(1).claimed == 1, "let in once"
    await redis.aclose()


async def test_what_may_have_run_and_would_run_twice_is_not_sent_again(
    thief: Thief, tmp_path: Path
):
    redis = open_redis(f"unix://{thief.path}")
    rooms = Rooms(redis, clock=SystemClock(), keyring=Keyring(tmp_path / "keys"))
    await rooms.open(1, RoomSettings())
    (tmp_path / "count.lua").write_text(COUNT)
    scripts = LuaScripts(redis, tmp_path)
    await scripts.run("count", ["n"])
    thief.steals = 1
    with pytest.raises(ConnectionLost):
        await scripts.run("count", ["n"])
    assert await scripts.run("count", ["n"]) == [b"counted", 3], "it had run, once"
    thief.steals = 1
    with pytest.raises(RoomAway):
        await rooms.tick(1, 1)
    await redis.aclose()
