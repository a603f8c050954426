"""A redis-server of one test, to be killed and started again."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from biletter.engines import redis as local_redis
from biletter.engines.launch import start_process

WITHIN_S = 20


class Server:
    """Restarted in one turn of the loop, which so learns nothing of it."""

    def __init__(self, folder: Path, name: str = "rooms") -> None:
        self.engine = local_redis.prepare(folder, name, sockets=folder)
        self._log, self._old = folder / "log", folder / "old"
        self._old.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = start_process(self.engine, self._log)
        until = time.monotonic() + WITHIN_S
        while not self._answers():
            assert time.monotonic() < until
            time.sleep(0.01)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def remember(self) -> None:
        """Keep a copy of the memory as it stands: a folder in Redis 7, a file in Redis 6."""
        for one in self.engine.folder.glob("appendonly*"):
            copy = shutil.copytree if one.is_dir() else shutil.copy
            copy(one, self._old / one.name)

    def restart_old(self) -> None:
        """It comes back with the memory that was kept."""
        self.kill()
        for one in self._old.iterdir():
            there = self.engine.folder / one.name
            if one.is_dir():
                shutil.rmtree(there)
                shutil.copytree(one, there)
            else:
                shutil.copy(one, there)
        self.start()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(1)
            try:
                asked.connect(self.engine.url.removeprefix("unix://"))
                asked.sendall(b"PING\r\n")
                return asked.recv(100) == b"+PONG\r\n"
            except OSError:
                return False
