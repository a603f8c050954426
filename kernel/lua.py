"""Redis commands written in Lua: one file a command, run by name.

All runs that one turn of the event loop asks for travel in one pipeline: measured here, that
carries almost twice as many single-script requests a second as one round trip each.
A script is sent by its hash; a Redis is taught all of them before the first call, and again when it
turns out not to know one (restart, failover).

What several commands do alike stands in `parts/`: a line `--@ name` in a command becomes the text
of `parts/name.lua`.
"""

import re
from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from kernel.convoy import Convoy
from kernel.wire import RUN_CHARS, TIMEOUT_S, Commands, Wire

Arg = str | bytes | int
Reply = list[Any]
PART = re.compile(r"^--@ (\w+)$", re.MULTILINE)
# The script's name, hash and keys; what stands before the server's run, or None; the arguments.
Call = tuple[str, tuple[Arg, ...], str | None, tuple[Arg, ...]]
# One pipeline stays small enough that Redis answers others in between (about 5 ms of work).
PIPELINE_MAX = 256
# Pipelines under way at once. Beyond that calls wait for the next to land and travel together,
# so that a burst never asks for more connections than a pool has.
FLIGHTS_MAX = 8


class LuaScripts:
    def __init__(self, redis: "Redis", folder: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._redis = redis
        pool = getattr(redis, "connection_pool", None)
        self._wire = Wire(pool, timeout_s) if pool else None
        self._texts = {file.stem: _with_parts(file) for file in folder.glob("*.lua")}
        self._is_taught = False
        self._hashes = {
            name: sha1(text.encode(), usedforsecurity=False).hexdigest()
            for name, text in self._texts.items()
        }
        self._calls: Convoy[Call, Reply] = Convoy(
            self._answers, size_max=PIPELINE_MAX, flights_max=FLIGHTS_MAX
        )

    async def run(
        self,
        name: str,
        keys: Sequence[str | bytes],
        args: Sequence[Arg] = (),
        *,
        fence: str | None = None,
    ) -> Reply:
        """Run the command and return its reply: a status word, then fields. `fence`: goes before
        the arguments, with the run of the very server that gets the command at its end.

        Raises redis.exceptions.RedisError when Redis does not answer: the caller then does not
        know whether the command ran.
        """
        return await self._calls.ask(self._call(name, keys, fence, args))

    async def send(self, name: str, keys: Sequence[str | bytes], args: Sequence[Arg] = ()) -> Reply:
        """As `run`, for callers who gather what they ask by themselves: it leaves at once."""
        replies = await self._answers([self._call(name, keys, None, args)])
        if isinstance(replies[0], BaseException):
            raise replies[0]
        return replies[0]

    def _call(
        self, name: str, keys: Sequence[str | bytes], fence: str | None, args: Sequence[Arg]
    ) -> Call:
        return name, (self._hashes[name], len(keys), *keys), fence, tuple(args)

    async def _answers(self, calls: list[Call]) -> list[Reply | BaseException]:
        if not self._is_taught:
            await self._teach()
            self._is_taught = True
        replies = await self._send(calls)
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            await self._teach()
            again = await self._send([calls[i] for i in unknown])
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        return [reply if isinstance(reply, list | BaseException) else [reply] for reply in replies]

    async def _send(self, calls: list[Call]) -> list[Any]:
        def commands(run: str = "") -> Commands:
            return [
                ("EVALSHA", *head, *args)
                if fence is None
                else ("EVALSHA", *head, fence + run, *args)
                for _, head, fence, args in calls
            ]

        is_fenced = any(call[2] is not None for call in calls)
        if self._wire is not None:
            return await self._wire.send(commands if is_fenced else commands())
        # Which connection or node is asked is for the driver to find out: its run is asked before.
        run = (await self._redis.info("server"))["run_id"][:RUN_CHARS] if is_fenced else ""
        pipe = self._redis.pipeline(transaction=False)
        for command in commands(run):
            pipe.execute_command(*command)
        return list(await pipe.execute(raise_on_error=False))

    async def _teach(self) -> None:
        """All of them, always: were one known and the one before it in a pipeline not, they would
        run in the wrong order.
        """
        for text in self._texts.values():
            await self._redis.script_load(text)


def _with_parts(file: Path) -> str:
    parts = file.parent / "parts"
    return PART.sub(
        lambda found: (parts / f"{found[1]}.lua").read_text("utf-8"), file.read_text("utf-8")
    )


def word(reply: Reply) -> str:
    """The status word a reply begins with."""
    head = reply[0]
    return head.decode() if isinstance(head, bytes) else str(head)
