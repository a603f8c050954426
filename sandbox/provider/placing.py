"""Places: created, selected for an order, released from it (contract §4)."""

from sandbox.provider.desk import Desk
from sandbox.provider.ordering import find
from sandbox.provider.refusals import Crash, LostRace, Unknown, WrongState


def create(desk: Desk, hall: int, row: int, seat: int) -> str:
    """The new place's id, listed later. Nobody looks whether there is one already."""
    place_id = desk.new_id()
    with desk.records.together():
        desk.records.add_places([(place_id, hall, row, seat)], shown=False)
        desk.outbox.post_place(hall, place_id, 1, "created")
    return place_id


async def select(desk: Desk, hall: int, place_id: str, order_id: str) -> None:
    """The place is the order's at once; it joins the order later. Raises Unknown, WrongState (not
    started, or taken, by the same order too), LostRace.
    """
    order = find(desk, hall, order_id)
    place = desk.records.find_place(hall, place_id)
    if place is None:
        raise Unknown
    if order.status != "STARTED" or place.order_id is not None:
        raise WrongState
    await desk.think(hall)
    with desk.records.together():
        if not desk.records.take_place(place_id, place.revision, order_id):
            raise LostRace
        desk.outbox.post_place(hall, place_id, place.revision + 1, "selected", order_id)


async def release(desk: Desk, hall: int, place_id: str) -> None:
    """The place leaves its order at once and becomes free later. Raises Unknown, Crash (free),
    WrongState (order not started, or place not in it yet), LostRace.
    """
    place = desk.records.find_place(hall, place_id)
    if place is None:
        raise Unknown
    if place.order_id is None:
        raise Crash
    order = find(desk, hall, place.order_id)
    if order.status != "STARTED" or not desk.records.has_joined(order.id, place_id):
        raise WrongState
    await desk.think(hall)
    with desk.records.together():
        if not desk.records.move_order(order, order.status, desk.clock.ms()):
            raise LostRace
        desk.records.leave(order.id, place_id)
        desk.outbox.post_order(
            hall,
            order.id,
            order.revision + 1,
            "left",
            status=order.status,
            count=order.count - 1,
            place_id=place_id,
        )
