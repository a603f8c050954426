"""The data folder: everything that must outlive a stop, and who is using it now.

FORMAT      the folder's shape, a number; a newer one than ours is refused
lock        held (flock) by the one supervisor working here
run/        sockets, and the addresses of what runs now (env.json, state.json)
log/        one file a duty
postgres/  redis-rooms/  redis-shop/  keys/
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biletter.engines.folder import WALK_THROUGH, make_folder
from biletter.trouble import Trouble

FORMAT = 1
# May lie in a folder that still counts as empty.
IGNORED = {"lock", "lost+found", ".gitkeep", ".keep"}


class DataFolder:
    """An open data folder. The lock is held until the process ends."""

    def __init__(self, path: Path) -> None:
        """Makes or checks the folder. Raises Trouble: broken, newer, foreign, or in use."""
        self.path = path
        try:
            if path.exists() and not path.is_dir():
                raise Trouble(f"{path} is not a folder: set BILETTER_DATA to one.")
            make_folder(path, WALK_THROUGH)
            self._lock = _take_lock(path / "lock")
            _check_format(path)
        except OSError as reason:
            raise Trouble(f"Cannot use the data folder {path}: {reason.strerror}.") from reason
        self.run = make_folder(path / "run", WALK_THROUGH)
        self.log = make_folder(path / "log")

    def write_environment(self, environment: Mapping[str, str]) -> None:
        """What other commands need to find what runs here. For our eyes only."""
        _write_private(self.run / "env.json", environment)

    def write_state(self, state: Mapping[str, Any]) -> None:
        """The processes running now, for `biletter status`."""
        _write_private(self.run / "state.json", state)

    def forget_running(self) -> None:
        """Nothing runs here any more."""
        for name in ("env.json", "state.json"):
            (self.run / name).unlink(missing_ok=True)


def running_environment(path: Path) -> dict[str, str]:
    """What the supervisor working on that folder gives its duties; empty when none works there."""
    return _read_running(path, "env.json")


def running_state(path: Path) -> dict[str, Any]:
    """The processes of the supervisor working on that folder; empty when none works there."""
    return _read_running(path, "state.json")


def _read_running(path: Path, name: str) -> dict[str, Any]:
    if not _is_locked(path / "lock"):
        return {}
    try:
        found = json.loads((path / "run" / name).read_text())
    except FileNotFoundError:
        return {}  # it is just starting
    except (OSError, ValueError) as reason:
        raise Trouble(f"Cannot read {path / 'run' / name}: {reason}.") from reason
    return dict(found)


def _take_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as reason:
        os.close(descriptor)
        raise Trouble(f"Biletter is already running on the data folder {path.parent}.") from reason
    return descriptor


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as reason:
        raise Trouble(
            f"Cannot look into the data folder {path.parent}: {reason.strerror}."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _check_format(path: Path) -> None:
    note = path / "FORMAT"
    if not note.exists():
        if any(entry.name not in IGNORED for entry in path.iterdir()):
            raise Trouble(
                f"{path} is neither empty nor a data folder of Biletter:"
                " set BILETTER_DATA to another folder."
            )
        note.write_text(f"{FORMAT}\n")
        return
    try:
        found = int(note.read_text())
    except ValueError as reason:
        raise Trouble(f"The data folder {path} is broken: {note} is not a number.") from reason
    if found > FORMAT:
        raise Trouble(
            f"The data folder {path} was made by a newer Biletter (format {found}, we know"
            f" {FORMAT}): start that version instead."
        )


def _write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, readable by us alone."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
    fresh.replace(path)
