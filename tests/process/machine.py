"""A Redis of its own with an append-only file: killed, emptied, brought back old."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from biletter.engines import redis as local_redis
from biletter.engines.launch import start_process, wait_until_answers


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self.data = folder / "redis-rooms"

    async def start(self) -> str:
        engine = local_redis.prepare(self.folder, "rooms", sockets=self.folder)
        log = self.folder / "log"
        process = self._process = start_process(engine, log)
        await wait_until_answers(engine, lambda: process.poll() is None, log)
        self._url = engine.url
        return engine.url

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def empty(self) -> None:
        for path in self.data.glob("appendonly*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    async def keep_copy(self) -> None:
        """Of all that was said until now: Redis may write a moment after it has answered."""
        async with Redis.from_url(self._url) as redis:
            while await self._unwritten(redis):
                await asyncio.sleep(0.02)
        shutil.copytree(self.data, self.folder / "copy", dirs_exist_ok=True)

    @staticmethod
    async def _unwritten(redis: Any) -> int:
        told = await redis.info("persistence")
        return int(told["aof_buffer_length"]) + int(told["aof_rewrite_in_progress"])

    def bring_back_copy(self) -> None:
        self.empty()
        shutil.copytree(self.folder / "copy", self.data, dirs_exist_ok=True)
