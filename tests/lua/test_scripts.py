"""How scripts reach Redis."""

import asyncio
from pathlib import Path

import pytest

from kernel.lua import LuaScripts

WRITE = "redis.call('INCR', KEYS[1]) return {'written'}"
READ = "return {redis.call('GET', KEYS[1]) or 'nothing'}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "write.lua").write_text(WRITE)
    (tmp_path / "read.lua").write_text(READ)
    return tmp_path


async def ask_together(scripts: LuaScripts) -> list[list[object]]:
    asked = [scripts.run("write", ["{one}:n"]), scripts.run("read", ["{one}:n"])]
    return await asyncio.gather(*asked)


async def test_calls_keep_their_order_where_redis_knows_only_the_later_one(redis_shop, folder):
    await redis_shop.script_flush()
    await redis_shop.script_load(READ)
    assert await ask_together(LuaScripts(redis_shop, folder)) == [[b"written"], [b"1"]]


async def test_after_a_restart_they_keep_it_too(redis_shop, folder):
    scripts = LuaScripts(redis_shop, folder)
    await scripts.run("read", ["{one}:n"])
    await redis_shop.script_flush()
    await scripts.run("read", ["{one}:n"])
    assert await ask_together(scripts) == [[b"written"], [b"1"]]
