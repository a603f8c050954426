"""What the public contract sends and gets: the shapes of its JSON and its numbers."""

from typing import Annotated, Any, Literal

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from kernel.values import INT64_MAX

INT64_MIN = -INT64_MAX - 1
PAGE_MAX = 2**31 - 1
PAGE_SIZE_MAX = 20
# An id in a JSON body: any int64; whether there is such a thing is asked later.
Int64 = Annotated[
    int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX, extra_json_schema={"format": "int64"})
]
# Decimal tenge with two digits, "40000.00".
Money = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]{1,2})?$", examples=["40000.00"])]
SeatStatus = Literal["FREE", "RESERVED", "SOLD"]

IdParameter = Annotated[int, Parameter(ge=INT64_MIN, le=INT64_MAX)]
OrderIdParameter = Annotated[
    int, Parameter(query="orderId", ge=INT64_MIN, le=INT64_MAX, description="Booking id.")
]
PageParameter = Annotated[int, Parameter(ge=1, le=PAGE_MAX, description="From 1.")]
PageSizeParameter = Annotated[int, Parameter(query="pageSize", ge=1, le=PAGE_SIZE_MAX)]
PassHeader = Annotated[
    str | None,
    Parameter(
        header="X-Queue-Pass",
        description="Pass of the waiting room, needed where a queue stands before the event.",
    ),
]
# HTTP Basic, or the session cookie of a browser.
NEEDS_USER: list[dict[str, list[str]]] = [{"basicAuth": []}]


class Done(msgspec.Struct, frozen=True):
    """The call did what it says."""

    status: Literal["ok"] = "ok"


class Error(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457); `error` and `code` are the same stable word."""

    error: str
    detail: str
    code: str
    status: int
    title: str
    type: str = "about:blank"


class EventItem(msgspec.Struct, frozen=True):
    id: Int64
    title: str


class EventEnvelope(msgspec.Struct, frozen=True):
    """The other shape of the list; `count` is the number of events on this page."""

    count: int
    events: list[EventItem]
    success: Literal[True] = True


class BookingCreate(msgspec.Struct, frozen=True):
    event_id: Int64


class BookingId(msgspec.Struct, frozen=True):
    id: Int64


class BookingRef(msgspec.Struct, frozen=True):
    booking_id: Int64


class BookingSeat(msgspec.Struct, frozen=True):
    id: Int64


class BookingItem(msgspec.Struct, frozen=True):
    id: Int64
    event_id: Int64
    seats: list[BookingSeat]


class SeatItem(msgspec.Struct, frozen=True):
    id: Int64
    row: Int64
    number: Int64
    status: SeatStatus
    price: Money


class SeatSelect(msgspec.Struct, frozen=True):
    booking_id: Int64
    seat_id: Int64


class SeatRelease(msgspec.Struct, frozen=True):
    seat_id: Int64


class GatewayNotification(msgspec.Struct, frozen=True):
    """The gateway's spelling. No field is required; what it says is never believed, only asked."""

    paymentId: str = ""  # noqa: N815  # the gateway's spelling
    status: str = ""
    teamSlug: str = ""  # noqa: N815  # the gateway's spelling
    timestamp: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})] = ""
    data: dict[str, Any] | None = None


class ZoneFigures(msgspec.Struct, frozen=True):
    zone: str
    total_seats: int
    sold_seats: int
    reserved_seats: int
    free_seats: int
    revenue: Money


class AnalyticsFigures(msgspec.Struct, frozen=True):
    """total_seats = sold_seats + reserved_seats + free_seats, in total and in each zone."""

    event_id: Int64
    total_seats: int
    sold_seats: int
    reserved_seats: int
    free_seats: int
    total_revenue: Money
    bookings_count: int
    zones: list[ZoneFigures]


MEANINGS = {
    400: "A parameter or the body is malformed or out of range.",
    401: "No or wrong credentials.",
    403: "The booking or seat belongs to another user, or the account is not active.",
    404: "There is no such thing.",
    419: "Reservation conflict: the state of the seat or booking does not allow the change.",
    429: "A queue stands before this event: get a pass there (Link, rel=queue), or wait.",
    503: "A store is away for a moment: try again after Retry-After.",
}


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """For a handler's `responses`: what it answers besides success."""
    return {
        status: ResponseSpec(
            Error,
            description=MEANINGS[status],
            generate_examples=False,
            media_type="application/problem+json",
        )
        for status in (*statuses, 503)
    }
