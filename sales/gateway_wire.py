"""The wire to the payment gateway: one POST of JSON, one bounded answer, nothing by itself.

Never follows a redirect, never repeats a call, believes no proxy settings of the environment.
"""

from typing import Final, Protocol

import aiohttp
import msgspec

# Longer than the gateway's usual answer, shorter than a buyer's patience: (seconds)
TOTAL_S: Final = 8.0
# for an answer to begin or go on,
READ_S: Final = 6.0
# for a connection, a free place in the pool included,
CONNECT_S: Final = 2.5
# and for the other side to accept it.
SOCKET_CONNECT_S: Final = 2.0
CONNECTIONS_MAX: Final = 64
# Shorter than servers usually keep a quiet connection: who is first to close loses no call.
KEEP_ALIVE_S: Final = 4.0
# Its largest answer is a tenth of this.
ANSWER_BYTES_MAX: Final = 256 * 1024


class WireError(Exception):
    """No answer that can be read, whether the call was carried out or not."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    content: bytes


class Wire(Protocol):
    async def post(self, path: str, body: bytes) -> Answer:
        """Raises WireError."""
        ...

    async def close(self) -> None: ...


class HttpWire:
    def __init__(
        self,
        base_url: str,
        *,
        total_s: float = TOTAL_S,
        read_s: float = READ_S,
        connections: int = CONNECTIONS_MAX,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(
            total=total_s, connect=CONNECT_S, sock_connect=SOCKET_CONNECT_S, sock_read=read_s
        )
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: bytes) -> Answer:
        return await self.send("POST", path, body)

    async def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Any other call. Raises WireError."""
        try:
            async with self._open().request(
                method, self._base + path, data=body, allow_redirects=False
            ) as answer:
                return Answer(answer.status, await _read(answer))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise WireError(repr(error)) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Made at the first call, because it belongs to the running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=KEEP_ALIVE_S
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                skip_auto_headers=["User-Agent", "Accept"],
            )
        return self._session


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, if it has a reasonable size."""
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            answer.close()
            raise WireError("the answer is too long")
    return bytes(content)
