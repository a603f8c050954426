"""What every verb of the provider works with."""

from collections.abc import Awaitable, Callable
from random import Random
from uuid import UUID

from msgspec import Struct

from kernel.clock import Clock
from sandbox.provider.consumer import Consumer
from sandbox.provider.outbox import Outbox
from sandbox.provider.records import Records
from sandbox.provider.switchboard import Switchboard

ID_BITS = 128
Sleep = Callable[[float], Awaitable[None]]


class Desk(Struct, frozen=True, kw_only=True):
    records: Records
    switchboard: Switchboard
    outbox: Outbox
    consumer: Consumer
    clock: Clock
    chance: Random
    sleep: Sleep

    def new_id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(ID_BITS), version=4))

    async def think(self, hall: int) -> None:
        """Between reading and writing: others may write meanwhile."""
        pause_s = self.switchboard.of(hall).race_s
        if pause_s:
            await self.sleep(pause_s)
