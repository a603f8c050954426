"""Server and load generator on processors of their own.

Where tails are timed the two must not wait for each other's turn: the scheduler hands a processor
on after milliseconds, which is longer than any answer timed here takes.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def apart(server_pids: Sequence[int]) -> Iterator[None]:
    """The servers on the first processor, this process on the others; afterwards all on
    all. With a single processor nothing is changed.
    """
    ours = os.getpid()
    cpus = sorted(os.sched_getaffinity(ours))
    if len(cpus) == 1:
        yield
        return
    for pid in server_pids:
        _bind(pid, cpus[:1])
    _bind(ours, cpus[1:])
    try:
        yield
    finally:
        for pid in (*server_pids, ours):
            _bind(pid, cpus)


def _bind(pid: int, cpus: Sequence[int]) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(thread.name), cpus)
        except ProcessLookupError:
            continue
