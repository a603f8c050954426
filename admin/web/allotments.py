"""What the owner of a hall has given us of it: what is sold, what was reported, and changing it."""

from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from accounts.identity import Caller
from accounts.web import AnyRequest, read_form, see_other
from admin.audit import Audit, actor_of
from admin.events import EventDesk, event_subject
from admin.staff import need_staff
from admin.web.rooms import HISTORY_MAX, as_json
from kernel.errors import BadInput, Refusal
from kernel.web.numbers import WHOLE
from kernel.web.pages import VENUE_ZONE, Pages, wants_html
from sales.allotments import Allotments, AllotmentUnknown, BadDeadline
from sales.allotments_export import as_csv, as_data
from sales.catalogue import EventUnknown

# Which field a refusal is about; the others concern the form.
FIELD_OF = {
    "bad-deadline": "deadline",
    "bad-places": "places",
    "allotment-below-sold": "places",
    "allotment-beyond-zone": "places",
    "allotment-listed": "places",
}
# What a spreadsheet is to know of the encoding.
BOM = "\ufeff"


class BadPlaces(BadInput):
    """Нужно целое число мест, от одного."""

    code = "bad-places"


@get("/events/{event_id:int}/allotments", include_in_schema=False)
async def allotments_page(
    request: AnyRequest,
    *,
    event_id: FromPath[int],
    pages: NamedDependency[Pages],
    events: NamedDependency[EventDesk],
    allotments: NamedDependency[Allotments],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    desk = (events, allotments, audit)
    return await _show(request, pages, desk, event_id)


@get("/events/{event_id:int}/allotments.json")
async def allotments_data(
    event_id: FromPath[int],
    allotments: NamedDependency[Allotments],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    """For the owner of the hall: what is sold by zone and row, now and as reported."""
    need_staff(caller)
    return as_json(as_data(await allotments.view(event_id)))


@get("/events/{event_id:int}/allotments.csv", include_in_schema=False)
async def allotments_sheet(
    event_id: FromPath[int],
    allotments: NamedDependency[Allotments],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    """The same as a spreadsheet, a line for each row with something sold."""
    need_staff(caller)
    told = as_csv(await allotments.view(event_id))
    name = f'attachment; filename="allotments-{event_id}.csv"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response((BOM + told).encode(), media_type="text/csv; charset=utf-8", headers=headers)


@post("/events/{event_id:int}/allotments/{zone_no:int}", include_in_schema=False)
async def change_allotment(
    request: AnyRequest,
    *,
    event_id: FromPath[int],
    zone_no: FromPath[int],
    pages: NamedDependency[Pages],
    events: NamedDependency[EventDesk],
    allotments: NamedDependency[Allotments],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """`places` and `deadline` (by the hall's clock) as the owner has agreed to; `version`: of what
    the page showed.
    """
    need_staff(caller)
    form = await read_form(request)
    try:
        await allotments.change(
            event_id,
            zone_no,
            _whole(form.get("version", "")),
            places=_whole(form.get("places", "")),
            deadline=_moment(form.get("deadline", "")),
            actor=actor_of(caller),
            by=caller.email,
        )
    except (EventUnknown, AllotmentUnknown):
        raise
    except Refusal as refusal:
        if not wants_html(request):
            raise
        desk = (events, allotments, audit)
        return await _show(request, pages, desk, event_id, wrong=(zone_no, refusal, form))
    return see_other(f"/events/{event_id}/allotments?done={zone_no}")


async def _show(
    request: AnyRequest,
    pages: Pages,
    desk: tuple[EventDesk, Allotments, Audit],
    event_id: int,
    *,
    wrong: tuple[int, Refusal, dict[str, str]] | None = None,
) -> Response[Any]:
    events, allotments, audit = desk
    view = await events.view(event_id)
    lines = await audit.about([event_subject(event_id)], count=HISTORY_MAX)
    zone_no, refusal, typed = wrong or (0, None, {})
    field = FIELD_OF.get(refusal.code, "form") if refusal else ""
    return pages.show(
        request,
        "admin/allotments.html",
        status=(409 if field == "form" else 422) if refusal else 200,
        event=view.event,
        standings=await allotments.of_event(event_id),
        rows=await allotments.sold_rows(event_id),
        wrong_zone=zone_no,
        errors={field: pages.text(request, refusal.detail)} if refusal else {},
        typed=typed,
        zone=VENUE_ZONE,
        history=[line for line in lines if line.action.startswith("allotment.")],
        done=None if refusal else request.query_params.get("done"),
    )


def _whole(typed: str) -> int:
    if not WHOLE.fullmatch(typed.strip()):
        raise BadPlaces
    return int(typed)


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise BadDeadline from error
    return moment if moment.tzinfo else moment.replace(tzinfo=VENUE_ZONE)
