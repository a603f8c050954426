"""As many requests as one server takes from a few connections, measured at both ends.

The generator shares the machine with what it loads, so a rate alone says little: beside the rate
stands what one request cost the server in processor time, which no generator can flatter.
"""

import asyncio
import contextlib
import gc
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
# At a set pace requests go out by so many milliseconds: a timer for each would cost as much as it.
HANDFUL_S = 0.001


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


class _Pace:
    """So many requests a second in even handfuls, whether or not the last ones were answered: each
    goes by a line that is free, and its time counts from when its handful was due.
    """

    def __init__(self, per_second: float) -> None:
        self._each = per_second * HANDFUL_S
        # Each in its turn: one that nobody uses for half a minute is closed by the server.
        self._free: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        self._handfuls, self._asked = 0, 0
        self._started = time.perf_counter()
        asyncio.get_running_loop().call_soon(self._next_handful)
        self.is_over = False

    def free(self, line: "_Connection") -> None:
        self._free.append(line)
        self._send()

    def end(self, last: "_Connection") -> None:
        """There is nothing more to ask."""
        self.is_over = True
        for line in (last, *self._free):
            line.close()

    def _next_handful(self) -> None:
        loop = asyncio.get_running_loop()
        now = time.perf_counter()
        while not self.is_over:
            due_at = self._started + self._handfuls * HANDFUL_S
            if due_at > now:
                loop.call_later(due_at - now, self._next_handful)
                break
            self._handfuls += 1
            count = int(self._handfuls * self._each) - self._asked
            self._asked += count
            self._waiting.extend([due_at] * count)
        self._send()

    def _send(self) -> None:
        while self._waiting and self._free and not self.is_over:
            self._free.popleft().send(self._waiting.popleft())


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered, or at its pace's word, until
    told to stop.
    """

    def __init__(
        self,
        next_request: Callable[[], bytes | None],
        pace: _Pace | None,
        bodies: list[bytes] | None,
    ) -> None:
        self._next, self._pace = next_request, pace
        self._bodies = bodies
        self._buffer = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._go_on()

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
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the library's name
        if not self.done.done():
            self.done.set_result(None)

    def send(self, due_at: float | None = None) -> None:
        request = self._next()
        if request is None:
            self._pace.end(self) if self._pace else self.close()
            return
        self._sent_at = time.perf_counter() if due_at is None else due_at
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def _go_on(self) -> None:
        if self._pace is None:
            self.send()
        elif self._pace.is_over:
            self.close()
        else:
            self._pace.free(self)


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
    stop_at = time.perf_counter() + seconds

    def bounded() -> bytes | None:
        return requests() if time.perf_counter() < stop_at else None

    # A collection here would look like a slow answer of the server's.
    gc.collect()
    gc.disable()
    try:
        return await _blast(port, bounded, connections, pids, per_second, bodies)
    finally:
        gc.enable()


async def _blast(
    port: int,
    requests: Callable[[], bytes | None],
    connections: int,
    pids: Sequence[int],
    per_second: float,
    bodies: list[bytes] | None,
) -> Blast:
    loop = asyncio.get_running_loop()
    before, started = cpu_seconds(pids), time.perf_counter()
    pace = _Pace(per_second) if per_second else None
    make = partial(_Connection, requests, pace, bodies)
    lines = [(await loop.create_connection(make, "127.0.0.1", port))[1] for _ in range(connections)]
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
