"""The sales site for people: server-rendered pages over the verbs of this context.

Handlers get `site` (see sales.web.pages.site) and `caller` by name.
"""

from typing import Any

from sales.web.pages import about, afisha, event, orders, returns, seats


def page_routes() -> list[Any]:
    return [
        afisha.show_afisha,
        event.show_event,
        seats.show_zone,
        seats.take_seats,
        seats.take_best,
        orders.list_orders,
        orders.show_order,
        orders.show_state,
        orders.pay,
        orders.come_back,
        orders.release,
        orders.cancel,
        orders.show_tickets,
        orders.show_calendar,
        returns.show_returns,
        returns.give_back,
        about.about_queue,
        about.robots,
        about.favicon,
    ]
