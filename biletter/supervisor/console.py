"""What a person at the terminal sees: readable lines, each with its duty's name.

A thread of its own writes, from a bounded queue: a terminal that stands still (a pipe nobody
reads) must never make a duty wait. Lines that don't fit are dropped here; the log files have all.
"""

import queue
import sys
import threading
import time
from typing import TextIO

import msgspec

QUEUE_LINES_MAX = 2_000
# A flood of one duty must not drown the others on the screen.
LINES_PER_S_MAX = 40
NAME_WIDTH = 13
LINE_CHARACTERS_MAX = 400
FLUSH_WITHIN_S = 1.0
# Said by the prefix, or noise on a screen.
HIDDEN_FIELDS = {"timestamp", "level", "event", "duty", "request_id", "logger"}


class Console:
    """The supervisor's voice."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUE_LINES_MAX)
        self._budgets: dict[str, tuple[int, int]] = {}
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def announce(self, text: str) -> None:
        """The supervisor's own words."""
        for line in text.splitlines():
            self._put(line)

    def relay(self, duty: str, raw: bytes) -> None:
        """One line a duty wrote, without its line end."""
        second, used = int(time.monotonic()), 0
        if self._budgets.get(duty, (0, 0))[0] == second:
            used = self._budgets[duty][1]
        self._budgets[duty] = (second, used + 1)
        if used < LINES_PER_S_MAX:
            line = readable(raw).removeprefix(f"{duty}: ")[:LINE_CHARACTERS_MAX]
            self._put(f"{duty:<{NAME_WIDTH}}| {line}")
        elif used == LINES_PER_S_MAX:
            self._put(f"{duty:<{NAME_WIDTH}}| (more in its log file)")

    def close(self) -> None:
        """Gives what is still queued a moment to be written."""
        self._put(None)
        self._writer.join(FLUSH_WITHIN_S)

    def _put(self, line: str | None) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._lines.get_nowait()  # nobody reads: the oldest goes
            self._lines.put_nowait(line)

    def _write(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                self._out.write(line + "\n")
                self._out.flush()
        except (OSError, ValueError):
            return  # the terminal has gone; the queue then overwrites itself


def readable(raw: bytes) -> str:
    """A structured log line as a person reads it; any other line as it is."""
    text = raw.decode(errors="replace").rstrip()
    if not text.startswith("{"):
        return text
    try:
        entry = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return text
    clock = str(entry.get("timestamp", ""))[11:19]
    fields = " ".join(f"{key}={value}" for key, value in entry.items() if key not in HIDDEN_FIELDS)
    return f"{clock} {entry.get('level', '')}: {entry.get('event', '')} {fields}".strip()
