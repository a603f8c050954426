"""The one door where a duty's name becomes a process: settings in, running service out."""

import importlib
from collections.abc import Awaitable, Callable

import uvloop

from biletter.parts import Parts
from biletter.settings import Settings
from biletter.trouble import Trouble
from kernel import log

DUTIES = ("sales", "waitingroom", "admin", "worker", "relay", "ticker", "toleubar", "provider")


def run_duty(name: str, settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT. Raises Trouble for a name that is no duty."""
    if name not in DUTIES:
        raise Trouble(f"There is no duty called {name!r}; there are: {', '.join(DUTIES)}.")
    log.set_up(name, settings.log_level)
    parts = Parts(settings)
    module = importlib.import_module(f"biletter.duties.{name}")
    run: Callable[[Parts], Awaitable[None]] = module.run

    async def main() -> None:
        await run(parts)

    uvloop.run(main())
