"""`/api/seats/best`: the best seats of a zone into a booking. Ours, beside the contract."""

from datetime import UTC, datetime

from litestar import patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from accounts.identity import Caller
from kernel.errors import NotFound
from kernel.values import tenge
from sales.admission import Admissions
from sales.entrance import Entrance
from sales.geometry import seat_id
from sales.holds import Holds
from sales.orders import Orders
from sales.web.api.keyed_calls import KeyedCall
from sales.web.api.seats import BookingUnknown
from sales.web.api.shapes import NEEDS_USER, BestSeat, BestSeats, BestWanted, PassHeader, refusals
from sales.web.api.strict import strictly


@patch(
    "/api/seats/best",
    operation_id="selectBest",
    operation_class=KeyedCall,
    tags=["seats"],
    summary="Reserve the best seats of a zone for a booking",
    security=NEEDS_USER,
    before_request=strictly(BestWanted),
    responses=refusals(400, 401, 403, 404, 409, 419, 422, 429),
)
async def select_best(
    *,
    data: JSONBody[BestWanted],
    caller: NamedDependency[Caller],
    orders: NamedDependency[Orders],
    holds: NamedDependency[Holds],
    admissions: NamedDependency[Admissions],
    entrance: NamedDependency[Entrance],
    queue_pass: PassHeader = None,
) -> BestSeats:
    """Ours, beside the contract. Chosen and reserved in one step, all or none: nobody loses a seat
    to somebody who chose the same. Nearest to the stage and to the middle of the row, without
    leaving a single seat between others; where that cannot be, `fit` says what was given instead.
    """
    account_id = caller.need_account()
    try:
        order = await orders.own_open(data.booking_id, account_id)
    except NotFound:
        raise BookingUnknown from None
    visit = await entrance.program(order.event_id, caller, queue_pass)
    best = await holds.hold_best(
        order.event_id,
        order.id,
        account_id,
        data.zone,
        data.count,
        has=data.has,
        channel=order.channel,
    )
    if visit is not None:
        until = datetime.fromtimestamp(best.hold.expires_at_ms / 1000, UTC)
        await admissions.keep(order.event_id, visit.jti, until)
    hall = await holds.store.halls.hall(order.event_id)
    return BestSeats(
        best.fit,
        [
            BestSeat(seat_id(order.event_id, seat), place.row, place.number, tenge(place.price))
            for seat, place in ((seat, hall.place(seat)) for seat in sorted(best.added))
        ],
    )
