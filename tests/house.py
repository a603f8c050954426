"""A whole Biletter in a process of its own, started and stopped as a person would."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from biletter.engines.launch import with_death_signal
from biletter.settings import DUTIES_WITH_A_PORT

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 300.0
# A busy machine takes its time; where all is well nobody waits so long.
PATIENCE_S = 90.0
PORTS = len(DUTIES_WITH_A_PORT)  # consecutive, from BILETTER_PORT
PORT_FIRST, PORT_LAST, PORT_STEP = 18_000, 29_000, 20
CLAIMS: list[socket.socket] = []


class House:
    """`biletter up` on a data folder and free ports of its own."""

    def __init__(
        self,
        data: Path,
        *,
        procfile: Path | None = None,
        environment: dict[str, str] | None = None,
        command: list[str] | None = None,
    ) -> None:
        """procfile: other duties than the real ones, and no demo data then."""
        self.data = data
        self.port = free_ports()
        self.output = data.parent / f"{data.name}.output"
        self._environment = {
            **os.environ,
            "BILETTER_DATA": str(data),
            "BILETTER_PORT": str(self.port),
            **(environment or {}),
        }
        self._command = command or [sys.executable, "-m", "biletter", "up"]
        if procfile is not None:
            self._command += ["--procfile", str(procfile), "--no-demo"]
        self.process: psutil.Popen | None = None

    def start(self) -> None:
        """Starts it and waits until it says that it is ready."""
        self.launch()
        give_up_at = time.monotonic() + READY_WITHIN_S
        while "Biletter is ready" not in self.said():
            assert self.process is not None
            assert self.process.poll() is None, f"it ended:\n{self.said()}"
            assert time.monotonic() < give_up_at, f"not ready:\n{self.said()}"
            time.sleep(0.05)

    def launch(self, output: int | None = None) -> None:
        """Starts it and doesn't wait. output: where it speaks to instead of a file."""
        with self.output.open("wb") as file:
            self.process = psutil.Popen(
                with_death_signal(self._command, signal.SIGTERM),
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output or file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Its exit status, once it ends by itself."""
        assert self.process is not None
        return int(self.process.wait(within_s))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal to the supervisor alone; returns its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return int(self.process.wait(60))

    def end(self) -> None:
        """For the end of a test: nothing of ours stays, whatever happened."""
        if self.process is None:
            return
        left = self.processes()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.stop()  # the second signal: don't wait for a deaf one
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`biletter ARGUMENTS` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "biletter", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def processes(self) -> list[psutil.Process]:
        """The supervisor's children, theirs included."""
        assert self.process is not None
        try:
            return list(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def pid_of(self, duty: str) -> int:
        """The duty's process now, as the supervisor notes it."""
        state = json.loads((self.data / "run" / "state.json").read_text())
        return int(state[duty]["pid"])

    def address(self, duty: str) -> str:
        """The web duty's base URL."""
        return f"http://127.0.0.1:{self.port + DUTIES_WITH_A_PORT.index(duty)}"

    def answers(self, duty: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.address(duty) + "/health/ready", timeout=3).is_success
        return False


def free_ports() -> int:
    """The first of enough free ports in a row, outside the range of outgoing connections; ours
    until this process ends, so that no other run of tests finds them free as well.
    """
    for base in range(PORT_FIRST, PORT_LAST, PORT_STEP):
        if _claim(base) and all(_is_free(base + offset) for offset in range(PORTS)):
            return base
    raise AssertionError("no free ports in a row")


def _claim(base: int) -> bool:
    """By a name that one process of the machine can have, and that is free when it ends."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0biletter-test-ports-{base}")
    except OSError:
        claim.close()
        return False
    CLAIMS.append(claim)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def until(what, within_s: float = PATIENCE_S) -> bool:
    """Whether `what()` becomes true in time."""
    give_up_at = time.monotonic() + within_s
    while not what():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True
