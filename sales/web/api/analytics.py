"""`GET /api/analytics` and `POST /api/reset`: what was sold, and back to before it was."""

from litestar import get, post
from litestar.di import NamedDependency

from kernel.values import tenge
from kernel.web.numbers import digits_in
from sales.analytics import Analytics
from sales.reset import Reset
from sales.web.api.shapes import AnalyticsFigures, AnalyticsIdParameter, Done, ZoneFigures, refusals


@get(
    "/api/analytics",
    operation_id="eventAnalytics",
    tags=["analytics"],
    summary="Live sales figures of one event",
    before_request=digits_in("id"),
    responses=refusals(400, 404),
)
async def show_analytics(
    analytics: NamedDependency[Analytics],
    event_id: AnalyticsIdParameter,
) -> AnalyticsFigures:
    sales = await analytics.of_event(event_id)
    return AnalyticsFigures(
        event_id=sales.event_id,
        total_seats=sales.total,
        sold_seats=sales.sold,
        reserved_seats=sales.reserved,
        free_seats=sales.free,
        total_revenue=tenge(sales.revenue),
        bookings_count=sales.orders,
        zones=[
            ZoneFigures(
                zone.name,
                zone.total,
                zone.sold,
                zone.reserved,
                zone.free,
                tenge(zone.revenue),
                zone.zone_no,
            )
            for zone in sales.zones
        ],
    )


@post(
    "/api/reset",
    operation_id="resetState",
    tags=["system"],
    summary="Return to the state before the first sale",
    status_code=200,
    responses=refusals(403),
)
async def reset_sales(reset: NamedDependency[Reset]) -> Done:
    """Users, events, archive and halls stay; bookings, payments and seat states go. Needs no
    credentials, as the contract wants it; a setting switches it off.
    """
    await reset.reset("api")
    return Done()
