"""Folders of the engines: who is still in one, and where its sockets may stand."""

import hashlib
import os
import time
from pathlib import Path

from biletter.trouble import Trouble

# sun_path holds 108 bytes with its end mark; the longest name we put behind is '/.s.PGSQL.5432'.
SOCKET_FOLDER_BYTES_MAX = 107 - len("/redis-rooms.sock")
WALK_THROUGH = 0o711  # as root, PostgreSQL's account walks through to a folder of its own
LEAVE_WITHIN_S = 20.0
LEAVE_POLL_S = 0.05


def make_folder(path: Path, mode: int = 0o700) -> Path:
    """Makes the folder (its parents too) unless it is there. Raises Trouble where that fails."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as reason:
        raise Trouble(f"Cannot make the folder {path}: {reason.strerror}.") from reason
    return path


def socket_folder(data: Path) -> Path:
    """Where the sockets stand: `<data>/run`, or a short folder of ours where that path is too long.

    The short one is named by a hash of the data folder's path, so every command finds it again.
    """
    own = data.resolve() / "run"
    if len(os.fsencode(own)) <= SOCKET_FOLDER_BYTES_MAX:
        return make_folder(own, WALK_THROUGH)
    name = "biletter-" + hashlib.sha256(os.fsencode(own)).hexdigest()[:16]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime and os.access(runtime, os.W_OK) else Path("/tmp")  # noqa: S108 - checked below
    short = make_folder(base / name, WALK_THROUGH)
    entry = short.lstat()
    if short.is_symlink() or entry.st_uid != os.geteuid() or entry.st_mode & 0o022:
        raise Trouble(f"The folder {short} is not ours alone: remove it, or shorten BILETTER_DATA.")
    return short


def wait_until_left(folder: Path, program: str) -> None:
    """Waits for an engine of an earlier, killed run to leave the folder.

    Raises Trouble when one stays: starting a second on the same data would spoil it.
    """
    give_up_at = time.monotonic() + LEAVE_WITHIN_S
    while (inside := processes_inside(folder, program)) and time.monotonic() < give_up_at:
        time.sleep(LEAVE_POLL_S)
    if inside:
        raise Trouble(f"{folder} is still used by {program} (process {inside[0]}): stop it first.")


def processes_inside(folder: Path, program: str) -> list[int]:
    """Ids of the processes named `program` whose working folder is `folder`."""
    wanted = str(folder.resolve())
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _works_in(entry, wanted, program)
    ]


def _works_in(process: Path, folder: str, program: str) -> bool:
    try:
        return (
            os.readlink(process / "cwd") == folder  # noqa: PTH115 - a deleted folder stays readable
            and (process / "comm").read_text().strip() == program
        )
    except OSError:  # it has just ended, or belongs to somebody else
        return False
