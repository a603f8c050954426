"""The throttle console's pages and their numbers as JSON."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from accounts.identity import Caller
from accounts.web import AnyRequest, read_form, see_other
from admin.audit import Audit, room_subject
from admin.staff import need_staff
from admin.throttle import CONSOLE_FIELDS, RoomView, ThrottleConsole, read_changes
from admin.web.words import setting_problem, state_word
from kernel.documents import UNREADABLE
from kernel.errors import BadInput
from kernel.web.pages import Pages, wants_html
from waitingroom.console import Change
from waitingroom.settings import (
    MESSAGE_MAX,
    MOMENTS,
    PLACES_MAX,
    RATE_MAX,
    SITE_URL_MAX,
    TITLE_MAX,
    BadSetting,
)

HISTORY_MAX = 30
JSON = "application/json"


@get("/", include_in_schema=False)
async def front(caller: NamedDependency[Caller]) -> Response[Any]:
    need_staff(caller)
    return see_other("/rooms")


@get("/rooms", include_in_schema=False)
async def rooms_page(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    console: NamedDependency[ThrottleConsole],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    rooms = [told(request, pages, room) for room in console.rooms()]
    return pages.show(request, "admin/rooms.html", rooms=rooms)


@get("/rooms/live.json")
async def rooms_numbers(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    console: NamedDependency[ThrottleConsole],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    need_staff(caller)
    return as_json({"rooms": [told(request, pages, room) for room in console.rooms()]})


@get("/rooms/{event:int}", include_in_schema=False)
async def room_page(
    request: AnyRequest,
    *,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    console: NamedDependency[ThrottleConsole],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    return await show_room(request, pages, console, audit, event=event)


@get("/rooms/{event:int}/live.json")
async def room_numbers(
    request: AnyRequest,
    *,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    console: NamedDependency[ThrottleConsole],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    need_staff(caller)
    return as_json(told(request, pages, console.room(event)))


@post("/rooms/{event:int}/settings", status_code=200)
async def configure(
    request: AnyRequest,
    *,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    console: NamedDependency[ThrottleConsole],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """Any of the console's fields: all or none of what is given."""
    need_staff(caller)
    given = await read_given(request)
    try:
        room = await console.change(event, read_changes(given), caller)
    except BadSetting as refusal:
        if not wants_html(request):
            raise
        wrong = str(refusal.extra.get("setting", ""))
        spot = wrong if wrong in CONSOLE_FIELDS else "form"
        errors = {spot: setting_problem(request, pages, refusal)}
        return await show_room(
            request, pages, console, audit, event=event, errors=errors, typed=given
        )
    if wants_html(request):
        return see_other(f"/rooms/{event}?done={next(iter(given))}")
    return as_json(told(request, pages, room))


async def show_room(
    request: AnyRequest,
    pages: Pages,
    console: ThrottleConsole,
    audit: Audit,
    *,
    event: int,
    errors: dict[str, str] | None = None,
    typed: dict[str, Any] | None = None,
) -> Response[Any]:
    room = console.room(event)
    return pages.show(
        request,
        "admin/room.html",
        status=422 if errors else 200,
        room=told(request, pages, room),
        times=told_times(room),
        history=await audit.about([room_subject(event)], count=HISTORY_MAX),
        own_deeds=[(moment_of(one), one.changes) for one in await console.own_deeds(event)],
        errors=errors or {},
        typed=typed or {},
        done=None if errors else request.query_params.get("done"),
        here=f"/rooms/{event}",
        limits={"number": RATE_MAX, "message": MESSAGE_MAX, "places": PLACES_MAX}
        | {"title": TITLE_MAX, "site": SITE_URL_MAX},
    )


async def read_given(request: AnyRequest) -> dict[str, Any]:
    """The body's fields, as a form or as a JSON object."""
    if not request.headers.get("content-type", "").startswith(JSON):
        return dict(await read_form(request))
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except UNREADABLE as error:
        raise BadInput("Тело запроса не объект JSON.") from error


def told(request: AnyRequest, pages: Pages, room: RoomView) -> dict[str, Any]:
    """A room's numbers with its state in words, in the reader's language."""
    is_ready = room.mode == "auto" and room.state == "off"
    word, tone = state_word(request, pages, "ready" if is_ready else room.state)
    fields = {**msgspec.structs.asdict(room), "state_word": word, "state_tone": tone}
    fields["plan"] = [
        {
            "since": step.since,
            "state": step.state,
            "word": state_word(request, pages, step.state)[0],
        }
        for step in room.plan
    ]
    return fields


def told_times(room: RoomView) -> dict[str, Any]:
    """The schedule as a page shows it: moments for fields and for people, on the venue's clock."""
    zone = ZoneInfo(room.time_zone)
    moments = {name: getattr(room, name) for name in MOMENTS}
    local = {
        name: datetime.fromtimestamp(moment / 1000, zone) if moment else None
        for name, moment in moments.items()
    }
    return {
        "zone": zone,
        "fields": {name: at.strftime("%Y-%m-%dT%H:%M") if at else "" for name, at in local.items()},
        "since": [
            datetime.fromtimestamp(step.since / 1000, zone) if step.since else None
            for step in room.plan
        ],
    }


def moment_of(change: Change) -> datetime:
    return datetime.fromtimestamp(change.at / 1000, UTC)


def as_json(content: Any) -> Response[bytes]:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(content), media_type=JSON, headers=headers)
