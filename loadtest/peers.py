"""What we compare ourselves with, on the same server and the same Redis.

`python -m loadtest.peers PORT REDIS_URL` serves
  /bare   a plain ASGI answer: the least this server can do
  /route  an ordinary framework route
  /join   the room as one would first write it: an ordinary route, one script a request

It stops with SIGTERM.
"""

import asyncio
import secrets
import signal
import sys
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import Litestar, get, post
from redis.asyncio import Redis

BODY = b'{"event":1,"state":"open","serving":1,"issued":2}'
NAIVE_JOIN = """
local number = redis.call('HGET', KEYS[2], ARGV[1])
if number then return {'again', number} end
number = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], number)
return {'joined', number}
"""
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}


def build(redis: Any) -> Any:
    script = redis.register_script(NAIVE_JOIN)

    @get("/route")
    async def route() -> dict[str, int]:
        return {"serving": 1}

    @post("/join")
    async def join() -> dict[str, int]:
        keys = ["{peer}:issued", "{peer}:places"]
        reply = await script(keys=keys, args=[secrets.token_urlsafe(16)])
        return {"number": int(reply[1])}

    framework = Litestar([route, join], openapi_config=None, logging_config=None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/bare":
            await send(START)
            await send({"type": "http.response.body", "body": BODY})
            return
        await framework(scope, receive, send)

    return app


async def main(port: int, redis_url: str) -> None:
    redis: Any = Redis.from_url(redis_url)
    server = Server(
        build(redis),
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
        backlog=4096,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
