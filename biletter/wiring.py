"""The one door where a duty's name becomes a process: settings in, running service out."""

import importlib
from collections.abc import Awaitable, Callable

import uvloop

from biletter.parts import Parts
from biletter.settings import Settings
from biletter.trouble import Trouble
from kernel import log

ASYNC_DUTIES = ("sales", "waitingroom", "admin", "relay", "ticker", "toleubar")
# RQ's loop blocks, and runs its jobs on an event loop of its own.
BLOCKING_DUTIES = ("worker",)


def run_duty(name: str, settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT. Raises Trouble for a name that is no duty."""
    if name not in ASYNC_DUTIES + BLOCKING_DUTIES:
        known = ", ".join(sorted(ASYNC_DUTIES + BLOCKING_DUTIES))
        raise Trouble(f"There is no duty called {name!r}; there are: {known}.")
    log.set_up(name, settings.log_level)
    parts = Parts(settings)
    module = importlib.import_module(f"biletter.duties.{name}")
    if name in BLOCKING_DUTIES:
        module.run(parts)
        return
    run: Callable[[Parts], Awaitable[None]] = module.run

    async def main() -> None:
        await run(parts)

    uvloop.run(main())
