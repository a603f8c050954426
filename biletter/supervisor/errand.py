"""A command of ours that ends by itself, run before the duties: migrations, demo data."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable

from biletter.engines.launch import with_death_signal
from biletter.supervisor.keeper import Job
from biletter.trouble import Trouble


async def run_errand(job: Job, tell: Callable[[str, bytes], None]) -> None:
    """Runs it to its end, telling each line it writes.

    Raises Trouble with its last words when it fails. Cancelled, it takes the process with it.
    """
    process = await asyncio.create_subprocess_exec(
        *with_death_signal(job.command, job.death_signal),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=job.folder,
        env=dict(job.environment),
        start_new_session=True,
    )
    assert process.stdout is not None
    last = b"no output"
    try:
        async for line in process.stdout:
            last = line.strip() or last
            tell(job.name, line.rstrip())
        status = await process.wait()
    finally:
        await _end(process, job.grace_s)
    if status != 0:
        words = last.decode(errors="replace").removeprefix("biletter: ")
        raise Trouble(f"{job.name} failed (status {status}): {words}")


async def _end(process: Process, grace_s: float) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), grace_s)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
