"""Real engines for the tests: two Redis and one PostgreSQL of our own, in a temporary folder.

They start when a test first asks, and end with the session. Every test gets an empty Redis
database and a PostgreSQL database of its own, cloned from a migrated template.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog
from redis.asyncio import Redis

from biletter.engines import postgres as local_postgres
from biletter.engines import redis as local_redis
from biletter.engines.launch import Engine
from biletter.migrations import migrate
from kernel.clock import ManualClock
from kernel.db import open_pool
from tests.folders import own_folder, sweep
from tests.house import House
from tests.lines import Lines, drives_the_system
from tests.thrift import be_patient, read_once

TEMPLATE = "template_biletter"
NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """What the developer's shell says about Biletter must not reach the tests."""
    for name in list(os.environ):
        if name.startswith("BILETTER_") and name not in {
            "BILETTER_REDIS_SERVER",
            "BILETTER_POSTGRES_BIN",
        }:
            del os.environ[name]
    for name in ("REDIS_ROOMS_URL", "REDIS_SHOP_URL", "DATABASE_URL"):
        os.environ.pop(name, None)
    # Tests provoke failures by the dozen: the coloured tracebacks cost more than the tests.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, plain])
    if not hasattr(config, "workerinput"):
        sweep()
    read_once(pytest.MonkeyPatch())
    be_patient(pytest.MonkeyPatch())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lines:
    config.option.loadscopereorder = False
    return Lines(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest line has to begin first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: drives_the_system(item.nodeid), reverse=True)


@pytest.fixture(scope="session")
def engines_folder() -> Iterator[Path]:
    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def rooms_engine(engines_folder: Path) -> Iterator[Engine]:
    with local_redis.start(engines_folder, "rooms") as engine:
        yield engine


@pytest.fixture(scope="session")
def shop_engine(engines_folder: Path) -> Iterator[Engine]:
    with local_redis.start(engines_folder, "shop") as engine:
        yield engine


@pytest.fixture(scope="session")
def postgres_engine(engines_folder: Path) -> Iterator[Engine]:
    with local_postgres.start(engines_folder) as engine:
        yield engine


@pytest.fixture(scope="session")
def migrated_template(postgres_engine: Engine) -> str:
    """The name of a database with every migration applied, to clone from."""

    async def make() -> None:
        await _say(postgres_engine, f"CREATE DATABASE {TEMPLATE}")
        await migrate(_url_of(postgres_engine, TEMPLATE))

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
async def redis_rooms(rooms_engine: Engine) -> AsyncIterator[Redis]:
    async for client in _empty(rooms_engine):
        yield client


@pytest.fixture
async def redis_shop(shop_engine: Engine) -> AsyncIterator[Redis]:
    async for client in _empty(shop_engine):
        yield client


@pytest.fixture
async def db_url(postgres_engine: Engine, migrated_template: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated database; dropped after the test."""
    name = f"test_{next(NUMBERS)}"
    # Copying files is ten times quicker than logging them; without fsync its checkpoints are cheap.
    await _say(
        postgres_engine,
        f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY FILE_COPY",
    )
    yield _url_of(postgres_engine, name)
    await _say(postgres_engine, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(db_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(db_url)
    yield pool
    pool.terminate()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The whole real system with its demo data, as script/server runs it, on free ports.

    One for the session: tests of it make accounts and events of their own.
    """
    house = House(tmp_path_factory.mktemp("server") / "data", command=["script/server"])
    try:
        house.start()
        yield house
    finally:
        house.end()


async def _empty(engine: Engine) -> AsyncIterator[Redis]:
    client = Redis.from_url(engine.url)
    await client.flushall()
    yield client
    await client.flushall()
    await client.aclose()


async def _say(engine: Engine, statement: str) -> None:
    conn = await asyncpg.connect(_url_of(engine, "postgres"))
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


def _url_of(engine: Engine, database: str) -> str:
    return engine.url.replace(f"@/{local_postgres.DATABASE}?", f"@/{database}?")
