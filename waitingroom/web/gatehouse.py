"""For other sites: is this pass good, and with which keys to check it oneself."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from waitingroom.passes import PURPOSE, is_good_pass
from waitingroom.room import Rooms
from waitingroom.web.entrance import AnyRequest, event_of, pass_cookie_of, return_address

# Longer than any pass; what is longer isn't looked at.
PASS_MAX = 2_048
JWKS_HEADERS = {"Cache-Control": "public, max-age=60"}


@get("/authorize", summary="204 with a good pass, 401 without: for nginx auth_request")
async def authorize(
    request: AnyRequest, event: FromQuery[str], rooms: NamedDependency[Rooms]
) -> Response[None]:
    """`?event=` names the room. The pass comes in X-Queue-Pass or its cookie; X-Original-URI, if
    given, is where the visitor goes afterwards.
    """
    event_id = event_of(event)
    token = request.headers.get("x-queue-pass") or request.cookies.get(pass_cookie_of(event_id))
    if rooms.snapshot(event_id).state == "off":
        return Response(None, status_code=204)
    if (
        token
        and len(token) <= PASS_MAX
        and is_good_pass(rooms.keyring, rooms.clock, event_id, token)
    ):
        return Response(None, status_code=204)
    links = request.app.state["links"]
    back = return_address(request, links, event_id, request.headers.get("x-original-uri"))
    page = links.to("waitingroom", request, f"/queue/{event_id}?return_to={quote(back, safe='')}")
    return Response(None, status_code=401, headers={"Location": page, "Cache-Control": "no-store"})


@get("/.well-known/jwks.json", summary="Public keys of passes")
async def jwks(rooms: NamedDependency[Rooms]) -> Response[dict[str, Any]]:
    return Response(rooms.keyring.jwks(PURPOSE), headers=JWKS_HEADERS)
