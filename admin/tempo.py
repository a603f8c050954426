"""How many each room really let in during the last minute, sampled from its snapshots."""

import asyncio
from collections import deque

from kernel.clock import Clock
from waitingroom.room import Rooms

SAMPLE_EVERY_S = 1.0
WINDOW_MS = 60_000
# Less than this says little.
WINDOW_MIN_MS = 5_000


class Tempo:
    def __init__(self, rooms: Rooms, clock: Clock) -> None:
        self._rooms = rooms
        self._clock = clock
        self._samples: dict[int, deque[tuple[int, int]]] = {}

    async def run(self) -> None:
        """Forever; for a lifespan."""
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_EVERY_S)

    def sample(self) -> None:
        now = self._clock.ms()
        for event in self._rooms.reader.events():
            claimed = self._rooms.snapshot(event).let_in
            samples = self._samples.setdefault(event, deque())
            if samples and claimed < samples[-1][1]:  # the line began anew
                samples.clear()
            samples.append((now, claimed))
            while samples[0][0] < now - WINDOW_MS:
                samples.popleft()

    def per_minute(self, event: int) -> int | None:
        """Let in within the last minute; None: watched for too short a time."""
        samples = self._samples.get(event)
        if not samples or samples[-1][0] - samples[0][0] < WINDOW_MIN_MS:
            return None
        span_ms = samples[-1][0] - samples[0][0]
        return round((samples[-1][1] - samples[0][1]) * WINDOW_MS / span_ms)
