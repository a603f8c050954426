"""The wire to the gateway over real sockets: bounded in time and size, nothing by itself."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager

import pytest

from sales.gateway_wire import ANSWER_BYTES_MAX, Answer, HttpWire, WireError

BODY = b'{"amount":1}'


class Peer:
    """A server that plays its script: one raw answer a request; None closes without a word, a
    number waits so many seconds and then closes.
    """

    def __init__(self, *script):
        self.script = deque(script)
        self.connections = 0
        self.heads = []
        self.bodies = []

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while self.script:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head.decode().lower())
                self.bodies.append(await reader.readexactly(len(BODY)))
                answer = self.script.popleft()
                if not isinstance(answer, bytes):
                    await asyncio.sleep(answer or 0)
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


@asynccontextmanager
async def wired(*script, peer=None, **options):
    peer = peer or Peer(*script)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader, writer):
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await peer.serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire = HttpWire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", **options)
    try:
        yield wire, peer
    finally:
        await wire.close()
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def http(status=200, body=b"{}", *headers):
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def test_an_answer_is_its_status_and_its_bytes():
    async with wired(http(409, b"no")) as (wire, peer):
        assert await wire.post("/x", BODY) == Answer(409, b"no")
    assert peer.bodies == [BODY]
    assert peer.heads[0].startswith("post /x http/1.1")
    assert "content-type: application/json" in peer.heads[0]


async def test_calls_one_after_another_share_a_connection():
    async with wired(http(), http(), http()) as (wire, peer):
        for _ in range(3):
            await wire.post("/x", BODY)
    assert peer.connections == 1


async def test_a_redirect_is_not_followed():
    async with wired(http(302, b"", "Location: /elsewhere"), http()) as (wire, peer):
        assert (await wire.post("/x", BODY)).status == 302
    assert len(peer.bodies) == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        http(200, b"x" * (ANSWER_BYTES_MAX + 1)),
        http(200, b"not gzip", "Content-Encoding: gzip"),
    ],
)
async def test_what_is_no_answer_is_an_error_and_nothing_is_repeated(answer):
    async with wired(answer, http(), read_s=0.1) as (wire, peer):
        with pytest.raises(WireError):
            await wire.post("/x", BODY)
    assert len(peer.bodies) == 1


async def test_a_quiet_connection_that_the_other_side_closed_is_no_second_call():
    async with wired(http(), None, http()) as (wire, peer):
        await wire.post("/x", BODY)
        with pytest.raises(WireError):
            await wire.post("/x", BODY)
    assert len(peer.bodies) == 2


@pytest.mark.parametrize("patience", [{"read_s": 0.05}, {"total_s": 0.05}])
async def test_silence_has_an_end(patience):
    async with wired(5.0, **patience) as (wire, _):
        async with asyncio.timeout(1):
            with pytest.raises(WireError):
                await wire.post("/x", BODY)


class Dripping:
    async def serve(self, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)


async def test_an_answer_that_drips_has_an_end_too():
    async with wired(peer=Dripping(), total_s=0.1) as (wire, _):
        async with asyncio.timeout(1):
            with pytest.raises(WireError):
                await wire.post("/x", BODY)


async def test_where_nobody_listens_it_is_an_error_at_once():
    wire = HttpWire("http://127.0.0.1:9")
    with pytest.raises(WireError):
        await wire.post("/x", BODY)
    await wire.close()


async def test_the_environments_proxy_is_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    async with wired(http()) as (wire, _):
        assert (await wire.post("/x", BODY)).status == 200


async def test_no_more_connections_than_allowed():
    async with wired(http(), http(), http(), connections=1) as (wire, peer):
        await asyncio.gather(*(wire.post("/x", BODY) for _ in range(3)))
    assert peer.connections == 1
