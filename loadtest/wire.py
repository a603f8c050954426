"""A small HTTP/1.1 client: the load generator must be lighter than what it loads.

Keep-alive, Content-Length and chunked answers, loopback only. Not a general client: no TLS, no
redirects, no compression.
"""

import asyncio
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import msgspec

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HEAD_MAX_BYTES = 64 * 1024
TIMEOUT_S = 30.0


class Answer(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Wire:
    """Connections to one server. `request` may be called by many tasks at once."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        host = parts.hostname or ""
        if host not in LOOPBACK:
            raise ValueError(f"load goes to this machine only, not to {host!r}")
        self.base = base.rstrip("/")
        self._host, self._port = "127.0.0.1", parts.port or 80
        self._head = f"Host: {host}:{self._port}\r\n"
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        json: object = None,
        form: bytes | None = None,
    ) -> Answer:
        """One answer; raises OSError or TimeoutError when there is none."""
        payload, kind = b"", ""
        if json is not None:
            payload, kind = msgspec.json.encode(json), "application/json"
        elif form is not None:
            payload, kind = form, "application/x-www-form-urlencoded"
        lines = [f"{method} {path} HTTP/1.1\r\n{self._head}"]
        lines += [f"{name}: {value}\r\n" for name, value in (headers or {}).items()]
        if kind:
            lines.append(f"Content-Type: {kind}\r\n")
        if payload or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(payload)}\r\n")
        message = "".join(lines).encode() + b"\r\n" + payload
        async with asyncio.timeout(TIMEOUT_S):
            return await self._exchange(message)

    async def _exchange(self, message: bytes) -> Answer:
        while self._idle:
            reader, writer = self._idle.pop()
            if reader.at_eof() or writer.is_closing():
                writer.close()
                continue
            try:
                return await self._talk(reader, writer, message)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise OSError("the answer broke off") from error
                # The server closed an idle connection: nothing was answered, so ask anew.
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=HEAD_MAX_BYTES)
        try:
            return await self._talk(reader, writer, message)
        except asyncio.IncompleteReadError as error:
            raise OSError("no answer") from error

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes
    ) -> Answer:
        keep = False
        try:
            writer.write(message)
            answer = await _read(reader)
            keep = answer.headers.get("connection", "").lower() != "close"
            return answer
        finally:
            if keep:
                self._idle.append((reader, writer))
            else:
                writer.close()

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.lower()
        if key == "set-cookie" and key in headers:
            headers[key] += "\n" + value.strip()
        elif key:
            headers[key] = value.strip()
    status = int(first.split(" ", 2)[1])
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(status, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readline()
    return b"".join(parts)


def basic(email: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic, in UTF-8."""
    return {"Authorization": "Basic " + b64encode(f"{email}:{password}".encode()).decode()}
