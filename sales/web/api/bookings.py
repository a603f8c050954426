"""`/api/bookings`: an order under the contract's name, from the empty envelope to its payment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from litestar import HttpMethod, Request, Response, get, patch, post, route
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from accounts.identity import Caller
from kernel.errors import Refusal, TryAgain
from kernel.values import tenge
from kernel.web.headers import header_of
from kernel.web.links import Links
from sales.bookings import Bookings
from sales.entrance import Entrance
from sales.geometry import seat_id
from sales.holds import Holds
from sales.order import OrderPaid
from sales.orders import Orders
from sales.payments import Payments
from sales.refunds import Refunds
from sales.web.api.keyed_calls import KeyedCall
from sales.web.api.shapes import (
    NEEDS_USER,
    BookingCreate,
    BookingId,
    BookingItem,
    BookingRef,
    BookingSeat,
    BookingState,
    Done,
    PassHeader,
    refusals,
)
from sales.web.api.strict import strictly

CONFLICT = 419


class NotPossible(Refusal):
    """Сейчас это невозможно."""

    status, code = 400, "not-possible"


class PaymentPagePending(TryAgain):
    """Платёжная система ещё не ответила, повторите запрос."""

    code = "payment-page-pending"


@contextmanager
def without_conflicts() -> Iterator[None]:
    """The contract knows no 419 where a booking is opened or paid: there a conflict (an event not
    on sale, an order that is empty, over or paid) is a bad request; `reason` says which.
    """
    try:
        yield
    except Refusal as refusal:
        if refusal.status != CONFLICT:
            raise
        raise NotPossible(refusal.detail, reason=refusal.code) from refusal


@route("/api/bookings", http_method=HttpMethod.OPTIONS, include_in_schema=False)
async def allowed_on_bookings() -> Response[None]:
    """The framework's own answer knows one of two handlers of an address."""
    return Response(None, status_code=204, headers={"Allow": "GET, OPTIONS, POST"})


@post(
    "/api/bookings",
    operation_id="openBooking",
    operation_class=KeyedCall,
    short=True,
    tags=["bookings"],
    summary="Open an empty booking for an event",
    security=NEEDS_USER,
    before_request=strictly(BookingCreate),
    responses=refusals(400, 401, 403, 404, 409, 422, 429),
)
async def open_booking(
    data: JSONBody[BookingCreate],
    caller: NamedDependency[Caller],
    orders: NamedDependency[Orders],
    entrance: NamedDependency[Entrance],
    queue_pass: PassHeader = None,
) -> BookingId:
    account_id = caller.need_account()
    visit = await entrance.program(data.event_id, caller, queue_pass)
    with without_conflicts():
        order = await orders.open(
            account_id, data.event_id, "api", admission_jti=visit.jti if visit else None
        )
    return BookingId(order.id)


@get(
    "/api/bookings",
    operation_id="myBookings",
    short=True,
    tags=["bookings"],
    summary="Bookings of the calling user, newest first",
    security=NEEDS_USER,
    responses=refusals(401, 403),
)
async def list_bookings(
    caller: NamedDependency[Caller], bookings: NamedDependency[Bookings]
) -> list[BookingItem]:
    """Cancelled, expired and returned ones are left out, and so are places that were returned."""
    return [
        BookingItem(
            one.order_id,
            one.event_id,
            [BookingSeat(seat_id(one.event_id, seat)) for seat in one.seats],
        )
        for one in await bookings.of_account(caller.need_account())
    ]


@get(
    "/api/bookings/{booking_id:int}",
    operation_id="showBooking",
    short=True,
    tags=["bookings"],
    summary="One booking of the calling user, with its state",
    security=NEEDS_USER,
    responses=refusals(401, 403, 404),
)
async def show_booking(
    booking_id: FromPath[int],
    caller: NamedDependency[Caller],
    holds: NamedDependency[Holds],
    bookings: NamedDependency[Bookings],
) -> BookingState:
    """Ours, beside the contract: clients need not guess from the seats what became of it."""
    order, seats = await bookings.own(booking_id, caller.need_account())
    expires_at = order.expires_at
    if order.state == "open":
        hold = await holds.of_order(order.event_id, order.id)
        seats = sorted(hold.seats) if hold else []
        expires_at = datetime.fromtimestamp(hold.expires_at_ms / 1000, UTC) if hold else None
    return BookingState(
        id=order.id,
        event_id=order.event_id,
        state=order.state,
        reason=order.reason,
        total=tenge(order.total),
        expires_at=expires_at,
        seats=[BookingSeat(seat_id(order.event_id, seat)) for seat in seats],
    )


@patch(
    "/api/bookings/initiatePayment",
    operation_id="startPayment",
    operation_class=KeyedCall,
    short=True,
    tags=["bookings"],
    summary="Start payment and hand over the payment page",
    security=NEEDS_USER,
    status_code=302,
    response_headers=[
        ResponseHeader(
            name="Location", description="Payment page at the gateway.", documentation_only=True
        )
    ],
    before_request=strictly(BookingRef),
    responses=refusals(400, 401, 403, 404, 409, 422, 429),
)
async def start_payment(
    *,
    request: Request[Any, Any, Any],
    data: JSONBody[BookingRef],
    caller: NamedDependency[Caller],
    orders: NamedDependency[Orders],
    payments: NamedDependency[Payments],
    entrance: NamedDependency[Entrance],
    queue_pass: PassHeader = None,
) -> Response[None]:
    """Repeating it while a payment is open gives the same page."""
    account_id = caller.need_account()
    order = await orders.own(data.booking_id, account_id)
    await entrance.program(order.event_id, caller, queue_pass)
    links: Links = request.app.state["links"]
    host = header_of(request.scope, b"host") or ""
    base = links.base("sales", host)
    with without_conflicts():
        checkout = await orders.place(order.id, account_id, base, known=order)
        if checkout.payment_url is None:
            # Often only the gateway's answer was lost: it knows the payment when it is asked.
            await payments.hurry(order.id)
            checkout = await orders.place(order.id, account_id, base)
    if checkout.payment_url is None:
        raise PaymentPagePending(retry_after_s=1)
    place = links.as_seen_from(checkout.payment_url, host)
    return Response(None, status_code=302, headers={"Location": place})


@patch(
    "/api/bookings/cancel",
    operation_id="cancelBooking",
    operation_class=KeyedCall,
    short=True,
    tags=["bookings"],
    summary="Cancel or return a booking and free its seats",
    security=NEEDS_USER,
    before_request=strictly(BookingRef),
    responses=refusals(400, 401, 403, 404, 409, 419, 422),
)
async def cancel_booking(
    data: JSONBody[BookingRef],
    caller: NamedDependency[Caller],
    orders: NamedDependency[Orders],
    refunds: NamedDependency[Refunds],
) -> Done:
    """Cancelling again changes nothing. No pass is needed to let go. A paid booking is returned,
    while its tickets still may be (419 `refund-too-late` afterwards).
    """
    account_id = caller.need_account()
    try:
        await orders.cancel(data.booking_id, account_id)
    except OrderPaid:
        await refunds.ask(data.booking_id, account_id)
    return Done()
