"""A local Redis: append-only file, one unix socket, no TCP port.

Two of them run (rooms; shop), because a hash tag gives atomicity but only another process
gives isolation.
"""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from biletter.engines.binaries import Program, find_redis
from biletter.engines.folder import make_folder, socket_folder, wait_until_left
from biletter.engines.launch import Engine, running
from biletter.trouble import Trouble

PROBE_TIMEOUT_S = 1.0
VERSION_FILE = "REDIS_VERSION"

SETTINGS = """\
# Written by Biletter at every start; changes here are lost.
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
daemonize no
databases {databases}
# The append-only file is the memory; a second of it may be lost when the whole machine fails.
appendonly {appendonly}
appendfsync everysec
save ""
# Holds and places must never be evicted: refuse writes instead.
maxmemory-policy noeviction
lazyfree-lazy-user-del yes
latency-monitor-threshold 100
tcp-keepalive 0
"""


def prepare(
    data: Path, name: str, *, keep: bool = True, sockets: Path | None = None, databases: int = 1
) -> Engine:
    """An engine called `redis-<name>` with its data in `<data>/redis-<name>`.

    keep: write an append-only file (tests do without). Raises Trouble for a missing program, a
    broken folder, or data of a newer Redis.
    """
    program = find_redis()
    folder = make_folder(data.resolve() / f"redis-{name}")
    wait_until_left(folder, "redis-server")
    _check_version(folder, program)
    socket = (sockets or socket_folder(data)) / f"redis-{name}.sock"
    settings = folder / "redis.conf"
    try:
        socket.unlink(missing_ok=True)  # left by a killed run: nobody is inside, asked above
        settings.write_text(
            SETTINGS.format(
                socket=socket,
                folder=folder,
                databases=databases,
                appendonly="yes" if keep else "no",
            )
        )
    except OSError as reason:
        raise Trouble(f"Cannot write {reason.filename}: {reason.strerror}.") from reason

    async def answers() -> bool:
        return await answers_ping(socket)

    return Engine(
        name=f"redis-{name}",
        command=[str(program.path), str(settings)],
        folder=folder,
        stop_signal=signal.SIGTERM,
        url=f"unix://{quote(str(socket))}",
        answers=answers,
    )


@contextlib.contextmanager
def start(folder: Path, name: str, *, databases: int = 1) -> Iterator[Engine]:
    """A throw-away Redis in `folder`, up and answering, stopped on the way out. For tests."""
    with running(
        prepare(folder, name, keep=False, databases=databases), folder / f"redis-{name}.log"
    ) as engine:
        yield engine


async def answers_ping(socket: Path) -> bool:
    """Whether a Redis behind that socket has loaded its data and serves."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


def _check_version(folder: Path, program: Program) -> None:
    """An older Redis would ignore the files of a newer one and start empty: refuse instead."""
    note = folder / VERSION_FILE
    try:
        written_by = int(note.read_text()) if note.exists() else program.major
        if written_by <= program.major:
            note.write_text(f"{program.major}\n")
            return
    except (OSError, ValueError) as reason:
        raise Trouble(f"The data folder is broken: cannot use {note} ({reason}).") from reason
    raise Trouble(
        f"{folder} was written by Redis {written_by}, newer than this machine's Redis {program}:"
        f" install Redis {written_by}."
    )
