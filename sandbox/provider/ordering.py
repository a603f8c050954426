"""Orders: started, submitted, confirmed, cancelled. Nothing is idempotent (contract §3)."""

from sandbox.provider.desk import Desk
from sandbox.provider.records import Order
from sandbox.provider.refusals import LostRace, Unknown, WrongState


def start(desk: Desk, hall: int) -> str:
    """The new order's id; it is shown later."""
    order_id = desk.new_id()
    with desk.records.together():
        desk.records.add_order(hall, order_id, desk.clock.ms())
        desk.outbox.post_order(hall, order_id, 1, "started", status="STARTED", count=0)
    return order_id


async def submit(desk: Desk, hall: int, order_id: str) -> None:
    """Raises WrongState: not started, or no place has joined it."""
    order = find(desk, hall, order_id)
    if order.status != "STARTED" or order.count == 0:
        raise WrongState
    await _move(desk, hall, order, "SUBMITTED")


async def confirm(desk: Desk, hall: int, order_id: str) -> None:
    """Raises WrongState: not submitted."""
    order = find(desk, hall, order_id)
    if order.status != "SUBMITTED":
        raise WrongState
    await _move(desk, hall, order, "CONFIRMED")


async def cancel(desk: Desk, hall: int, order_id: str) -> None:
    """Its places become free later: those that have joined it by now, and no other. Raises
    WrongState: it is over.
    """
    order = find(desk, hall, order_id)
    if order.status not in ("STARTED", "SUBMITTED"):
        raise WrongState
    await _move(desk, hall, order, "CANCELLED")


def find(desk: Desk, hall: int, order_id: str) -> Order:
    """Raises Unknown."""
    order = desk.records.find_order(hall, order_id)
    if order is None:
        raise Unknown
    return order


async def _move(desk: Desk, hall: int, order: Order, status: str) -> None:
    """Raises LostRace."""
    await desk.think(hall)
    with desk.records.together():
        if not desk.records.move_order(order, status, desk.clock.ms()):
            raise LostRace
        desk.outbox.post_order(
            hall, order.id, order.revision + 1, status.lower(), status=status, count=order.count
        )
