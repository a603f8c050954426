"""A whole installation of its own for a benchmark: started, found by its process names, stopped."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 40
PORTS = 10
PORT_FIRST, PORT_END = 21_000, 32_000
STOPS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
TIED = ("setpriv", "--pdeathsig=TERM", "--")
# A note in the folder that is to be kept.
KEPT = "kept"


class Stand(msgspec.Struct, frozen=True):
    """`pids` by what the command line says: sales, waitingroom, redis-rooms, …"""

    port: int
    pid: int
    data: Path
    env: dict[str, str]

    def base(self, offset: int = 0) -> str:
        return f"http://127.0.0.1:{self.port + offset}"

    def pids(self, *words: str) -> list[int]:
        """Processes of this stand whose command line has all the words."""
        found = []
        for pid in descendants(self.pid):
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if all(word in line for word in words):
                    found.append(pid)
        return found

    def keep(self) -> None:
        """The folder is worth a look afterwards: see standing."""
        (self.data.parent / KEPT).touch()


@contextlib.contextmanager
def standing(settings: dict[str, str], keep: Path | None = None) -> Iterator[Stand]:
    """Start the product with an empty data folder and these environment settings; stop it, however
    the body ends, and leave nothing behind. `keep`: where the folder goes after `Stand.keep()`.
    """
    port = free_ports()
    with unwinding(), tempfile.TemporaryDirectory(prefix="biletter-bench-") as folder:
        data, log_path = Path(folder) / "data", Path(folder) / "up.log"
        environment = {name: text for name, text in os.environ.items() if "BILETTER" not in name}
        environment |= {"BILETTER_PORT": str(port), "BILETTER_DATA": str(data)} | settings
        with log_path.open("wb") as log:
            # Should we be killed outright, the kernel asks it to stop.
            process = subprocess.Popen(
                [*TIED, sys.executable, "-m", "biletter", "up"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            _until_ready(process, port, log_path)
            env = json.loads((data / "run" / "env.json").read_text("utf-8"))
            yield Stand(port, process.pid, data, env)
        finally:
            with deaf():
                stop(process)
                if keep is not None and (Path(folder) / KEPT).exists():
                    shutil.rmtree(keep, ignore_errors=True)
                    shutil.copytree(folder, keep, ignore=_sockets)


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """SIGTERM and a closed terminal unwind the stack as Ctrl-C does, also where a shell had made
    us deaf to that.
    """
    before = {number: signal.getsignal(number) for number in STOPS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in STOPS - {signal.SIGINT}:
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Cleaning up is not interrupted: it ends by itself."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to stop; whatever of it is left after a while is killed."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        for pid in [process.pid, *descendants(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _sockets(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if (Path(folder) / name).is_socket()}


def _until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    waiting = {port, port + 1, port + 2, port + 3}
    while waiting and time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the product did not start:\n{log.read_text('utf-8')[-3000:]}")
        waiting = {one for one in waiting if not is_ready(one)}
        time.sleep(0.2)
    if waiting:
        raise RuntimeError(f"not ready in time: {waiting}\n{log.read_text('utf-8')[-3000:]}")


def is_ready(port: int) -> bool:
    return is_answering(port, "/health/ready")


def is_answering(port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004  # ready
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text("ascii").split():
                found += [int(child), *descendants(int(child))]
    return found


def free_ports() -> int:
    """The first of PORTS consecutive ports nobody listens on. Each process begins to look
    elsewhere, so that two that start together do not meet.
    """
    every = list(range(PORT_FIRST, PORT_END, PORTS))
    first = os.getpid() % len(every)
    for base in every[first:] + every[:first]:
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + PORTS):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return base
    raise RuntimeError("no free ports")
