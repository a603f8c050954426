"""A local PostgreSQL: one unix socket, no TCP port, sized for two cores.

The data is made once by initdb and never touched by another major version. As root it runs under
another account, see `account`.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg

from biletter.engines.account import Account, choose_account
from biletter.engines.binaries import Program, find_postgres
from biletter.engines.folder import make_folder, socket_folder, wait_until_left
from biletter.engines.launch import Engine, last_line, running, with_death_signal
from biletter.trouble import Trouble

USER = DATABASE = "biletter"
INIT_TIMEOUT_S = 120
PROBE_TIMEOUT_S = 2.0

# Of the machine's memory; what an archive of millions needs for its indexes is about the most.
BUFFERS_SHARE, BUFFERS_MIN_MB, BUFFERS_MAX_MB = 1 / 16, 128, 1024
SETTINGS = """\
# Written by Biletter at every start; changes here are lost.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
port = 5432
max_connections = 120
shared_buffers = {buffers_mb}MB
effective_cache_size = 1GB
work_mem = 8MB
maintenance_work_mem = 128MB
max_locks_per_transaction = 256
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
wal_compression = on
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
# What was acknowledged stays, even when the machine loses power.
fsync = {durable}
full_page_writes = {durable}
synchronous_commit = {durable}
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = 500ms
idle_in_transaction_session_timeout = 60s
"""


def prepare(data: Path, *, durable: bool = True, sockets: Path | None = None) -> Engine:
    """An engine called `postgres` with its data in `<data>/postgres`, made if it isn't there yet.

    durable: fsync (tests do without). Raises Trouble for a missing program, a broken folder, or
    data of another major version.
    """
    folder = data.resolve() / "postgres"
    program = find_postgres(_major_of(folder))
    run = sockets or socket_folder(data)
    owner_uid = folder.stat().st_uid if folder.exists() else None
    account = choose_account([data.resolve(), run], program.path, owner_uid)
    socket_home = make_folder(run / "pg")
    _own(socket_home, account)
    wait_until_left(folder, "postgres")
    if not (folder / "PG_VERSION").exists():
        _make_cluster(folder, program, account, data / "initdb.log")
    _write_settings(folder, socket_home, account, durable=durable)
    with contextlib.suppress(FileNotFoundError):
        (folder / "postmaster.pid").unlink()  # of a killed run: nobody is inside, asked above
    address = {"host": str(socket_home), "port": 5432}

    async def answers() -> bool:
        return await ensure_database(str(socket_home))

    return Engine(
        name="postgres",
        command=[str(program.path), "-D", str(folder)],
        folder=folder,
        stop_signal=signal.SIGINT,  # fast shutdown: sessions end, nothing committed is lost
        url=f"postgresql://{USER}@/{DATABASE}?{urlencode(address, quote_via=quote)}",
        answers=answers,
        account=account,
        environment={"LC_ALL": "C.UTF-8", "PGTZ": "UTC"},
    )


@contextlib.contextmanager
def start(folder: Path) -> Iterator[Engine]:
    """A throw-away PostgreSQL in `folder`, up and answering, stopped on the way out. For tests."""
    with running(prepare(folder, durable=False), folder / "postgres.log") as engine:
        yield engine


async def ensure_database(host: str) -> bool:
    """Whether the server serves; makes our database when it isn't there."""
    try:
        conn = await asyncpg.connect(
            host=host, user=USER, database="postgres", timeout=PROBE_TIMEOUT_S, command_timeout=30
        )
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    try:
        if not await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await conn.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await conn.close()
    return True


def _major_of(folder: Path) -> int | None:
    """The major version that made this folder's data; None where there is none yet."""
    note = folder / "PG_VERSION"
    try:
        if note.exists():
            return int(note.read_text())
        half = folder.exists() and any(folder.iterdir())
    except (OSError, ValueError) as reason:
        raise Trouble(f"The data folder is broken: cannot read {note}.") from reason
    if half:
        raise Trouble(f"The data folder is broken: {folder} holds no PostgreSQL data.")
    return None


def _make_cluster(folder: Path, program: Program, account: Account | None, log: Path) -> None:
    """Runs initdb into a sister folder, renamed when whole: a killed first start leaves no half."""
    fresh = folder.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _own(make_folder(fresh), account)
    command = [
        *(str(program.home / "initdb"), "-D", str(fresh), "-U", USER, "--auth=trust"),
        *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync"),
    ]
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - our own command line, no shell
            with_death_signal(command, signal.SIGKILL, account),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            timeout=INIT_TIMEOUT_S,
            check=False,
        )
    if done.returncode != 0:
        raise Trouble(f"PostgreSQL could not make its data in {folder}: {last_line(log)}")
    log.unlink()
    with (fresh / "postgresql.conf").open("a") as settings:
        settings.write("\ninclude 'biletter.conf'\n")
    fresh.rename(folder)


def _write_settings(
    folder: Path, socket_home: Path, account: Account | None, *, durable: bool
) -> None:
    path = folder / "biletter.conf"
    quoted = str(socket_home).replace("'", "''")
    try:
        path.write_text(
            SETTINGS.format(
                sockets=quoted, durable="on" if durable else "off", buffers_mb=_buffers_mb()
            )
        )
    except OSError as reason:
        raise Trouble(f"Cannot write {path}: {reason.strerror}.") from reason
    _own(path, account)


def _own(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _buffers_mb() -> int:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(BUFFERS_MIN_MB, min(BUFFERS_MAX_MB, int(BUFFERS_SHARE * memory) >> 20))
