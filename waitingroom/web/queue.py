"""The queue page: one page in all states, which works by itself and is only livelier with its
script. Its forms do what the calls do and lead back to it.
"""

from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.errors import NotFound, Refusal
from kernel.web.pages import Pages
from waitingroom.claims import GateFull, Lapsed, NotCalled, RoomShut
from waitingroom.invitations import INVITE_REFUSALS, TOKEN_MAX
from waitingroom.line import Inside, RoomClosed, RoomFull, RoomOff, RoomSoon
from waitingroom.proof import ProofRequired
from waitingroom.room import Rooms
from waitingroom.web.answers import JoinBody
from waitingroom.web.entrance import (
    AnyRequest,
    enter_address,
    entry_of,
    event_of,
    frame_of,
    hand_entry,
    return_address,
)
from waitingroom.web.forms import form_of
from waitingroom.web.invited import with_invite
from waitingroom.web.joining import at_door, comer_of, join_room
from waitingroom.web.view import PageView, crowded, view_of, with_challenge

RETURN_MAX = 2_000
FULL_RELOAD_S = 5
# Whoever comes back to a page that has changed is shown it, not an error.
SHOWN_ON_PAGE = (NotCalled, Lapsed, RoomShut, RoomOff, RoomSoon, RoomClosed)


@get("/", include_in_schema=False)
async def front(request: AnyRequest) -> Response[bytes]:
    """The room has no page for itself: on to the shop, or to the site that it stands before."""
    links = request.app.state["links"]
    home = links.to("sales", request) if links.has_shop else links.home
    if not home:
        raise NotFound
    return Response(b"", status_code=303, headers={"Location": home})


@get("/queue/{event:str}", include_in_schema=False)
async def queue_page(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    asked = request.query_params.get("return_to")
    view = await view_of(request, rooms, event_of(event), visitor, _short(asked))
    if view.shows == "before" and "left" in request.query_params:
        view = msgspec.structs.replace(view, shows="left")
    if view.shows == "before" and "crowded" in request.query_params:
        view = crowded(view)
    view = with_invite(request, rooms, view, visitor)
    view = with_challenge(request, rooms, view, visitor)
    # Whoever was sent here by the shop wants a place; whoever just came by is asked, and so is
    # whoever may choose between two lines.
    is_sent = asked is not None and not (view.invite or view.invite_wrong)
    return _show(request, pages, view, joins_itself=is_sent and view.shows == "before")


@get("/queue/{event:str}/place", include_in_schema=False)
async def queue_place(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    """The changing part of the page, for its script."""
    asked = request.query_params.get("return_to")
    view = await view_of(request, rooms, event_of(event), visitor, _short(asked))
    if view.shows == "called" and "full" in request.query_params:
        view = msgspec.structs.replace(view, shows="full")
    if view.shows == "before" and "crowded" in request.query_params:
        view = crowded(view)
    view = with_invite(request, rooms, view, visitor)
    view = with_challenge(request, rooms, view, visitor)
    return pages.show(
        request, "_queue_place.html", view=view, has_shop=view.has_shop, home=view.home
    )


@post("/queue/{event:str}/join", include_in_schema=False)
async def queue_join(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    secure_cookies: NamedDependency[bool],
) -> Response[bytes]:
    event_id, fields = event_of(event), await form_of(request)
    back, proof = _short(fields.get("return_to")), fields.get("proof")
    invite = fields.get("invite", "")[:TOKEN_MAX]
    try:
        comer, body = comer_of(request, rooms, event_id, visitor), JoinBody(proof, invite or None)
        joined = await join_room(rooms, event_id, comer, request.scope, body)
    except SHOWN_ON_PAGE:
        return _to_page(event_id, back, invite=invite)
    except INVITE_REFUSALS as refusal:
        return _to_page(event_id, back, invite=invite, refused=refusal.code)
    except RoomFull:
        return _to_page(event_id, back, crowded=1)
    except ProofRequired:
        return _to_page(event_id, back, challenge=(proof or "").rpartition(".")[0])
    response = _to_page(event_id, back)
    hand_entry(response, event_id, joined.token, secure=secure_cookies)
    return response


@post("/queue/{event:str}/leave", include_in_schema=False)
async def queue_leave(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    secure_cookies: NamedDependency[bool],
) -> Response[bytes]:
    event_id, back = event_of(event), await _return_to(request)
    try:
        await rooms.leave(entry_of(request, rooms, event_id))
    except Inside:
        return _to_page(event_id, back)
    except Refusal as refusal:
        if refusal.status not in (404, 410):
            raise
    response = _to_page(event_id, back, left=1)
    hand_entry(response, event_id, "", secure=secure_cookies)
    return response


@post("/queue/{event:str}/claim", include_in_schema=False)
async def queue_claim(
    event: FromPath[str],
    request: AnyRequest,
    rooms: NamedDependency[Rooms],
    visitor: NamedDependency[str],
    pages: NamedDependency[Pages],
) -> Response[bytes]:
    event_id, back = event_of(event), await _return_to(request)
    links, settings = request.app.state["links"], rooms.snapshot(event_id).settings
    address = return_address(request, links, event_id, back, settings)
    if not address:  # nowhere to go with a pass: the turn is kept
        return _to_page(event_id, back)
    try:
        entry = entry_of(request, rooms, event_id)
        at_door(rooms, event_id, "claim", entry.subject, request.scope)
        admitted = await rooms.claim(entry)
    except SHOWN_ON_PAGE:
        return _to_page(event_id, back)
    except GateFull:
        view = await view_of(request, rooms, event_id, visitor, back)
        full = msgspec.structs.replace(view, shows="full", reload_s=FULL_RELOAD_S)
        return _show(request, pages, full)
    return pages.show(
        request,
        "queue_enter.html",
        pass_=admitted.token,
        enter_url=enter_address(request, links, event_id, address),
        return_to=address,
        here=f"/queue/{event_id}",
        **frame_of(request, links, settings),
    )


def _show(
    request: AnyRequest, pages: Pages, view: PageView, *, joins_itself: bool = False
) -> Response[bytes]:
    return pages.show(
        request,
        "queue.html",
        view=view,
        joins_itself=joins_itself,
        has_shop=view.has_shop,
        home=view.home,
        here=f"/queue/{view.event}",
        again=_page(view.event, view.return_to, invite=view.invite),
    )


async def _return_to(request: AnyRequest) -> str | None:
    return _short((await form_of(request)).get("return_to"))


def _short(address: str | None) -> str | None:
    return address if address and len(address) <= RETURN_MAX else None


def _page(event: int, back: str | None, **more: str | int) -> str:
    """The page's address; of `more` what is not empty."""
    asked = {name: value for name, value in {"return_to": back, **more}.items() if value}
    return f"/queue/{event}" + (f"?{urlencode(asked, quote_via=quote, safe='')}" if asked else "")


def _to_page(event: int, back: str | None, **more: str | int) -> Response[Any]:
    return Response(b"", status_code=303, headers={"Location": _page(event, back, **more)})
