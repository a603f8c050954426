"""`biletter up`: opens the house, stays until somebody says stop, closes it.

SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal closes) all mean stop; a second one hurries.
"""

import asyncio
import contextlib
import signal
import time
from pathlib import Path

from biletter.settings import Settings
from biletter.supervisor.console import Console
from biletter.supervisor.greeting import greeting
from biletter.supervisor.house import House

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """Whether somebody has said stop, and whether they have said it twice."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started under nohup: it shall outlive the terminal
            loop.add_signal_handler(number, self._hear)

    def _hear(self) -> None:
        (self.hurry if self.asked.is_set() else self.asked).set()


async def up(settings: Settings, procfile: Path, *, demo: bool) -> None:
    """Runs until stopped. Raises Trouble when the house could not open; it is closed then too."""
    began = time.monotonic()
    stop = Stop()
    stop.listen()
    console = Console()
    house: House | None = None
    try:
        house = House(settings, procfile, console, demo=demo)
        console.announce("Biletter is starting (Ctrl-C stops it) …")
        opening = asyncio.create_task(house.open())
        if await _before_stop(opening, stop):
            took_s = time.monotonic() - began
            console.announce(greeting(settings, house.addresses(), took_s, demo=demo))
            await stop.asked.wait()
        console.announce("Biletter is stopping …")
    finally:
        if house is not None:
            await house.close(stop.hurry)
        console.close()
    print("Biletter has stopped; its data stays in", settings.data, flush=True)  # noqa: T201


async def _before_stop(opening: asyncio.Task[None], stop: Stop) -> bool:
    """Whether the house opened before somebody said stop. Raises what the opening raised."""
    asked = asyncio.create_task(stop.asked.wait())
    await asyncio.wait({opening, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if opening.done():
        opening.result()
        return True
    opening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await opening
    return False
