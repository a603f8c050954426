"""Posting over real sockets, to receivers of every temper."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sandbox.toleubar.postman import Postman, UndeliveredError

Temper = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def receiver(temper: Temper) -> AsyncIterator[str]:
    server = await asyncio.start_server(temper, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"


@pytest.fixture
async def postman() -> AsyncIterator[Postman]:
    postman = Postman()
    yield postman
    await postman.close()


async def take(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def answering(*answers: bytes, taken: list[bytes] | None = None) -> Temper:
    """One connection takes as many letters as there are answers, then closes."""

    async def temper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                letter = await take(reader)
                if taken is not None:
                    taken.append(letter)
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await writer.wait_closed()

    return temper


async def test_the_letter_arrives_as_it_was_written(postman):
    taken: list[bytes] = []
    async with receiver(answering(OK, taken=taken)) as url:
        assert await postman.post(url, b'{"a":1}', {"X-Name": "v"}) == 200
    head, _, body = taken[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-Name: v" in head
    assert body == b'{"a":1}'


async def test_a_connection_is_kept_and_a_dead_one_is_replaced(postman):
    connections = 0
    two_each = answering(OK, OK)

    async def temper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await two_each(reader, writer)

    async with receiver(temper) as url:
        for _ in range(5):
            assert await postman.post(url, b"{}", {}) == 200
    assert connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nx",
    ],
)
async def test_an_answer_whose_end_is_not_known_ends_the_connection(postman, answer):
    async with receiver(answering(answer)) as url:
        for _ in range(2):
            assert await postman.post(url, b"{}", {}) in {200, 204}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_undelivered(postman, answer):
    async with receiver(answering(answer)) as url:
        with pytest.raises(UndeliveredError):
            await postman.post(url, b"{}", {})


async def test_nobody_at_the_address_is_undelivered(postman):
    with pytest.raises(UndeliveredError):
        await postman.post("http://127.0.0.1:9/", b"{}", {})
