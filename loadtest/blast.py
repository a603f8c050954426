"""As many requests as one server takes from a few connections, measured at both ends.

The generator shares the machine with what it loads, so a rate alone says little: beside the rate
stands what one request cost the server in processor time, which no generator can flatter.
"""

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Blast(msgspec.Struct, frozen=True):
    """What one burst showed. Latencies in seconds, sorted."""

    answered: int
    seconds: float
    server_cpu_s: float
    statuses: dict[int, int]
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    @property
    def cpu_us(self) -> float:
        """Processor time of the server for one request, in microseconds."""
        return self.server_cpu_s / max(1, self.answered) * 1e6

    def ms(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))] * 1e3


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered, until told to stop."""

    def __init__(
        self,
        next_request: Callable[[], bytes | None],
        every_s: float,
        first_s: float,
        bodies: list[bytes] | None,
    ) -> None:
        """Every `every_s` at most, if not 0; a late one counts from when it was due."""
        self._next = next_request
        self._every_s, self._first_s = every_s, first_s
        self._bodies = bodies
        self._buffer = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._due_at = time.perf_counter() + self._first_s
        self._when_due()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + len(HEAD_END) + length:
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if self._bodies is not None:
            self._bodies.append(self._buffer[end + len(HEAD_END) :])
        self._buffer = b""
        self._due_at += self._every_s
        self._when_due()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the library's name
        if not self.done.done():
            self.done.set_result(None)

    def _when_due(self) -> None:
        wait_s = self._due_at - time.perf_counter()
        if self._every_s and wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
        request = self._next()
        if request is None:
            self._transport.close()
            return
        self._sent_at = self._due_at if self._every_s else time.perf_counter()
        self._transport.write(request)


async def blast(
    port: int,
    requests: Callable[[], bytes | None],
    *,
    seconds: float,
    connections: int,
    pids: Sequence[int],
    per_second: float = 0.0,
    bodies: list[bytes] | None = None,
) -> Blast:
    """Keep `connections` busy for `seconds`, or until `requests` gives None; or send so many
    `per_second`, evenly. `pids` are the processes whose processor time is counted; `bodies`
    gathers what was answered.
    """
    every_s = connections / per_second if per_second else 0.0
    stop_at = time.perf_counter() + seconds

    def bounded() -> bytes | None:
        return requests() if time.perf_counter() < stop_at else None

    # A collection here would look like a slow answer of the server's.
    gc.collect()
    gc.disable()
    try:
        return await _blast(port, bounded, connections, pids, every_s, bodies)
    finally:
        gc.enable()


async def _blast(
    port: int,
    requests: Callable[[], bytes | None],
    connections: int,
    pids: Sequence[int],
    every_s: float,
    bodies: list[bytes] | None,
) -> Blast:
    loop = asyncio.get_running_loop()
    before, started = cpu_seconds(pids), time.perf_counter()
    lines: list[_Connection] = []
    for n in range(connections):
        first_s = every_s * n / connections
        make = partial(_Connection, requests, every_s, first_s, bodies)
        lines.append((await loop.create_connection(make, "127.0.0.1", port))[1])
    await asyncio.gather(*(line.done for line in lines))
    spent = time.perf_counter() - started
    statuses: dict[int, int] = {}
    for line in lines:
        for status, count in line.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    latencies = sorted(value for line in lines for value in line.latencies)
    return Blast(len(latencies), spent, cpu_seconds(pids) - before, statuses, latencies)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time these processes have used so far."""
    total = 0
    for pid in pids:
        # One that has ended in between (an autovacuum worker) takes its time along.
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS


def get(path: str, headers: dict[str, str] | None = None) -> bytes:
    return message("GET", path, headers)


def message(
    method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + HEAD_END + body
