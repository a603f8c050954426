"""Rooms of which some have a Redis of their own: a hot event's crowd then shares nothing with the
others, neither the load nor the loss of a Redis.
"""

import asyncio
from collections.abc import Callable, Mapping
from inspect import isroutine
from typing import Any

from redis.asyncio import Redis

from waitingroom.doorman import Doorman
from waitingroom.reader import Reader
from waitingroom.room import Rooms
from waitingroom.snapshot import Snapshot
from waitingroom.store import RoomAway

# Verbs that are about no single event.
WHOLE = frozenset({"all_events", "lead", "tick_all"})


class Readers(Reader):
    """One reader a Redis; none waits for another."""

    def __init__(self, usual: Reader, own: Mapping[int, Reader]) -> None:
        self._usual, self._own = usual, own

    def of(self, event: int) -> Snapshot:
        return self._reader(event).of(event)

    def status_bytes(self, event: int) -> bytes | None:
        return self._reader(event).status_bytes(event)

    def events(self) -> list[int]:
        return sorted({event for one in self._all() for event in one.events()})

    def age_of(self, event: int) -> int:
        return self._reader(event).age_of(event)

    async def run(self) -> None:
        await asyncio.gather(*(one.run() for one in self._all()))

    async def refresh(self) -> bool:
        return all(await asyncio.gather(*(one.refresh() for one in self._all())))

    def _all(self) -> list[Reader]:
        return [self._usual, *self._own.values()]

    def _reader(self, event: int) -> Reader:
        return self._own.get(event, self._usual)


class RoomsApart(Rooms):
    """Each verb goes to the room that its first argument, an event or something of one, means."""

    def __init__(self, redis: "Redis", own: Mapping[int, "Redis"], **options: Any) -> None:
        super().__init__(redis, **options)
        shared = options | {"door": self.door}
        self._own = {event: Rooms(one, **shared) for event, one in own.items()}
        for name, verb in list(vars(self).items()) if own else ():
            if isroutine(verb) and name not in WHOLE:
                setattr(self, name, self._sent(name, verb))
        usual = self.reader
        self._ticks = [self.tick_all, *(one.tick_all for one in self._own.values())]
        self._lists = [self.all_events, *(one.all_events for one in self._own.values())]
        self.all_events = self._every_event
        self.tick_all = self._tick_every
        self.reader = Readers(usual, {event: one.reader for event, one in self._own.items()})
        self.doorman = Doorman(self.keyring, self.clock, self)

    def _sent(self, name: str, usual: Callable[..., Any]) -> Callable[..., Any]:
        def send(*args: Any, **more: Any) -> Any:
            event = getattr(args[0], "event", args[0]) if args else None
            one = self._own.get(event) if isinstance(event, int) else None
            return (getattr(one, name) if one else usual)(*args, **more)

        return send

    async def _every_event(self) -> set[int]:
        found = await asyncio.gather(*(one() for one in self._lists))
        return set[int]().union(*found)

    async def _tick_every(self, name: str) -> int | None:
        """A Redis that is away stops only its own rooms; RoomAway is raised when all are."""
        ticks = await asyncio.gather(*(one(name) for one in self._ticks), return_exceptions=True)
        done = [tick for tick in ticks if not isinstance(tick, BaseException)]
        for tick in ticks:
            if isinstance(tick, BaseException) and not (isinstance(tick, RoomAway) and done):
                raise tick
        led = [tick for tick in done if tick is not None]
        return sum(led) if led else None
