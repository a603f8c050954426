"""How every web process is put together: routes of a context inside the common edge."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Response, get
from litestar.config.app import AppConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kernel.web.addresses import need_plain_address
from kernel.web.binding import with_objects
from kernel.web.document import WholeBounds
from kernel.web.edge import BODY_MAX_BYTES, App, Edge
from kernel.web.links import Links
from kernel.web.pages import Pages
from kernel.web.problems import handlers as exception_handlers
from kernel.web.shortway import ShortWay

# A readiness probe that takes longer than this has answered "no".
READY_TIMEOUT_S = 2.0
# For the `security` of handlers that programs call with an account.
BASIC_AUTH = SecurityScheme(
    type="http", scheme="basic", description="E-mail and password, UTF-8, parted by a colon."
)

Check = Callable[[], Awaitable[object]]
Lifespan = Callable[[], Any]


def build_app(
    name: str,
    routes: Sequence[Any],
    *,
    links: Links,
    provide: Mapping[str, Any] | None = None,
    dependencies: Mapping[str, Provide] | None = None,
    ready: Mapping[str, Check] | None = None,
    lifespan: Sequence[Any] = (),
    pages: Pages | None = None,
    static: Path | None = None,
    hot: Mapping[str, App] | None = None,
    inner: Callable[[App], App] | None = None,
    exceptions: Mapping[Any, Any] | None = None,
    body_max: int | None = BODY_MAX_BYTES,
    schemes: Mapping[str, SecurityScheme] | None = None,
) -> Edge:
    """`provide` are ready objects, handed to handlers by name; `dependencies` are Litestar
    providers that depend on the request; `ready` are checks named after what they reach, raising
    when it is not there; `hot` see kernel.web.edge; `inner` wraps the routes inside the edge, so
    that hot calls don't pass through it; `body_max` see kernel.web.edge; `schemes`: ways to say
    who calls, besides HTTP Basic, for the `security` of handlers.
    """
    objects = {**(provide or {}), **({"pages": pages} if pages else {})}
    given = {key: Provide(_constant(value), use_cache=True) for key, value in objects.items()}
    asked = dict(dependencies or {})
    files = [_static_files(static)] if static else []
    bound = with_objects(routes, objects)
    app = Litestar(
        route_handlers=[*bound, *_health_routes(ready or {}), *files],
        dependencies={**given, **asked},
        exception_handlers={**exception_handlers(), **(exceptions or {})},
        guards=[need_plain_address],
        lifespan=list(lifespan),
        state=State({"pages": pages, "links": links}),
        openapi_config=OpenAPIConfig(
            title=f"Biletter {name}",
            version="1",
            path="/openapi",
            render_plugins=[WholeBounds()],
            components=Components(security_schemes={"basicAuth": BASIC_AUTH, **(schemes or {})}),
        ),
        request_max_body_size=BODY_MAX_BYTES,
        logging_config=None,
        on_app_init=[_quiet],
    )
    short = ShortWay(app, bound, {name: one.dependency for name, one in asked.items()})
    return Edge(inner(short) if inner else short, links, hot, body_max)


def _health_routes(ready: Mapping[str, Check]) -> list[Any]:
    @get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @get("/health/ready", include_in_schema=False)
    async def is_ready() -> Response[bytes]:
        names = list(ready)
        answers = await asyncio.gather(*(_try(check) for check in ready.values()))
        missing = {name: why for name, why in zip(names, answers, strict=True) if why}
        body = {"status": "not ready", "missing": missing} if missing else {"status": "ready"}
        return Response(
            msgspec.json.encode(body),
            status_code=503 if missing else 200,
            media_type="application/json",
        )

    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [live, is_ready, metrics]


async def _try(check: Check) -> str | None:
    try:
        await asyncio.wait_for(check(), READY_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001  # whatever fails, the answer is "not ready, because"
        return f"{type(error).__name__}: {error}"
    return None


def _constant(value: Any) -> Callable[[], Awaitable[Any]]:
    async def give() -> Any:
        return value

    return give


def _static_files(folder: Path) -> Any:
    """Addresses carry their content's hash (kernel.web.pages), so browsers may keep the files."""
    year = CacheControlHeader(max_age=365 * 24 * 3600, public=True, immutable=True)
    return create_static_files_router(
        "/static", [folder], name="static", cache_control=year, include_in_schema=False
    )


def _quiet(config: AppConfig) -> AppConfig:
    config.debug = False
    return config


@asynccontextmanager
async def running(task: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """A background coroutine that lives as long as the app; for `lifespan`."""
    runner = asyncio.ensure_future(task())
    try:
        yield
    finally:
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
