"""Where a run of tests keeps its engines: a folder that is gone afterwards, however it ended."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "biletter-test-"
# In memory a database is cloned three times as fast; containers may have next to none of it.
MEMORY = Path("/dev/shm")
MEMORY_FREE_BYTES_MIN = 3 * 2**30


@contextmanager
def own_folder() -> Iterator[Path]:
    """Named after our process, so that a later run knows whether anybody still needs it. Its path
    is short: unix sockets have to fit in 107 bytes.
    """
    prefix = f"{PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=_base(), ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)  # as root, PostgreSQL's account walks through
        yield Path(folder)


def sweep() -> None:
    """Removes what runs left that were killed; their engines have ended with them."""
    for base in (MEMORY, Path(tempfile.gettempdir())):
        for left in base.glob(f"{PREFIX}*"):
            owner = re.match(rf"{PREFIX}(\d+)-", left.name)
            if owner and not Path(f"/proc/{owner[1]}").exists():
                shutil.rmtree(left, ignore_errors=True)


def _base() -> Path | None:
    """None: the machine's folder for temporary files."""
    try:
        enough = shutil.disk_usage(MEMORY).free >= MEMORY_FREE_BYTES_MIN
    except OSError:
        return None
    return MEMORY if enough and os.access(MEMORY, os.W_OK) else None
