"""What payments ask of whoever has the seats: to take them again, and to own them for good."""

from typing import Final, Protocol

from sales.order import Channel
from sales.partner_desk import Bought, Later, Lost

# The owner of the seats is asked again after this at least, while the money is reserved.
POLL_SEATS_S: Final = 0.3
# Why an order ends whose seats their owner would not sell after all.
SEATS_LOST: Final = "seats-lost"


class SeatTaker(Protocol):
    """As much of sales.holds.Holds as reclaiming asks for."""

    async def thaw(self, event_id: int, order_id: int) -> object: ...

    async def hold(
        self,
        event_id: int,
        order_id: int,
        account_id: int,
        seats: list[int],
        *,
        channel: Channel,
    ) -> object: ...


class SeatBuyer(Protocol):
    """As much of sales.partner_desk.PartnerDesk as capturing asks for."""

    async def owns(self, event_id: int) -> bool: ...

    async def buy(
        self, event_id: int, order_id: int, seats: list[int]
    ) -> Bought | Later | Lost: ...
