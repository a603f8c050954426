"""`/events/{id}/zones/{n}`: the seat map; `POST /events/{id}/holds`: taking what was chosen, and
`…/best`: taking what we choose.

A conflict is no dead end: the map comes back with what is still free of the choice kept, and
says which seats somebody else was faster to take.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from accounts.identity import Caller
from kernel.errors import Refusal
from sales.geometry import split_seat_id
from sales.holds import NoSeats
from sales.partner import PartnerAway
from sales.web.pages.forms import Req, form_of, moment_of, seats_of, text, texts, whole, whole_or
from sales.web.pages.seatmap_page import Choice, show_map
from sales.web.pages.site import Site
from sales.web.pages.visit import need_visit

# The refusals of a hold after which the map is shown again: the seats are why, not the buyer.
CONFLICT = 419
# What the buyer is told of seats that we chose: they are not all in one row.
TOLD = ("rows", "apart")


@get("/events/{event_id:int}/zones/{zone_no:int}", include_in_schema=False)
async def show_zone(
    request: Req,
    event_id: FromPath[int],
    zone_no: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    given = request.query_params
    choice = Choice(
        seats=seats_of(given.get("seats", "").split(",")), block=whole_or(given.get("block"), 0)
    )
    return await show_map(site, request, event_id, zone_no, caller=caller, choice=choice)


@post("/events/{event_id:int}/holds", include_in_schema=False)
async def take_seats(
    request: Req,
    event_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    form = await form_of(request)
    zone_no, block = whole_or(text(form, "zone"), 1), whole_or(text(form, "block"), 0)
    seats = seats_of(texts(form, "seats"))
    if caller.account_id is None:
        return _to_sign_in(event_id, zone_no, block, seats)
    visit = await need_visit(site, request, event_id, caller)
    try:
        if not seats:
            raise NoSeats
        jti = visit.jti if visit else None
        order = await site.orders.open_or_reuse(caller.account_id, event_id, "web", jti)
        hold = await site.holds.hold(event_id, order.id, caller.account_id, seats)
    except Refusal as refusal:
        if not _is_about_seats(refusal):
            raise
        choice = _after(refusal, event_id, seats, block)
        return await show_map(site, request, event_id, zone_no, caller=caller, choice=choice)
    await site.admissions.keep(event_id, jti, moment_of(hold.expires_at_ms))
    return Redirect(f"/orders/{order.id}", status_code=303)


@post("/events/{event_id:int}/best", include_in_schema=False)
async def take_best(
    request: Req,
    event_id: FromPath[int],
    site: NamedDependency[Site],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """The best seats of a zone in one tap. `has`: what the page said the buyer holds already, so
    that a second tap takes nothing more.
    """
    form = await form_of(request)
    zone_no, count = whole_or(text(form, "zone"), 1), whole_or(text(form, "count"), 0)
    if caller.account_id is None:
        return _to_sign_in(event_id, zone_no, 0, [])
    visit = await need_visit(site, request, event_id, caller)
    try:
        jti = visit.jti if visit else None
        order = await site.orders.open_or_reuse(caller.account_id, event_id, "web", jti)
        best = await site.holds.hold_best(
            event_id, order.id, caller.account_id, zone_no, count, has=whole(text(form, "has"))
        )
    except Refusal as refusal:
        if not _is_about_seats(refusal):
            raise
        choice = Choice(refusal=refusal, fresh=True)
        return await show_map(site, request, event_id, zone_no, caller=caller, choice=choice)
    await site.admissions.keep(event_id, jti, moment_of(best.hold.expires_at_ms))
    told = f"?fit={best.fit}" if best.fit in TOLD else ""
    return Redirect(f"/orders/{order.id}{told}", status_code=303)


def _is_about_seats(refusal: Refusal) -> bool:
    """The map is the place to tell it: other seats may do, or another moment."""
    return refusal.status == CONFLICT or isinstance(refusal, NoSeats | PartnerAway)


def _after(refusal: Refusal, event_id: int, seats: Sequence[int], block: int) -> Choice:
    """What is left of the choice: the seats that were lost are named and no longer marked."""
    named = refusal.extra.get("seats")
    lost = set(_lost(event_id, named if isinstance(named, list) else []))
    return Choice(
        seats=[seat for seat in seats if seat not in lost],
        block=block,
        refusal=refusal,
        lost=[seat for seat in seats if seat in lost],
        fresh=True,
    )


def _lost(event_id: int, named: Iterable[Any]) -> Iterable[int]:
    for one in named:
        parts = split_seat_id(one["id"])
        if parts and parts[0] == event_id:
            yield parts[1]


def _to_sign_in(event_id: int, zone_no: int, block: int, seats: Sequence[int]) -> Response[Any]:
    """After signing in the visitor is back at the map, with the choice kept."""
    chosen = ",".join(map(str, seats))
    back = f"/events/{event_id}/zones/{zone_no}?block={block}&seats={chosen}"
    return Redirect(f"/sign-in?next={quote(back, safe='')}", status_code=303)
