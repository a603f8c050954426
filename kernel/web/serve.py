"""Serve one ASGI app in this process until it is told to stop. No child processes: what is
killed is gone, and nothing is orphaned.
"""

import asyncio
import gc
import signal
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

log = structlog.get_logger()
# Whoever is being answered may finish; then the door closes.
STOP_GRACE_S = 8.0
# New containers more than gone ones; young collections before the middle one; those before all.
COLLECT_AFTER = (10_000, 20, 50)


async def serve(app: Any, *, bind: str, port: int, duty: str) -> None:
    """Answers on http://bind:port until SIGTERM or SIGINT, then finishes what is in hand."""
    server = Server(
        app,
        address=bind,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
        backlog=4096,
        websockets=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    # Objects made at start live for ever: keep them out of every later collection. A request leaves
    # no cycles behind, so the young are looked at seldom, and what has grown old hardly ever.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    log.info("serving", bind=bind, port=port)
    await server.serve()
    log.info("stopped", serving=duty)
