"""The page of a room's door, its numbers as JSON, and the preview of what will be in force."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from accounts.identity import Caller
from accounts.web import AnyRequest, see_other
from admin.doorkeeper import DOOR_FIELDS, OUTCOMES, Doorkeeper, DoorView, Then
from admin.staff import need_staff
from admin.web.rooms import as_json, read_given
from admin.web.words import setting_problem, state_word
from kernel.web.pages import Pages, wants_html
from waitingroom.settings import LIST_MAX, BadSetting

MS = 1000
# What the preview sets beside each other, in this order.
PREVIEWED = (
    *("mode", "rate_per_minute", "ceiling", "places_max", "lane_share", "proof_bits"),
    *("grace_seconds", "pass_seconds", "lease_seconds", "message"),
)


@get("/rooms/{event:int}/door", include_in_schema=False)
async def door_page(
    request: AnyRequest,
    *,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    doorkeeper: NamedDependency[Doorkeeper],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """`?at=` is a moment of the venue's clock: the preview of it."""
    need_staff(caller)
    asked, then, errors = request.query_params.get("at"), None, {}
    if asked is not None:
        try:
            then = doorkeeper.then(event, asked[:40])
        except BadSetting as refusal:
            errors = {"at": pages.text(request, refusal.detail)}
    return await _show(request, pages, doorkeeper, event=event, errors=errors, then=then)


@get("/rooms/{event:int}/door.json")
async def door_numbers(
    event: FromPath[int],
    doorkeeper: NamedDependency[Doorkeeper],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    need_staff(caller)
    view = await doorkeeper.door(event, named=False)
    counts = {
        f"{rule.name} {outcome}": getattr(rule, outcome)
        for rule in view.rules
        for outcome in OUTCOMES
    }
    lane = {f"lane_{name}": count for name, count in (view.lane or {}).items()}
    return as_json(msgspec.structs.asdict(view) | counts | lane)


@get("/rooms/{event:int}/preview")
async def preview(
    request: AnyRequest,
    event: FromPath[int],
    doorkeeper: NamedDependency[Doorkeeper],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    """`?at=2026-06-01T12:00`: the settings in force then, on the venue's clock."""
    need_staff(caller)
    return as_json(doorkeeper.then(event, request.query_params.get("at", "")[:40]))


@post("/rooms/{event:int}/door", status_code=200)
async def change_door(
    request: AnyRequest,
    *,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    doorkeeper: NamedDependency[Doorkeeper],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Any of the door's fields, or `rule` with `mild` 1 or 0: all or none of what is given."""
    need_staff(caller)
    given = await read_given(request)
    try:
        await doorkeeper.change(event, given, caller)
    except BadSetting as refusal:
        if not wants_html(request):
            raise
        wrong = str(refusal.extra.get("setting", ""))
        said = setting_problem(request, pages, refusal)
        said += f" ({refusal.extra['word']})" if "word" in refusal.extra else ""
        errors = {wrong if wrong in DOOR_FIELDS else "form": said}
        return await _show(request, pages, doorkeeper, event=event, errors=errors, typed=given)
    if wants_html(request):
        return see_other(f"/rooms/{event}/door?done={next(iter(given))}")
    return as_json(await doorkeeper.door(event))


async def _show(
    request: AnyRequest,
    pages: Pages,
    doorkeeper: Doorkeeper,
    *,
    event: int,
    errors: dict[str, str],
    typed: dict[str, Any] | None = None,
    then: Then | None = None,
) -> Response[Any]:
    view = await doorkeeper.door(event)
    return pages.show(
        request,
        "admin/door.html",
        status=422 if errors else 200,
        door=_fields(view),
        errors=errors,
        typed=typed or {},
        then=_preview(request, pages, then) if then else None,
        asked=request.query_params.get("at", "")[:40],
        zone=doorkeeper.zone(event),
        done=None if errors else request.query_params.get("done"),
        here=f"/rooms/{event}/door",
        list_max=LIST_MAX,
    )


def _fields(view: DoorView) -> dict[str, Any]:
    return msgspec.structs.asdict(view) | {"rules": view.rules}


def _preview(request: AnyRequest, pages: Pages, then: Then) -> dict[str, Any]:
    """Both columns of the table; what differs is told apart."""
    rows = [(name, getattr(then.now, name), getattr(then.settings, name)) for name in PREVIEWED]
    return {
        "at": datetime.fromtimestamp(then.at / MS, ZoneInfo(then.now.time_zone)),
        "is_past": then.is_past,
        "states": [state_word(request, pages, state) for state in (then.state_now, then.state)],
        "rows": rows,
    }
