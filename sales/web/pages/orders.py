"""`/orders…`: a buyer's orders, each on one page from the held seats to the tickets.

The server is idempotent: paying or cancelling twice does it once. The page after a return from
the gateway tells what we asked the bank, never what the address says.
"""

import asyncio
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from accounts.identity import Caller
from kernel.errors import Refusal
from sales.catalogue import Event
from sales.holds import Hold
from sales.order import Order, OrderPaid, PaymentsAway
from sales.partner import PartnerAway
from sales.states import OrderState
from sales.web.pages.calendar import calendar_of
from sales.web.pages.forms import Req, form_of, seats_of, text, texts, whole_or
from sales.web.pages.order_page import CONFLICT, do_or_tell, read_order, show_order_page
from sales.web.pages.site import Site
from sales.web.pages.visit import need_visit

PAGE_SIZE = 20
# As many as one account's list is ever read.
PAGE_MAX = 75
# Told on the order's own page as well: when somebody we need does not answer.
AWAY = (PaymentsAway, PartnerAway)


class OrderLine(msgspec.Struct, frozen=True):
    """An order in the list; `hold` is what an open one holds."""

    order: Order
    event: Event
    hold: Hold | None


@get("/orders", include_in_schema=False)
async def list_orders(
    request: Req,
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    account_id = caller.need_account()
    page = max(1, min(whole_or(request.query_params.get("page"), 1), PAGE_MAX))
    found = await site.orders.of_account(account_id, limit=page * PAGE_SIZE + 1)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    held = await site.holds.of_orders(
        (one.event_id, one.id) for one in shown if one.state == "open"
    )
    # An empty envelope is nothing to its buyer.
    kept = [one for one in shown if one.state != "open" or one.id in held]
    events = await asyncio.gather(*(site.catalogue.event(one.event_id) for one in kept))
    lines = [OrderLine(o, e, held.get(o.id)) for o, e in zip(kept, events, strict=True)]
    has_next = len(found) > page * PAGE_SIZE
    return site.pages.show(request, "sales/orders.html", lines=lines, page=page, has_next=has_next)


@get("/orders/{order_id:int}", include_in_schema=False)
async def show_order(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    fit = request.query_params.get("fit", "")
    return await show_order_page(site, request, order_id, caller.need_account(), fit=fit)


@get("/orders/{order_id:int}/state.json", include_in_schema=False)
async def show_state(
    order_id: FromPath[int], site: NamedDependency[Site], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """For the page's script: `mark` changes whenever the page would look different."""
    seen = await read_order(site, order_id, caller.need_account())
    body = {"stage": seen.stage, "mark": seen.mark, "final": seen.is_final}
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(body), media_type="application/json", headers=headers)


@post("/orders/{order_id:int}/payment", include_in_schema=False)
async def pay(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """To the gateway, or to the order's page where there is nothing to pay."""
    account_id = caller.need_account()
    order = await site.orders.own(order_id, account_id)
    here = f"/orders/{order_id}"
    # Seats taken inside may be paid until their own clock ends, also when the visit is over.
    if order.state == "open" and order.admission_jti is None:
        await need_visit(site, request, order.event_id, caller)
    try:
        checkout = await site.orders.place_soon(
            order_id,
            account_id,
            site.links.to("sales", request, ""),
            whole_or(text(await form_of(request), "attempt"), 0) or None,
        )
    except (OrderPaid, OrderState):
        return Redirect(here, status_code=303)
    except Refusal as refusal:
        if refusal.status != CONFLICT and not isinstance(refusal, AWAY):
            raise
        return await show_order_page(site, request, order_id, account_id, refusal=refusal)
    if checkout is None or checkout.payment_url is None:
        return Redirect(here, status_code=303)
    host = request.headers.get("host", "")
    address = site.links.as_seen_from(checkout.payment_url, host)
    if site.links.knows(address, host):
        return Redirect(address, status_code=303)
    # The policy of our pages lets forms lead to known addresses only: one more step, a link.
    return site.pages.show(request, "sales/away.html", address=address, here=here)


@get("/orders/{order_id:int}/return", include_in_schema=False, tells_refusals=True)
async def come_back(
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """From the gateway, whatever it says: the bank is asked, for a moment."""
    await site.orders.own(order_id, caller.need_account())
    await site.payments.hurry(order_id)
    return Redirect(f"/orders/{order_id}", status_code=303)


@post("/orders/{order_id:int}/release", include_in_schema=False)
async def release(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    account_id = caller.need_account()
    order = await site.orders.own(order_id, account_id)
    seats = seats_of(texts(await form_of(request), "seats"))
    wish = site.holds.release(order.event_id, order_id, account_id, seats)
    return await do_or_tell(wish, site, request, order_id, account_id)


@post("/orders/{order_id:int}/cancel", include_in_schema=False)
async def cancel(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    account_id = caller.need_account()
    wish = site.orders.cancel(order_id, account_id)
    return await do_or_tell(wish, site, request, order_id, account_id)


@get("/orders/{order_id:int}/tickets", include_in_schema=False)
async def show_tickets(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """For printing. An order without tickets has its own page."""
    account_id = caller.need_account()
    if (await read_order(site, order_id, account_id)).stage != "paid":
        return Redirect(f"/orders/{order_id}", status_code=303)
    return await show_order_page(site, request, order_id, account_id, template="sales/tickets.html")


@get("/orders/{order_id:int}/calendar.ics", include_in_schema=False)
async def show_calendar(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    order = await site.orders.own(order_id, caller.need_account())
    event = await site.catalogue.event(order.event_id)
    address = site.links.to("sales", request, f"/orders/{order_id}")
    headers = {"Content-Disposition": f'attachment; filename="biletter-{order_id}.ics"'}
    body = calendar_of(event, address).encode()
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
