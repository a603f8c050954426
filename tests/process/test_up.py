"""`biletter up` with duties of our own: what lives, what comes back, what is left."""

import asyncio
import os
import signal
import time

import asyncpg
import psutil
import pytest
import redis

from tests.house import House, until

pytestmark = pytest.mark.process


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if lives(process)]


def rooms(house: House) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(house.data / "run" / "redis-rooms.sock"))


def ask_database(house: House, statement: str) -> object:
    async def ask() -> object:
        conn = await asyncpg.connect(
            host=str(house.data / "run" / "pg"), user="biletter", database="biletter"
        )
        try:
            return await conn.fetchval(statement)
        finally:
            await conn.close()

    return asyncio.run(ask())


def test_everything_runs_in_processes_with_telling_command_lines(build) -> None:
    house = build(sales="0", admin="2")
    house.start()
    lines = " ".join(" ".join(process.cmdline()) for process in house.processes())
    for word in ("redis-rooms.sock", "redis-shop.sock", "postgres -D", "duty.py 0", "duty.py 2"):
        assert word in lines
    assert f"http://localhost:{house.port}/" in house.said()


def test_a_killed_duty_is_back_within_seconds(build) -> None:
    house = build(sales="0", admin="2")
    house.start()
    before, neighbour = house.pid_of("sales"), house.pid_of("admin")
    os.kill(before, signal.SIGKILL)
    assert until(lambda: house.pid_of("sales") != before and house.answers("sales"), 20)
    assert house.pid_of("admin") == neighbour
    assert "sales" in house.said()
    assert "ended by signal 9" in house.said()


@pytest.mark.parametrize("engine", ["redis-rooms", "postgres"])
def test_a_killed_engine_is_back_with_its_data(build, engine: str) -> None:
    house = build()
    house.start()
    rooms(house).set("place", 17)
    ask_database(house, "CREATE TABLE mark AS SELECT 17 AS place")
    before = house.pid_of(engine)
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return (
                house.pid_of(engine) != before
                and rooms(house).get("place") == b"17"
                and ask_database(house, "SELECT place FROM mark") == 17
            )
        except (redis.ConnectionError, OSError, asyncpg.PostgresError, TypeError):
            return False

    assert until(is_back)


def test_sigterm_stops_every_process_and_the_next_start_continues(build) -> None:
    house = build()
    house.start()
    rooms(house).set("place", 17)
    ask_database(house, "CREATE TABLE mark AS SELECT 17 AS place")
    processes = house.processes()
    assert len(processes) > 5
    assert house.stop() == 0
    assert living(processes) == []
    assert list((house.data / "run").glob("*.json")) == []

    house.start()
    assert rooms(house).get("place") == b"17"
    assert ask_database(house, "SELECT place FROM mark") == 17


def test_sigterm_in_the_middle_of_a_start_leaves_nothing(build) -> None:
    house = build()
    house.launch()
    assert until(lambda: len(house.processes()) > 0)
    processes = house.processes()
    assert house.stop() == 0
    assert living(processes) == []
    assert "is ready" not in house.said()
    house.start()


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_recovers(build) -> None:
    house = build(sales="0 deaf")
    house.start()
    rooms(house).set("place", 17)
    processes = house.processes()
    house.stop(signal.SIGKILL)
    assert until(lambda: living(processes) == []), living(processes)
    house.start()
    assert rooms(house).get("place") == b"17"


def test_a_start_right_after_a_kill_waits_for_the_old_engines(build) -> None:
    house = build()
    house.start()
    house.stop(signal.SIGKILL)
    house.start()
    assert house.answers("sales")


def test_a_second_ctrl_c_hurries(build) -> None:
    house = build(sales="0 deaf")
    house.start()
    house.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert house.process.poll() is None, "a deaf duty has its grace"
    began = time.monotonic()
    assert house.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 5


def test_a_terminal_nobody_reads_makes_no_duty_wait(build) -> None:
    house = build(sales="0 chatty")
    stuck = os.pipe()
    house.launch(output=stuck[1])
    assert until(lambda: house.answers("sales"))
    for _ in range(20):
        assert house.answers("sales")
    written = sum(file.stat().st_size for file in (house.data / "log").glob("sales.log*"))
    assert written > 20_000_000
    assert house.stop() == 0
    for end in stuck:
        os.close(end)


def test_sockets_find_a_short_folder_when_the_data_folder_is_deep(build, engines_folder) -> None:
    house = build(
        data="/".join(["a-rather-long-name"] * 7),
        environment={"XDG_RUNTIME_DIR": str(engines_folder)},
    )
    house.data.parent.mkdir(parents=True)
    house.start()
    shown = house.run("env").stdout
    assert "run/redis-rooms.sock" not in shown
    assert str(engines_folder) in shown
    assert house.run("status").returncode == 0


def test_status_shows_each_duty_and_notices_when_nothing_runs(build) -> None:
    house = build()
    house.start()
    shown = house.run("status")
    assert shown.returncode == 0, shown.stderr
    for duty in ("redis-rooms", "redis-shop", "postgres", "sales"):
        assert duty in shown.stdout
    house.stop()
    assert house.run("status").returncode == 1
    assert "is not running" in house.run("env").stderr


def test_the_way_into_the_engines_is_for_our_eyes_only(build) -> None:
    house = build()
    house.start()
    assert (house.data / "run" / "env.json").stat().st_mode & 0o077 == 0
    assert (house.data / "run" / "pg").stat().st_mode & 0o077 == 0
    assert (house.data / "run" / "redis-shop.sock").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend PostgreSQL an account")
def test_as_root_postgres_runs_in_a_folder_only_root_may_enter(build) -> None:
    house = build(data="closed/data")
    house.data.parent.mkdir(mode=0o700)
    house.start()
    postgres = psutil.Process(house.pid_of("postgres"))
    assert postgres.uids().real != 0
    assert house.data.parent.stat().st_mode & 0o777 == 0o700, "nobody's folder was changed"


def test_two_supervisors_never_share_a_data_folder(build) -> None:
    house = build()
    house.start()
    second = House(house.data, procfile=house.data.parent / "Procfile")
    second.output = house.data.parent / "second.output"
    second.launch()
    assert second.wait() == 1
    assert "already running" in second.said()
    assert house.answers("sales")
