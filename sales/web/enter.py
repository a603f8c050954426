"""`POST /enter` swaps a pass of the waiting room for the event session, once; `/leave` ends it.

Both are spoken to by the queue page's form and by programs in JSON.
"""

from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.response import Redirect

from accounts.cookies import cookie_line
from accounts.identity import Caller, set_cookies_of
from kernel.documents import UNREADABLE
from kernel.errors import BadInput, Forbidden
from kernel.web.links import safe_return
from kernel.web.pages import wants_html
from sales.admission import Admission, PassExpired, PassUsed, cookie_of
from sales.web.pages.forms import Req, text, whole
from sales.web.pages.site import Site

# Our passes have about 500 characters.
PASS_CHARS_MAX = 4_000


class BadBody(BadInput):
    """Нужны поля pass (для входа) или event_id (для выхода)."""

    code = "bad-body"


@post("/enter", include_in_schema=False)
async def enter(
    request: Req, site: NamedDependency[Site], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Raises BadBody and what Admissions.enter raises: pass-used, pass-expired, …"""
    body = await _fields(request)
    token = body.get("pass", "")
    if not token or len(token) > PASS_CHARS_MAX:
        raise BadBody
    admission = await _open(site, request, token, caller)
    life = admission.lease_until - site.clock.now()
    _set_cookie(site, request, admission.event_id, token, max(1, int(life.total_seconds())))
    if _is_json(request):
        return _json({"event_id": admission.event_id, "expires_at": admission.expires_at})
    page, host = f"/events/{admission.event_id}", request.headers.get("host", "")
    return Redirect(safe_return(body.get("return_to"), page, site.links, host), status_code=303)


@post("/leave", include_in_schema=False)
async def leave(
    request: Req, site: NamedDependency[Site], caller: NamedDependency[Caller]
) -> Response[Any]:
    """Gives the place to the next in line. Leaving twice is leaving. Raises BadBody."""
    body = await _fields(request)
    if not body.get("event_id"):
        raise BadBody
    event_id = whole(body["event_id"])
    token = request.cookies.get(cookie_of(event_id))
    try:
        left = await site.admissions.leave(event_id, caller, token)
    except Forbidden:  # the cookie is of somebody who used this browser before
        left = False
    if not left and (visit := await site.admissions.visit(event_id, caller)):
        left = await site.admissions.end(event_id, visit.jti, "left")
    _set_cookie(site, request, event_id, "", 0)
    if _is_json(request):
        return _json({"event_id": event_id, "left": left})
    return Redirect(f"/events/{event_id}", status_code=303)


async def _open(site: Site, request: Req, token: str, caller: Caller) -> Admission:
    """A program's second use of a pass is refused. A person's is a second click, or another tab
    or device of theirs: they are let back into the visit that is going on.
    """
    try:
        return await site.admissions.enter(token, caller)
    except (PassUsed, PassExpired) as refusal:
        event_id = refusal.extra["event_id"]
        if not wants_html(request) or not isinstance(event_id, int):
            raise
        visit = await site.admissions.visit(event_id, caller)
        if visit is None:
            raise
        return visit


def _set_cookie(site: Site, request: Req, event_id: int, token: str, age_s: int) -> None:
    name = cookie_of(event_id)
    line = cookie_line(name, token, max_age_s=age_s, secure=site.secure_cookies)
    set_cookies_of(request).append(line)


def enter_routes() -> list[Any]:
    return [enter, leave]


def _is_json(request: Req) -> bool:
    return request.content_type[0] == RequestEncodingType.JSON


async def _fields(request: Req) -> dict[str, str]:
    """The body's fields as texts, of a form or of a JSON object. Raises BadBody."""
    if not _is_json(request):
        form = await request.form()
        return {name: text(form, name) for name in ("pass", "event_id", "return_to")}
    try:
        body = msgspec.json.decode(await request.body(), type=dict[str, Any])
    except UNREADABLE as error:
        raise BadBody from error
    return {name: str(value) for name, value in body.items() if isinstance(value, str | int)}


def _json(body: dict[str, Any]) -> Response[bytes]:
    return Response(msgspec.json.encode(body), media_type="application/json", status_code=200)
