"""What the public contract sends and gets: the shapes of its JSON and its numbers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter

from kernel.values import INT64_MAX
from sales.search import QUERY_CHARS_MAX

INT64_MIN = -INT64_MAX - 1
INT64_FORMAT = {"format": "int64", "minimum": INT64_MIN, "maximum": INT64_MAX}
PAGE_MAX = 2**31 - 1
PAGE_SIZE_MAX = 20
# An id in a JSON body: any int64; whether there is such a thing is asked later.
Int64 = Annotated[
    int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX, extra_json_schema={"format": "int64"})
]
# Decimal tenge with two digits, "40000.00".
Money = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]{1,2})?$", examples=["40000.00"])]
SeatStatus = Literal["FREE", "RESERVED", "SOLD"]

PAGE_FORMAT = {"format": "int32", "minimum": 1, "maximum": PAGE_MAX}
PAGE_SIZE_FORMAT = {"format": "int32", "minimum": 1, "maximum": PAGE_SIZE_MAX}
EventIdParameter = Annotated[
    int,
    QueryParameter(name="event_id", ge=INT64_MIN, le=INT64_MAX, schema_extra=INT64_FORMAT),
]
AnalyticsIdParameter = Annotated[
    int,
    QueryParameter(
        name="id",
        ge=INT64_MIN,
        le=INT64_MAX,
        description="Event id.",
        schema_extra=INT64_FORMAT,
    ),
]
OrderIdParameter = Annotated[
    int,
    QueryParameter(
        name="orderId",
        ge=INT64_MIN,
        le=INT64_MAX,
        description="Booking id.",
        schema_extra=INT64_FORMAT,
    ),
]
PhraseParameter = Annotated[
    str,
    QueryParameter(
        name="query",
        max_length=QUERY_CHARS_MAX,
        description="Words of title and description; quotes and operators do no harm.",
    ),
]
DayParameter = Annotated[
    date | None, QueryParameter(name="date", description="Calendar day at the hall.")
]
PageParameter = Annotated[
    int,
    QueryParameter(name="page", ge=1, le=PAGE_MAX, description="From 1.", schema_extra=PAGE_FORMAT),
]
PageSizeParameter = Annotated[
    int, QueryParameter(name="pageSize", ge=1, le=PAGE_SIZE_MAX, schema_extra=PAGE_SIZE_FORMAT)
]
RowParameter = Annotated[int | None, QueryParameter(name="row", ge=1, le=PAGE_MAX)]
StatusParameter = Annotated[SeatStatus | None, QueryParameter(name="status")]
PassHeader = Annotated[
    str | None,
    HeaderParameter(
        name="X-Queue-Pass",
        description="Pass of the waiting room, needed where a queue stands before the event.",
    ),
]
SignatureHeader = Annotated[
    str | None,
    HeaderParameter(
        name="X-Webhook-Signature",
        description="`sha256=` and the HMAC of the raw body, where a secret was agreed on.",
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
    id: int
    title: str


class EventEnvelope(msgspec.Struct, frozen=True):
    """The other shape of the list; `count` is the number of events on this page."""

    count: int
    events: list[EventItem]
    success: Literal[True] = True


class BookingCreate(msgspec.Struct, frozen=True):
    event_id: Int64


class BookingId(msgspec.Struct, frozen=True):
    id: int


class BookingRef(msgspec.Struct, frozen=True):
    booking_id: Int64


class BookingSeat(msgspec.Struct, frozen=True):
    id: int


class BookingItem(msgspec.Struct, frozen=True):
    id: int
    event_id: int
    seats: list[BookingSeat]


class BookingState(msgspec.Struct, frozen=True):
    """One booking in full; beyond the published contract. `state`: open, pending, paid, cancelled,
    expired; `reason` says why it ended. `total` in tenge once it is placed.
    """

    id: int
    event_id: int
    state: str
    reason: str | None
    total: str
    expires_at: datetime | None
    seats: list[BookingSeat]


class SeatItem(msgspec.Struct, frozen=True):
    id: int
    row: int
    number: int
    status: SeatStatus
    price: Money


class SeatSelect(msgspec.Struct, frozen=True):
    booking_id: Int64
    seat_id: Int64


class SeatRelease(msgspec.Struct, frozen=True):
    seat_id: Int64


class BestWanted(msgspec.Struct, frozen=True):
    """`zone` as in /api/analytics; `count` seats more. `has`: how many seats the booking holds, as
    the client knows: if they are more by now, the request was heard before and changes nothing.
    """

    booking_id: Int64
    zone: Int64
    count: Int64
    has: Annotated[int, msgspec.Meta(gt=-1, le=INT64_MAX)] | None = None


class BestSeat(msgspec.Struct, frozen=True):
    id: int
    row: int
    number: int
    price: Money


class BestSeats(msgspec.Struct, frozen=True):
    """`fit`: together in one row; orphan (so, but a single seat is left beside them); rows (in two
    neighbouring rows); apart; null where the request had been heard before.
    """

    fit: Literal["together", "orphan", "rows", "apart"] | None
    seats: list[BestSeat]


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
    zone_no: int


class AnalyticsFigures(msgspec.Struct, frozen=True):
    """total_seats = sold_seats + reserved_seats + free_seats, in total and in each zone."""

    event_id: int
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
    409: "The question of this `Idempotency-Key` is still at work: ask again after Retry-After.",
    419: "Reservation conflict: the state of the seat or booking does not allow the change.",
    422: "This `Idempotency-Key` names another question.",
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
