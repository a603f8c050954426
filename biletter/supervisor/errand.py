"""A command of ours that ends by itself, run before the duties: migrations, demo data."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable

from biletter.engines.launch import with_death_signal
from biletter.supervisor.keeper import Job
from biletter.trouble import Trouble


async def run_errand(job: Job, tell: Callable[[str, bytes], None]) -> str:
    """Runs it to its end; its standard error is progress and is told, its standard output returned.

    Raises Trouble with its last words when it fails. Cancelled, it takes the process with it.
    """
    process = await asyncio.create_subprocess_exec(
        *with_death_signal(job.command, job.death_signal),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=job.folder,
        env=dict(job.environment),
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    last = b""

    async def carry(progress: asyncio.StreamReader) -> None:
        nonlocal last
        async for line in progress:
            last = line.strip() or last
            tell(job.name, line.rstrip())

    try:
        said, _ = await asyncio.gather(process.stdout.read(), carry(process.stderr))
        status = await process.wait()
    finally:
        await _end(process, job.grace_s)
    if status != 0:
        raise Trouble(f"{job.name} failed: {last.decode(errors='replace') or f'status {status}'}")
    return said.decode(errors="replace").strip()


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
