"""What we compare ourselves with, on the same server and the same Redis.

`python -m loadtest.peers PORT REDIS_URL` serves
  /bare   a plain ASGI answer, as long as a status: the least this server can do
  /route  an ordinary framework route
  /join, /naive/heartbeat, /naive/claim
          the least a room can be as one would first write it: an ordinary route, one script a
          request; nobody is known again, nothing is signed
  /same/entries, /same/heartbeats, /same/claims
          the same with the answers that ours gives (loadtest.peer_room)
  /naive/zjoin, /zplace
          the room of the tutorials: who waits is in a sorted set, each poll asks for the rank

It stops with SIGTERM.
"""

import asyncio
import gc
import secrets
import signal
import sys
import time
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import Litestar, get, post
from litestar.params import FromPath
from redis.asyncio import BlockingConnectionPool, Redis

from loadtest import peer_room

# As a room's status is, in shape and length.
BODY = (
    b'{"event":1,"state":"open","mode":"on","armed_at":null,"generation":1795406395,"serving":20112,'
    b'"issued":241377,"living":221265,"rate_per_minute":1000000,"in_flight":2000,"ceiling":1000000,'
    b'"prequeue_at":null,"opens_at":null,"closes_at":null,"time_zone":"Asia/Almaty","message":"",'
    b'"updated_at":"2026-11-23T04:59:55+00:00","age_s":0,"lane":null,"awaits":null}'
)
SORTED_JOIN = """
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
return redis.call('ZRANK', KEYS[1], ARGV[1])
"""
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}


def build(redis: Any) -> Any:
    script = redis.register_script(peer_room.JOIN)

    @get("/route")
    async def route() -> dict[str, int]:
        return {"serving": 1}

    @post("/join")
    async def join() -> dict[str, int]:
        keys = ["{peer}:issued", "{peer}:places"]
        reply = await script(keys=keys, args=[secrets.token_urlsafe(16)])
        return {"number": int(reply[1])}

    scripts = {
        "heartbeat": redis.register_script(peer_room.HEARTBEAT),
        "claim": redis.register_script(peer_room.CLAIM),
        "zjoin": redis.register_script(SORTED_JOIN),
    }

    @post("/naive/{call:str}")
    async def naive(call: FromPath[str]) -> dict[str, int]:
        args = [secrets.token_urlsafe(16), time.time_ns()]
        return {"number": int(await scripts[call](keys=["{peer}:" + call], args=args) or 0)}

    @get("/zplace")
    async def zplace() -> dict[str, int]:
        """Somebody's rank, found as a poll finds it."""
        length = await redis.zcard("{peer}:zjoin")
        somebody = await redis.zrange("{peer}:zjoin", length // 2, length // 2)
        return {"position": int(await redis.zrank("{peer}:zjoin", somebody[0]))}

    handlers = [route, join, naive, zplace, *peer_room.routes(redis)]
    framework = Litestar(handlers, openapi_config=None, logging_config=None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/bare":
            await send(START)
            await send({"type": "http.response.body", "body": BODY})
            return
        await framework(scope, receive, send)

    return app


async def main(port: int, redis_url: str) -> None:
    # A crowd waits for a connection; with the driver's ordinary pool it would be refused.
    redis: Any = Redis(connection_pool=BlockingConnectionPool.from_url(redis_url))
    server = Server(
        build(redis),
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
        backlog=4096,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    # As our own processes do.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    await server.serve()
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
