"""The stand-in as one ASGI app. Everything it is made of is made here and handed on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import structlog
from litestar import Response, get

from kernel.clock import Clock, SystemClock
from kernel.web.app import build_app
from kernel.web.links import Links
from kernel.web.pages import Pages
from sandbox.toleubar.books import Books
from sandbox.toleubar.config import ToleuBarConfig
from sandbox.toleubar.courier import Courier, Sleep
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.memory import Memory
from sandbox.toleubar.merchant import Merchant
from sandbox.toleubar.switchboard import Switchboard
from sandbox.toleubar.tokens import Credentials
from sandbox.toleubar.web import books, form, self_service, switches
from sandbox.toleubar.web.answers import answer, refusal_handlers
from sandbox.toleubar.web.blank import Blanks
from sandbox.toleubar.web.calls import Calls
from sandbox.toleubar.web.door import Door

ROOT = Path(__file__).parents[2]
EXPIRE_EVERY_S = 1.0
# A card in work may finish before the process goes.
CARDS_GRACE_S = 3.0

ROUTES: tuple[Any, ...] = (
    form.render_form,
    form.submit_form,
    form.show_result,
    self_service.show_profile,
    self_service.change_profile,
    self_service.clear_database,
    self_service.clear_team,
    books.show_books,
    switches.show_faults,
    switches.change_faults,
    switches.patch_faults,
    switches.show_struck,
    switches.show_presets,
    switches.show_switchboard,
    switches.change_switchboard,
)
log = structlog.get_logger()


def build(
    config: ToleuBarConfig,
    *,
    links: Links,
    clock: Clock | None = None,
    chance: Random | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Door:
    """Raises FileBrokenError when the books cannot be opened. `sleep` is the pause between
    webhook attempts and of every delay; `links` knows this process as `toleubar`.
    """
    desk = _furnish(config, links, clock or SystemClock(), chance or SystemRandom(), sleep)
    edge = build_app(
        "toleubar",
        [*ROUTES, _health(desk)],
        links=links,
        provide={"desk": desk, "config": config},
        ready={"books": _reach(desk)},
        lifespan=[_life(desk)],
        pages=Pages(ROOT / "templates", ROOT / "static", ROOT / "locale", links),
        static=ROOT / "static",
        inner=lambda app: Calls(desk, app),
        exceptions=refusal_handlers(desk.clock),
        body_max=None,
    )
    return Door(edge)


def _furnish(
    config: ToleuBarConfig, links: Links, clock: Clock, chance: Random, sleep: Sleep
) -> Desk:
    kept = Books(config.books)
    merchant, switchboard = Merchant(config, kept), Switchboard(kept, chance)
    courier = Courier(
        books=kept,
        merchant=merchant,
        switchboard=switchboard,
        chance=chance,
        sleep=sleep,
        secret=config.webhook_secret,
    )
    return Desk(
        who=Credentials(config.team_slug, config.password),
        books=kept,
        merchant=merchant,
        switchboard=switchboard,
        courier=courier,
        clock=clock,
        chance=chance,
        sleep=sleep,
        memory=Memory(),
        links=links,
        public_base_url=config.public_base_url,
        cards={},
    )


def _life(desk: Desk) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(app: Any) -> AsyncIterator[None]:
        app.state["blanks"] = Blanks()
        resumed = desk.courier.resume()
        if resumed:
            log.info("kept webhooks resumed", count=resumed)
        sweep = asyncio.ensure_future(_sweep(desk))
        try:
            yield
        finally:
            sweep.cancel()
            await asyncio.gather(sweep, return_exceptions=True)
            if desk.cards:
                await asyncio.wait(desk.cards.values(), timeout=CARDS_GRACE_S)
            await desk.courier.close()
            desk.books.close()

    return live


async def _sweep(desk: Desk) -> None:
    while True:
        try:
            desk.expire()
        except Exception:  # the top loop of the sweep: one bad moment must not end expiry
            log.exception("expiry failed")
        await asyncio.sleep(EXPIRE_EVERY_S)


def _reach(desk: Desk) -> Callable[[], Any]:
    async def reach() -> None:
        desk.books.setting("faults")

    return reach


def _health(desk: Desk) -> Any:
    @get("/health", include_in_schema=False)
    async def health() -> Response[bytes]:
        desk.books.setting("faults")
        return answer({"status": "Healthy"})

    return health
