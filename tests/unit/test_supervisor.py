"""The supervisor's parts, one by one."""

import asyncio
import contextlib
import io
import os
import socket
import sys
import time
from pathlib import Path

import pytest

from biletter.datafolder import DataFolder, running_environment
from biletter.engines import binaries
from biletter.engines.folder import socket_folder
from biletter.seed.accounts import PEOPLE
from biletter.settings import Settings
from biletter.supervisor import keeper as keeper_module
from biletter.supervisor.console import Console, readable
from biletter.supervisor.errand import run_errand
from biletter.supervisor.greeting import greeting
from biletter.supervisor.keeper import Job, Keeper
from biletter.supervisor.logfile import OLD_FILES_MAX, LogFile
from biletter.supervisor.ports import check_ports
from biletter.supervisor.procfile import read_procfile
from biletter.trouble import Trouble


def job(code: str, folder: Path, grace_s: float = 5) -> Job:
    return Job("trial", [sys.executable, "-c", code], dict(os.environ), folder, grace_s=grace_s)


def test_a_procfile_names_duties_in_order(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# web\nsales: biletter run sales  # the shop\n\nclock: tick --each '1 s'\n")
    assert read_procfile(path) == {
        "sales": [sys.executable, "-m", "biletter", "run", "sales"],
        "clock": ["tick", "--each", "1 s"],
    }


@pytest.mark.parametrize("text", ["sales biletter run", "a: x\na: y", "Sales: x", "sales:"])
def test_an_odd_procfile_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Procfile"
    path.write_text(text)
    with pytest.raises(Trouble, match="line"):
        read_procfile(path)


def test_our_own_procfile_is_in_order() -> None:
    duties = read_procfile(Path(__file__).parents[2] / "Procfile")
    assert {"sales", "waitingroom", "admin", "worker", "relay", "ticker", "toleubar"} <= set(duties)


def test_structured_lines_become_readable_and_others_stay() -> None:
    line = b'{"timestamp":"2026-06-01T12:00:00Z","level":"info","event":"held","seats":2}'
    assert readable(line) == "12:00:00 info: held seats=2"
    assert readable(b'{"half') == '{"half'
    assert readable("Сәлем".encode()) == "Сәлем"
    assert readable(b"\xff\xfe") == "\ufffd\ufffd"


def test_a_flood_of_one_duty_is_cut_on_the_screen_but_not_anothers() -> None:
    out = io.StringIO()
    console = Console(out)
    for number in range(1_000):
        console.relay("sales", b"%d" % number)
    console.relay("admin", b"heard")
    console.close()
    shown = out.getvalue().splitlines()
    assert len(shown) < 200
    assert any("heard" in line for line in shown)
    assert any("more in its log file" in line for line in shown)


def test_a_screen_that_stands_still_makes_nobody_wait() -> None:
    reading, writing = os.pipe()
    screen = os.fdopen(writing, "w")
    console = Console(screen)
    began = time.monotonic()
    for _ in range(20_000):
        console.announce("x" * 100)
    assert time.monotonic() - began < 5
    os.close(reading)  # the blocked writer wakes with a broken pipe
    console.close()
    with contextlib.suppress(BrokenPipeError):
        screen.close()


def test_log_files_keep_a_bounded_size(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "sales.log", size_max=1_000)
    for number in range(1_000):
        log.write(b"%096d\n" % number)
    files = sorted(tmp_path.iterdir())
    assert len(files) == OLD_FILES_MAX + 1
    assert all(file.stat().st_size <= 1_100 for file in files)
    log.close()
    newest = b"".join(file.read_bytes() for file in files)
    assert b"%096d\n" % 999 in newest


async def test_a_job_that_keeps_dying_waits_longer_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "PAUSE_S_FIRST", 0.01)
    starts: list[float] = []
    keeper = Keeper(
        job("raise SystemExit(3)", tmp_path),
        LogFile(tmp_path / "trial.log"),
        Console(io.StringIO()),
        lambda: starts.append(time.monotonic()),
    )
    await keeper.start()
    keeper.watch()
    async with asyncio.timeout(20):
        while len(starts) < 6:
            await asyncio.sleep(0.01)
    await keeper.stop(asyncio.Event())
    assert starts[5] - starts[4] > starts[1] - starts[0]
    assert "ended with status 3, back in 0.0 s" in (tmp_path / "trial.log").read_text()


async def test_a_stop_during_the_pause_before_a_restart_is_quick_and_final(tmp_path: Path) -> None:
    starts: list[int] = []
    keeper = Keeper(
        job("raise SystemExit(3)", tmp_path),
        LogFile(tmp_path / "trial.log"),
        Console(io.StringIO()),
        lambda: starts.append(1),
    )
    await keeper.start()
    keeper.watch()
    while keeper.is_alive():
        await asyncio.sleep(0.01)
    async with asyncio.timeout(2):
        await keeper.stop(asyncio.Event())
    assert not keeper.is_alive()
    assert len(starts) <= 2


async def test_a_deaf_job_is_killed_after_its_grace(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN);"
        " print('deaf', flush=True); time.sleep(60)"
    )
    out = io.StringIO()
    keeper = Keeper(
        job(code, tmp_path, grace_s=0.2),
        LogFile(tmp_path / "trial.log"),
        Console(out),
        lambda: None,
    )
    await keeper.start()
    async with asyncio.timeout(10):
        while "deaf" not in (tmp_path / "trial.log").read_text():
            await asyncio.sleep(0.01)
        await keeper.stop(asyncio.Event())
    assert not keeper.is_alive()
    assert "does not stop: killed" in (tmp_path / "trial.log").read_text()


async def test_an_errand_tells_all_it_writes(tmp_path: Path) -> None:
    told: list[bytes] = []
    code = "import sys; print('half way', flush=True); print('careful', file=sys.stderr)"
    await run_errand(job(code, tmp_path), lambda _, line: told.append(line))
    assert told == [b"half way", b"careful"]


async def test_a_failed_errand_is_one_sentence_with_its_last_words(tmp_path: Path) -> None:
    code = "import sys; print('no such table', file=sys.stderr); sys.exit(1)"
    with pytest.raises(Trouble, match="no such table"):
        await run_errand(job(code, tmp_path), lambda *_: None)


async def test_a_cancelled_errand_takes_its_process_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    errand = asyncio.create_task(run_errand(job(code, tmp_path), lambda *_: None))
    async with asyncio.timeout(10):
        while not mark.exists() or not mark.read_text():
            await asyncio.sleep(0.01)
    errand.cancel()
    with pytest.raises(asyncio.CancelledError):
        await errand
    assert not Path(f"/proc/{mark.read_text()}").exists()


def test_a_port_shared_by_another_server_counts_as_taken() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Trouble, match=r"\(admin\) is taken"):
            check_ports("127.0.0.1", {"admin": other.getsockname()[1]})


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Trouble, match="Cannot listen on 192"):
        check_ports("192.0.2.1", {"sales": 18_000})


def test_the_environment_of_a_running_house_is_found_only_while_it_runs(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.write_environment({"DATABASE_URL": "postgresql://somewhere"})
    assert running_environment(folder.path) == {"DATABASE_URL": "postgresql://somewhere"}
    os.close(folder._lock)  # as the kernel does when the supervisor is killed
    assert running_environment(folder.path) == {}
    assert running_environment(tmp_path / "never") == {}


def test_an_empty_folder_is_fine_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.mkdir(mode=0o750)
    path.chmod(0o750)
    os.close(DataFolder(path)._lock)
    assert path.stat().st_mode & 0o777 == 0o750


def test_somebody_elses_short_socket_folder_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    deep = tmp_path.joinpath(*["a-rather-long-name"] * 7)
    short = socket_folder(deep)
    assert short.parent == tmp_path
    short.chmod(0o777)
    with pytest.raises(Trouble, match="not ours alone"):
        socket_folder(deep)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc bits=64", (7, 0, 15)),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, 18)),
        ("postgres (PostgreSQL) 18beta1", (18,)),
        ("something else", None),
    ],
)
def test_versions_are_read_as_the_programs_say_them(
    tmp_path: Path, said: str, version: tuple[int, ...] | None
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    found = binaries._ask_version(program)
    assert (found.version if found else None) == version


def test_the_greeting_shows_addresses_a_browser_understands() -> None:
    shown = greeting(Settings(), {"sales": "http://127.0.0.1:8080"}, 2.04, demo=True)
    assert "http://localhost:8080/" in shown
    assert "ready after 2.0 s" in shown
    assert all(one.password in shown for one in PEOPLE)
