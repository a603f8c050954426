"""Where the money of a shop is, and that the ledger says nothing else than orders and tickets."""

from sales.ledger import Ledger
from sales.order import Order
from sales.refund import Refund
from sales.tickets import Ticket
from tests.flow.shop import Shop


async def tickets_of(shop: Shop, order: Order) -> list[Ticket]:
    return await shop.tickets.of_order(order.id)


async def balances(shop: Shop) -> dict[str, int]:
    """By kind of account, for shops with one event."""
    ledger = Ledger(shop.db)
    assert await ledger.check() == []
    return {name.partition(":")[0]: amount for name, amount in (await ledger.balances()).items()}


async def refund_state(shop: Shop, refund: Refund) -> str:
    """Of the newest refund of its order."""
    return (await shop.refunds.of_order(refund.order_id))[-1].state
