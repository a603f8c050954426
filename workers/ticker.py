"""The ticker: what has to happen by the clock, each piece on its own beat.

A piece whose store is away waits alone; the others go on. Every piece may run in several
tickers at once: the room tick is led by one of them, the others are idempotent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
import structlog

from kernel.clock import Clock
from sales.admission import Admissions
from sales.holds import Holds
from sales.orders import Orders

ROOMS_EVERY_S = 0.25
LAPSES_EVERY_S = 1.0
ABANDONED_EVERY_S = 60.0
# A piece that takes longer is given up for this time; its store is slow, not ours to pile upon.
PIECE_TIMEOUT_S = 10.0
PAUSE_S = 1.0
# The pieces that tell by their beat that this process is well.
BEATING = ("rooms", "holds", "admissions")
log = structlog.get_logger()


class RoomTick(Protocol):
    """As much of waitingroom.room.Rooms as the ticker needs."""

    async def tick_all(self, name: str) -> int | None: ...


class Piece(msgspec.Struct, frozen=True):
    """`act` answers how much it did; it is logged where it says more than nothing."""

    name: str
    every_s: float
    act: Callable[[], Awaitable[int | None]]
    is_quiet: bool = False
    timeout_s: float = PIECE_TIMEOUT_S


def pieces(
    name: str,
    clock: Clock,
    *,
    rooms: RoomTick,
    holds: Holds,
    admissions: Admissions,
    orders: Orders,
) -> list[Piece]:
    """`name` tells this ticker from others that would lead the rooms."""
    return [
        Piece("rooms", ROOMS_EVERY_S, lambda: rooms.tick_all(name), is_quiet=True),
        Piece("holds", LAPSES_EVERY_S, lambda: holds.lapse(clock.now())),
        Piece("admissions", LAPSES_EVERY_S, admissions.lapse),
        Piece("abandoned", ABANDONED_EVERY_S, orders.close_abandoned),
    ]


def _ignore(_: str) -> None:
    """Nobody takes this process's pulse."""


class Ticker:
    def __init__(self, given: Sequence[Piece], beat: Callable[[str], None] = _ignore) -> None:
        self._pieces, self._beat = given, beat

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; the step in hand is finished."""
        await asyncio.gather(*(self._go_round(piece, stop) for piece in self._pieces))

    async def tick_once(self) -> dict[str, bool]:
        """Every piece once; which of them could be done."""
        done = await asyncio.gather(*(self._step(piece) for piece in self._pieces))
        return {piece.name: ok for piece, ok in zip(self._pieces, done, strict=True)}

    async def _go_round(self, piece: Piece, stop: asyncio.Event) -> None:
        while not stop.is_set():
            is_done = await self._step(piece)
            if is_done and piece.name in BEATING:
                self._beat(piece.name)
            with suppress(TimeoutError):
                pause_s = piece.every_s if is_done else max(PAUSE_S, piece.every_s)
                await asyncio.wait_for(stop.wait(), pause_s)

    async def _step(self, piece: Piece) -> bool:
        try:
            async with asyncio.timeout(piece.timeout_s):
                count = await piece.act()
        except Exception as error:  # noqa: BLE001  # the top loop: one store away, the others tick
            log.warning("tick failed", piece=piece.name, error=repr(error))
            return False
        if count and not piece.is_quiet:
            log.info("tick", piece=piece.name, count=count)
        return True
