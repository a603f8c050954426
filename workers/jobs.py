"""What RQ runs. The job is only a doorbell: the work itself stands in the outbox.

RQ finds a job by its dotted name, so the job finds the process's outbox through the context that
the worker sets before it starts (workers.worker), not through a global object.
"""

from contextvars import ContextVar
from typing import Final, Protocol

import structlog
from rq import get_current_job

DRAIN_OUTBOX: Final = "workers.jobs.drain_outbox"


class Bench(Protocol):
    """What a worker lends its jobs."""

    def drain(self) -> int:
        """Handle due notices on the process's event loop; blocks until they are done."""
        ...


BENCH: ContextVar[Bench] = ContextVar("bench")


def drain_outbox() -> int:
    """How many notices were handled."""
    job = get_current_job()
    with structlog.contextvars.bound_contextvars(job_id=job.id if job else None):
        return BENCH.get().drain()
