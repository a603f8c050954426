"""`/orders/…/returns`: tickets are chosen, the sum is told, and only then they come back.

Three steps without a script: choose, look at the sum, confirm. Confirming twice is one return.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from accounts.identity import Caller
from kernel.errors import BadInput, Refusal
from sales.refund import Return
from sales.web.pages.forms import Req, form_of, texts, whole
from sales.web.pages.order_page import CONFLICT, do_or_tell, read_order, show_order_page
from sales.web.pages.site import Site

# No order has more tickets.
TICKETS_MAX = 100
TEMPLATE = "sales/returns.html"


@get("/orders/{order_id:int}/returns", include_in_schema=False)
async def show_returns(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Without `tickets` to choose from, with them the sum to agree to."""
    account_id = caller.need_account()
    seen = await read_order(site, order_id, account_id)
    open_to = seen.returnable(site.clock.now())
    if not open_to:
        return Redirect(f"/orders/{order_id}", status_code=303)
    chosen = _tickets(request.query_params.getall("tickets", []))
    if not chosen and len(open_to) == 1 and open_to[0].ticket:
        chosen = [open_to[0].ticket.id]
    plan, refusal = await _quote(site, order_id, account_id, chosen)
    return await show_order_page(
        site,
        request,
        order_id,
        account_id,
        template=TEMPLATE,
        refusal=refusal,
        plan=plan,
        chosen=chosen,
        asked="tickets" in request.query_params,
    )


@post("/orders/{order_id:int}/returns", include_in_schema=False)
async def give_back(
    request: Req,
    order_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    account_id = caller.need_account()
    chosen = _tickets(texts(await form_of(request), "tickets"))
    wish = site.refunds.ask(order_id, account_id, chosen)
    return await do_or_tell(wish, site, request, order_id, account_id)


async def _quote(
    site: Site, order_id: int, account_id: int, chosen: list[int]
) -> tuple[Return | None, Refusal | None]:
    """The sum, or why these can't come back: then others may be chosen."""
    if not chosen:
        return None, None
    try:
        return await site.refunds.quote(order_id, account_id, chosen), None
    except Refusal as refusal:
        if refusal.status != CONFLICT:
            raise
        return None, refusal


def _tickets(values: list[str]) -> list[int]:
    """Ticket ids without repetitions. Raises BadInput."""
    ids = list(dict.fromkeys(whole(value) for value in values if value.strip()))
    if len(ids) > TICKETS_MAX:
        raise BadInput("Слишком много билетов сразу.")
    return ids
