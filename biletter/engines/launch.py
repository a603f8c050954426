"""How every child process is started: with a parent-death signal, in a session of its own.

`setpriv` (util-linux, part of every Debian and Ubuntu) sets the signal and becomes the program,
so the process id stays and nothing stands between. The kernel then ends the child when its
parent dies, even by kill -9. A session of its own keeps a terminal's Ctrl-C with the supervisor.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from biletter.engines.account import Account
from biletter.trouble import Trouble

ANSWER_WITHIN_S = 60.0  # an append-only file of a few GB takes that long to load
STOP_WITHIN_S = 30.0
POLL_EVERY_S = 0.02
COMPLAINT_LINES = 10


@dataclass(frozen=True)
class Engine:
    """One engine process: how to start it, whether it answers, how to stop it.

    `answers` is quick (a second at most) and never raises for an engine that isn't up yet.
    """

    name: str
    command: Sequence[str]
    folder: Path
    stop_signal: signal.Signals
    url: str
    answers: Callable[[], Awaitable[bool]]
    account: Account | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def with_death_signal(
    command: Sequence[str], death: signal.Signals, account: Account | None = None
) -> list[str]:
    """The command line that starts `command` so that the kernel sends `death` when we die."""
    who = account.flags() if account else []
    return ["setpriv", f"--pdeathsig={death.name}", *who, "--", *command]


@contextlib.contextmanager
def running(engine: Engine, log: Path) -> Iterator[Engine]:
    """The engine, up and answering; stopped on the way out. For tests and one-off commands."""
    process = start_process(engine, log)
    try:
        asyncio.run(wait_until_answers(engine, lambda: process.poll() is None, log))
        yield engine
    finally:
        stop_process(process, engine.stop_signal)


def start_process(engine: Engine, log: Path) -> subprocess.Popen[bytes]:
    """Starts it with its output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command line, no shell
            with_death_signal(engine.command, engine.stop_signal, engine.account),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**os.environ, **engine.environment},
            start_new_session=True,
        )


def stop_process(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """Asks it to stop, and after `STOP_WITHIN_S` insists."""
    if process.poll() is not None:
        return
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def wait_until_answers(engine: Engine, is_alive: Callable[[], bool], log: Path) -> None:
    """Returns when the engine answers. Raises Trouble if it ends or stays silent."""
    give_up_at = time.monotonic() + ANSWER_WITHIN_S
    while not await engine.answers():
        if not is_alive():
            raise Trouble(f"{engine.name} did not start: {last_line(log)} (more in {log}).")
        if time.monotonic() > give_up_at:
            raise Trouble(
                f"{engine.name} does not answer after {ANSWER_WITHIN_S:.0f} s, see {log}."
            )
        await asyncio.sleep(POLL_EVERY_S)


def last_line(log: Path) -> str:
    """What a log says last, for a person: its last complaint if there is one nearby."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()[-COMPLAINT_LINES:]
    except OSError:
        return "no output"
    complaints = [line for line in lines if "FATAL" in line or "rror" in line]
    return (complaints or lines or ["no output"])[-1].strip()
