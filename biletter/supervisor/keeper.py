"""Keeps one process alive: starts it, carries its output away, starts it again when it dies.

The first restart is almost at once; one that keeps dying waits longer and longer, up to
`PAUSE_S_MAX`; a stable minute forgives.
"""

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from biletter.engines.account import Account
from biletter.engines.launch import with_death_signal
from biletter.supervisor.console import Console
from biletter.supervisor.logfile import LogFile

PAUSE_S_FIRST = 0.2
PAUSE_S_MAX = 10.0
STABLE_S = 60.0
CHUNK_BYTES = 65_536
LINE_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True)
class Job:
    """What to run, and how it is stopped."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    # What the kernel sends when the supervisor itself is killed. A duty loses nothing by SIGKILL.
    death_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 10.0
    account: Account | None = field(default=None)


class Keeper:
    """One job's process, now and after each restart."""

    def __init__(
        self,
        job: Job,
        log: LogFile,
        console: Console,
        changed: Callable[[], None],
        *,
        quiet: bool = False,
    ) -> None:
        """changed: called after each start. quiet: the console hears only of deaths."""
        self.job = job
        self.restarts = 0
        self.started_at = 0.0
        self.log = log
        self._console = console
        self._quiet = quiet
        self._changed = changed
        self._process: Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._starting = asyncio.Lock()  # a stop never meets a half-started process

    @property
    def pid(self) -> int | None:
        """The living process's id; None while there is none."""
        return self._process.pid if self._process and self.is_alive() else None

    def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts the process; nobody watches it yet."""
        self._process = await asyncio.create_subprocess_exec(
            *with_death_signal(self.job.command, self.job.death_signal, self.job.account),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            cwd=self.job.folder,
            env=dict(self.job.environment),
            start_new_session=True,
        )
        self.started_at = time.time()
        assert self._process.stdout is not None
        self._pump = asyncio.create_task(self._carry(self._process.stdout))
        self._changed()

    def watch(self) -> None:
        """From now on a death is followed by a restart."""
        self._watch = asyncio.create_task(self._restart_forever())

    async def finish(self) -> int:
        """Waits for a job that ends by itself; returns its exit status."""
        assert self._process is not None
        status = await self._process.wait()
        await self._drain()
        return status

    async def stop(self, hurry: asyncio.Event) -> None:
        """Asks the process to stop; insists after the grace, or at once when `hurry` is set."""
        self._stopping.set()
        async with self._starting:
            self._send(self.job.stop_signal)
        if self._process is not None:
            await self._end(self._process, hurry)
        self.log.close()

    async def _end(self, process: Process, hurry: asyncio.Event) -> None:
        ended = asyncio.create_task(process.wait())
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {ended, hurried}, timeout=self.job.grace_s, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if not ended.done():
            self._tell("does not stop: killed")
            self._send(signal.SIGKILL)
        await ended
        if self._watch is not None:
            await self._watch
        await self._drain()

    async def _restart_forever(self) -> None:
        deaths = 0
        while True:
            assert self._process is not None
            status = await self._process.wait()
            if self._stopping.is_set():
                return
            deaths = 1 if time.time() - self.started_at > STABLE_S else deaths + 1
            pause_s = min(PAUSE_S_FIRST * 2 ** (deaths - 1), PAUSE_S_MAX)
            self._tell(f"{_why(status)}, back in {pause_s:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            async with self._starting:
                if self._stopping.is_set():
                    return
                await self._start_again()

    async def _start_again(self) -> None:
        self.restarts += 1
        try:
            await self.start()
        except OSError as reason:  # out of processes or memory: the next round tries again
            self._tell(f"cannot start: {reason}")

    def _send(self, number: signal.Signals) -> None:
        """To the whole process group: a duty has no children, and should it have, they go too."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    async def _carry(self, output: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await output.read(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._line(line)
            if len(rest) > LINE_BYTES_MAX:
                self._line(rest)
                rest = b""
        if rest:
            self._line(rest)

    def _tell(self, words: str) -> None:
        """The keeper's own words about its process."""
        line = words.encode()
        self.log.write(line + b"\n")
        self._console.relay(self.job.name, line)

    def _line(self, line: bytes) -> None:
        self.log.write(line + b"\n")
        if not self._quiet:
            self._console.relay(self.job.name, line)

    async def _drain(self) -> None:
        """What the dead process had still written; not for long, others may hold the pipe."""
        if self._pump is not None:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._pump, 1.0)


def _why(status: int) -> str:
    if status < 0:
        return f"ended by signal {-status} ({signal.strsignal(-status)})"
    return f"ended with status {status}"
