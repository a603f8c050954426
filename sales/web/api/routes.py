"""The routes of the machine face."""

from typing import Any

from sales.web.api.analytics import reset_sales, show_analytics
from sales.web.api.best import select_best
from sales.web.api.bookings import (
    allowed_on_bookings,
    cancel_booking,
    list_bookings,
    open_booking,
    show_booking,
    start_payment,
)
from sales.web.api.events import search_events
from sales.web.api.payments import notify, payment_failed, payment_succeeded
from sales.web.api.seats import list_seats, release_seat, select_seat
from sales.web.keyed import WRITES


def api_writes() -> frozenset[tuple[str, str]]:
    """Method and address of each call that changes something."""
    return frozenset(
        (str(method), path)
        for one in api_routes()
        for path in one.paths
        for method in one.http_methods
        if method in WRITES
    )


def api_routes() -> list[Any]:
    """Needs by name: `catalogue`, `events_face`, `orders`, `bookings`, `holds`, `seatmaps`,
    `admissions`, `entrance`, `payments`, `analytics`, `reset`, and `caller` of each request.
    """
    return [
        search_events,
        allowed_on_bookings,
        open_booking,
        list_bookings,
        show_booking,
        start_payment,
        cancel_booking,
        list_seats,
        select_seat,
        select_best,
        release_seat,
        payment_succeeded,
        payment_failed,
        notify,
        show_analytics,
        reset_sales,
    ]
