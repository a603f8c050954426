"""What sales asks the waiting room on behalf of a program: may this account in without a place?

Asked once at a time for each account. A "no" that is everybody's (people wait, no room inside) is
remembered for the moment it holds, so that a storm of programs doesn't become a storm at the room.
"""

import asyncio
from typing import Protocol

import msgspec

from kernel.clock import Clock
from kernel.errors import TryAgain

# Questions under way at once from this process; who comes on top asks again.
ASKING_MAX = 64
CROWD_RETRY_MS = 1_000
# A "no" is believed no longer than this: the next moment may be another.
BELIEVED_MAX_MS = 1_000


class RoomAway(TryAgain):
    """Очередь ненадолго недоступна, попробуйте ещё раз."""

    code = "room-away"


class Let(msgspec.Struct, frozen=True):
    """Let in: the pass, and its jti."""

    token: str
    jti: str


class Busy(msgspec.Struct, frozen=True):
    """Not now. `reason`: waiting, rate, ceiling, paused, held, …"""

    reason: str
    retry_ms: int


class RoomDesk(Protocol):
    async def admit(self, event_id: int, subject: str, over: str | None) -> Let | Busy | None:
        """None: nobody needs a pass now. `over`: the jti of a visit that has ended. Raises
        RoomAway, soon.
        """
        ...


class Asker:
    def __init__(self, desk: RoomDesk, clock: Clock) -> None:
        self._desk, self._clock = desk, clock
        self._asking: dict[tuple[int, str], asyncio.Task[Let | Busy | None]] = {}
        # Until when which "no" holds for everybody at the event.
        self._refused: dict[int, tuple[int, Busy]] = {}

    async def ask(self, event_id: int, subject: str, over: str | None = None) -> Let | Busy | None:
        """As RoomDesk.admit."""
        until_ms, busy = self._refused.get(event_id, (0, None))
        now_ms = self._clock.ms()
        # A clock that jumped back must not make a "no" last.
        if busy is not None and now_ms < until_ms <= now_ms + BELIEVED_MAX_MS:
            return busy
        key = (event_id, subject)
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= ASKING_MAX:
                return Busy("crowd", CROWD_RETRY_MS)
            task = asyncio.create_task(self._ask(event_id, subject, over))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        # Whoever hangs up doesn't take the answer from the others.
        return await asyncio.shield(task)

    async def _ask(self, event_id: int, subject: str, over: str | None) -> Let | Busy | None:
        said = await self._desk.admit(event_id, subject, over)
        if isinstance(said, Busy):
            until_ms = self._clock.ms() + min(said.retry_ms, BELIEVED_MAX_MS)
            self._refused[event_id] = (until_ms, said)
        return said
