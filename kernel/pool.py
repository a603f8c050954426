"""The pool of database connections: nobody waits for one without an end, and to hand one back that
is in order costs next to nothing.
"""

# ruff: noqa: SLF001  # the library's own pool is narrowed here, piece by piece

from typing import Any

import asyncpg

# For a free connection, and for a new one to be made.
ACQUIRE_TIMEOUT_S = 3
# A connection that was given up and does not come back within this is dropped.
RELEASE_TIMEOUT_S = 1.0
# A connection is made anew after so many statements.
QUERIES_MAX = 50_000


class BoundedPool(asyncpg.Pool):
    """A pool nobody waits for without an end: not for a free connection, and not for one that was
    given up. Who finds a free one pays for no clock.
    """

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ASYNC109  # theirs
        if timeout is None and self._queue.empty():  # type: ignore[attr-defined]  # no stub
            timeout = ACQUIRE_TIMEOUT_S
        return await super()._acquire(timeout)  # type: ignore[misc]  # no stub

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        holder, it = connection._holder, connection._con
        if it is None or not self._is_ready(holder, it):
            await super().release(connection, timeout=timeout or RELEASE_TIMEOUT_S)
            return
        # What the library does for such a one, without a task and a timer to do it in: they cost
        # a short statement's asker as much as all the rest.
        it._on_release()
        holder._release()
        holder._setup_inactive_callback()

    def _is_ready(self, holder: Any, it: Any) -> bool:
        """Whether the next asker may have it as it is: nothing is open, late, or to be undone."""
        talk = it._protocol
        if it.is_closed() or talk._is_cancelling() or talk.is_in_transaction() or it._top_xact:
            return False
        is_current = holder._pool is self and holder._generation == self._generation
        has_listeners = bool(it._listeners or it._log_listeners)
        return is_current and not has_listeners and talk.queries_count < QUERIES_MAX
