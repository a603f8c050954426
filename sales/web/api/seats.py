"""`/api/seats`: the list of an event's seats, and one seat into or out of a booking."""

from datetime import UTC, datetime
from typing import Any, cast

from litestar import Request, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from accounts.identity import Caller
from kernel.errors import NotFound, Refusal
from kernel.values import tenge
from kernel.web.headers import header_of
from kernel.web.numbers import digits_in
from sales.admission import Admissions
from sales.catalogue import EventUnknown
from sales.entrance import Entrance
from sales.geometry import SeatUnknown, seat_id, seats_of_event, split_seat_id
from sales.holds import Holds
from sales.holds_refusals import NotYourSeat, SeatNotHeld
from sales.orders import Orders
from sales.partner import PartnerAway
from sales.seatmap import SeatMaps
from sales.web.api.keyed_calls import KeyedCall
from sales.web.api.shapes import (
    NEEDS_USER,
    PAGE_SIZE_MAX,
    Done,
    EventIdParameter,
    PageParameter,
    PageSizeParameter,
    PassHeader,
    RowParameter,
    SeatItem,
    SeatRelease,
    SeatSelect,
    SeatStatus,
    StatusParameter,
    refusals,
)
from sales.web.api.strict import strictly


class BookingUnknown(Refusal):
    """Такого заказа нет."""

    status, code = 419, "order-unknown"


class SeatSold(Refusal):
    """Это место уже оплачено или оплачивается."""

    status, code = 419, "seat-not-held"


class PartnerRefused(Refusal):
    """Владелец зала сейчас не отвечает, взять у него места нельзя. Попробуйте чуть позже."""

    status, code = 419, "partner-away"


@get(
    "/api/seats",
    operation_id="listSeats",
    short=True,
    tags=["seats"],
    summary="Seats of an event, free ones first",
    before_request=digits_in("event_id", "page", "pageSize", "row"),
    responses=refusals(400, 404),
)
async def list_seats(
    *,
    request: Request[Any, Any, Any],
    seatmaps: NamedDependency[SeatMaps],
    event_id: EventIdParameter,
    page: PageParameter = 1,
    page_size: PageSizeParameter = PAGE_SIZE_MAX,
    row: RowParameter = None,
    status: StatusParameter = None,
) -> list[SeatItem]:
    """Every caller's free seats begin elsewhere, so that many who take the first of their list
    do not meet at one seat.
    """
    listed = await seatmaps.free_slice(
        event_id, _salt(request), page, page_size, row=row, status=status
    )
    return [
        SeatItem(
            seat_id(event_id, one.seat),
            one.place.row,
            one.place.number,
            cast("SeatStatus", one.status),
            tenge(one.place.price),
        )
        for one in listed
    ]


@patch(
    "/api/seats/select",
    operation_id="selectSeat",
    operation_class=KeyedCall,
    short=True,
    tags=["seats"],
    summary="Reserve a seat for a booking",
    security=NEEDS_USER,
    before_request=strictly(SeatSelect),
    responses=refusals(400, 401, 403, 409, 419, 422, 429),
)
async def select_seat(
    *,
    data: JSONBody[SeatSelect],
    caller: NamedDependency[Caller],
    orders: NamedDependency[Orders],
    holds: NamedDependency[Holds],
    admissions: NamedDependency[Admissions],
    entrance: NamedDependency[Entrance],
    queue_pass: PassHeader = None,
) -> Done:
    """Exactly one of many calls gets the seat, the others 419, those for the same booking too.
    Unknown ids are 419 as well: the contract has no 404 here.
    """
    account_id = caller.need_account()
    try:
        order = await orders.own_open(data.booking_id, account_id)
    except NotFound:
        raise BookingUnknown from None
    seats = seats_of_event(order.event_id, [data.seat_id])
    visit = await entrance.program(order.event_id, caller, queue_pass)
    try:
        hold = await holds.hold(
            order.event_id, order.id, account_id, seats, fresh=True, channel=order.channel
        )
    except PartnerAway as away:
        # To the contract an owner who does not answer is a conflict like any other.
        raise PartnerRefused(headers=away.headers) from away
    if visit is not None:
        until = datetime.fromtimestamp(hold.expires_at_ms / 1000, UTC)
        await admissions.keep(order.event_id, visit.jti, until)
    return Done()


@patch(
    "/api/seats/release",
    operation_id="releaseSeat",
    operation_class=KeyedCall,
    short=True,
    tags=["seats"],
    summary="Give a reserved seat back",
    security=NEEDS_USER,
    before_request=strictly(SeatRelease),
    responses=refusals(400, 401, 403, 409, 419, 422),
)
async def release_seat(
    data: JSONBody[SeatRelease], caller: NamedDependency[Caller], holds: NamedDependency[Holds]
) -> Done:
    """The booking is the one that holds the seat. No pass is needed to let go."""
    account_id = caller.need_account()
    parts = split_seat_id(data.seat_id)
    if parts is None:
        raise SeatUnknown(seat_id=data.seat_id)
    event_id, seat = parts
    try:
        holder = await holds.holder(event_id, seat)
    except EventUnknown:
        raise SeatUnknown(seat_id=data.seat_id) from None
    if holder is None:
        raise SeatNotHeld
    if holder.account_id != account_id:
        raise NotYourSeat
    if holder.sold:
        raise SeatSold
    await holds.release(event_id, holder.order_id, account_id, [seat])
    return Done()


def _salt(request: Request[Any, Any, Any]) -> str:
    """Tells callers apart: by their credentials, or by the cookies of their browser. Nameless
    programs share one order, for they cannot book.
    """
    scope = request.scope
    return header_of(scope, b"authorization") or header_of(scope, b"cookie") or ""
