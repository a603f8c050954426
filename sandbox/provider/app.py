"""The stand-in as one ASGI app. Everything it is made of is made here and handed on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from kernel.clock import Clock, SystemClock
from kernel.web.app import build_app, running
from kernel.web.edge import App
from kernel.web.links import Links
from kernel.web.pages import Pages
from sandbox.provider.config import ProviderConfig
from sandbox.provider.consumer import Consumer
from sandbox.provider.desk import Desk, Sleep
from sandbox.provider.outbox import Outbox
from sandbox.provider.records import Records
from sandbox.provider.switchboard import Switchboard
from sandbox.provider.web import backstage
from sandbox.provider.web.calls import Calls

ROOT = Path(__file__).parents[2]

ROUTES: tuple[Any, ...] = (
    backstage.show_door,
    backstage.show_faults,
    backstage.change_faults,
    backstage.patch_faults,
    backstage.show_struck,
    backstage.show_presets,
    backstage.show_halls,
    backstage.show_truth,
    backstage.show_switchboard,
    backstage.change_switchboard,
)


def build(
    config: ProviderConfig,
    *,
    links: Links,
    clock: Clock | None = None,
    chance: Random | None = None,
    sleep: Sleep = asyncio.sleep,
) -> App:
    """Raises FileBrokenError when the records cannot be opened. `sleep` is the pause of every
    fault and of the race; `links` knows this process as `provider`.
    """
    desk = _furnish(config, clock or SystemClock(), chance or SystemRandom(), sleep)
    return build_app(
        "provider",
        ROUTES,
        links=links,
        provide={"desk": desk},
        ready={"records": _reach(desk)},
        lifespan=[_life(desk), running(desk.consumer.run)],
        pages=Pages(ROOT / "templates", ROOT / "static", ROOT / "locale", links),
        static=ROOT / "static",
        inner=lambda app: Calls(desk, app, with_extras=config.extras),
        body_max=None,
    )


def _furnish(config: ProviderConfig, clock: Clock, chance: Random, sleep: Sleep) -> Desk:
    records = Records(config.records)
    switchboard = Switchboard(records, chance)
    outbox = Outbox(records, switchboard, clock)
    return Desk(
        records=records,
        switchboard=switchboard,
        outbox=outbox,
        consumer=Consumer(records, outbox, switchboard, clock),
        clock=clock,
        chance=chance,
        sleep=sleep,
    )


def _life(desk: Desk) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(app: Any) -> AsyncIterator[None]:
        del app
        yield
        desk.records.close()

    return live


def _reach(desk: Desk) -> Callable[[], Any]:
    async def reach() -> None:
        desk.records.setting("faults")

    return reach
