"""Who may buy at a guarded event, as pages see it.

A browser carries its pass in a cookie. People lose cookies, and have more than one device: while
their visit goes on they are let in by who they are.
"""

from typing import Any

from accounts.identity import Caller
from kernel.values import EventId
from sales.admission import Admission, PassNeeded, cookie_of
from sales.catalogue import Event
from sales.holds import Hold
from sales.web.pages.forms import Req
from sales.web.pages.site import Site


async def need_visit(site: Site, request: Req, event_id: int, caller: Caller) -> Admission | None:
    """Before holding and paying. None: the event needs no pass now. A cookie that is no pass of
    this visitor is as good as none. Raises PassNeeded.
    """
    site.room_modes.came(EventId(event_id))
    return await _visit(site, request, event_id, caller)


async def _visit(site: Site, request: Req, event_id: int, caller: Caller) -> Admission | None:
    return await site.entrance.person(event_id, caller, request.cookies.get(cookie_of(event_id)))


async def door(site: Site, request: Req, event: Event, caller: Caller) -> dict[str, Any]:
    """For templates. `needs_queue`: a pass is needed and the visitor has none. `admission`: the
    visit that is going on. Who has neither pass nor account is not looked up.
    """
    site.room_modes.came(EventId(event.id))
    is_free = not event.guarded or site.room_modes.is_open(EventId(event.id))
    is_known = cookie_of(event.id) in request.cookies or caller.account_id is not None
    if is_free or not is_known:
        return {"needs_queue": not is_free, "admission": None}
    try:
        visit = await _visit(site, request, event.id, caller)
    except PassNeeded:
        return {"needs_queue": True, "admission": None}
    return {"needs_queue": False, "admission": visit}


async def mine_of(site: Site, event_id: int, caller: Caller) -> Hold | None:
    """The caller's hold of this event that can still grow."""
    if caller.account_id is None:
        return None
    found = await site.holds.of_account(caller.account_id, event_id)
    return next((one for one in found if not one.frozen), None)


async def left_of(site: Site, event: Event, mine: Hold | None, caller: Caller) -> int:
    """How many more seats may be marked. The hold has the last word."""
    holds = len(mine.seats) if mine else 0
    left = event.order_limit - holds
    if event.person_limit is not None:
        who = caller.account_id
        owned = 0 if who is None else await site.orders.owned(who, event.id)
        left = min(left, event.person_limit - owned - holds)
    return max(0, left)
