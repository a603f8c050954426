"""One page for every state of an order: read everything about it, then show it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from litestar import Response
from litestar.response import Redirect

from kernel.errors import Refusal
from sales.web.pages.forms import Req, moment_of
from sales.web.pages.order_view import OrderView, view
from sales.web.pages.site import Site

# The order cannot be changed because of its state: told on its own page.
CONFLICT = 419


async def do_or_tell(
    wish: Awaitable[object], site: Site, request: Req, order_id: int, account_id: int
) -> Response[Any]:
    """What the buyer wished is done, or the order's page says why it isn't."""
    try:
        await wish
    except Refusal as refusal:
        if refusal.status != CONFLICT:
            raise
        return await show_order_page(site, request, order_id, account_id, refusal=refusal)
    return Redirect(f"/orders/{order_id}", status_code=303)


async def read_order(site: Site, order_id: int, account_id: int) -> OrderView:
    """The caller's order as it stands. Raises OrderUnknown, NotYourOrder."""
    order = await site.orders.own(order_id, account_id)
    hall = await site.holds.store.halls.hall(order.event_id)
    if order.state == "open":
        hold = await site.holds.of_order(order.event_id, order.id)
        until = moment_of(hold.expires_at_ms) if hold else None
        return view(order, hall, hold=hold, hold_until=until, pace=site.payments.pace())
    lines, payment, tickets, refunds = await asyncio.gather(
        site.orders.lines(order.id),
        site.payments.of_order(order.id),
        site.tickets.of_order(order.id),
        site.refunds.of_order(order.id),
    )
    return view(
        order,
        hall,
        lines=lines,
        payment=payment,
        tickets=tickets,
        pace=site.payments.pace(),
        now=site.clock.now(),
        refunds=refunds,
    )


async def show_order_page(
    site: Site,
    request: Req,
    order_id: int,
    account_id: int,
    *,
    template: str = "sales/order.html",
    refusal: Refusal | None = None,
    fit: str = "",
    **more: object,
) -> Response[Any]:
    """`refusal`: why the last thing the buyer tried did not happen. `fit`: how seats that we
    chose stand, where that is to be told. `more` is for the template.
    """
    seen = await read_order(site, order_id, account_id)
    page = site.pages.show(
        request,
        template,
        status=refusal.status if refusal else 200,
        seen=seen,
        order=seen.order,
        event=await site.catalogue.event(seen.order.event_id),
        refusal=refusal,
        fit=fit,
        now_ms=site.clock.ms(),
        now=site.clock.now(),
        qr_svg=site.tickets.qr_svg,
        **more,
    )
    page.headers.update(refusal.headers if refusal else {})
    return page
