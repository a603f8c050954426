"""Events: found by number or title, cancelled, moved; how far refunds are."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from accounts.identity import Caller
from accounts.web import AnyRequest, read_form, see_other
from admin.audit import Audit
from admin.consent import REASON_CHARS
from admin.events import FAILURES_PAGE, EventDesk, event_subject
from admin.staff import need_staff
from admin.web.rooms import HISTORY_MAX, as_json
from kernel.errors import BadInput, Refusal
from kernel.values import ID_MAX, INT64_MAX, tenge_human
from kernel.web.numbers import WHOLE, digits_in
from kernel.web.pages import VENUE_ZONE, Pages, wants_html
from sales.cancellations import Progress
from sales.catalogue import EventUnknown
from sales.search import QUERY_CHARS_MAX

# Which field a refusal is about; the others concern the form.
FIELD_OF = {
    "not-confirmed": "number",
    "reason-needed": "reason",
    "bad-moment": "starts_at",
    "event-in-past": "starts_at",
}


@get("/events", include_in_schema=False)
async def events_page(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    events: NamedDependency[EventDesk],
    caller: NamedDependency[Caller],
    q: FromQuery[str] = "",
) -> Response[Any]:
    """`q`: a number leads to its event, words are looked for in titles."""
    need_staff(caller)
    if WHOLE.fullmatch(q.strip()) and 1 <= int(q) <= ID_MAX:
        try:
            await events.progress(int(q))
        except EventUnknown:
            pass  # a title may be a number too
        else:
            return see_other(f"/events/{int(q)}")
    return pages.show(
        request,
        "admin/events.html",
        q=q[:QUERY_CHARS_MAX],
        query_max=QUERY_CHARS_MAX,
        found=await events.find(q),
        cancelled=await events.cancelled(),
    )


@get("/events/{event_id:int}", include_in_schema=False, before_request=digits_in("past"))
async def event_page(
    request: AnyRequest,
    *,
    event_id: FromPath[int],
    pages: NamedDependency[Pages],
    events: NamedDependency[EventDesk],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
    past: FromQuery[int] = 0,
) -> Response[Any]:
    """`past`: the failures that follow this order."""
    need_staff(caller)
    return await _show(request, pages, events, audit, event_id, past=min(max(past, 0), INT64_MAX))


@get("/events/{event_id:int}/live.json")
async def event_numbers(
    event_id: FromPath[int],
    events: NamedDependency[EventDesk],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    need_staff(caller)
    return as_json({"event": event_id, **told(await events.progress(event_id))})


@post("/events/{event_id:int}/{deed:str}", include_in_schema=False)
async def change_event(
    request: AnyRequest,
    *,
    event_id: FromPath[int],
    deed: FromPath[str],
    pages: NamedDependency[Pages],
    events: NamedDependency[EventDesk],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """`deed`: cancel with `number` and `reason`, move with `starts_at`, or again."""
    need_staff(caller)
    form = await read_form(request)
    try:
        if deed == "cancel":
            number, reason = form.get("number", ""), form.get("reason", "")
            await events.cancel(event_id, number, reason, caller)
        elif deed == "move":
            await events.move(event_id, form.get("starts_at", ""), caller)
        elif deed == "again":
            await events.try_again(event_id, caller)
        else:
            raise BadInput
    except EventUnknown:
        raise
    except Refusal as refusal:
        if not wants_html(request) or deed not in ("cancel", "move", "again"):
            raise
        return await _show(request, pages, events, audit, event_id, wrong=refusal, typed=form)
    return see_other(f"/events/{event_id}?done={deed}")


async def _show(
    request: AnyRequest,
    pages: Pages,
    events: EventDesk,
    audit: Audit,
    event_id: int,
    *,
    past: int = 0,
    wrong: Refusal | None = None,
    typed: dict[str, str] | None = None,
) -> Response[Any]:
    view = await events.view(event_id, past)
    field = FIELD_OF.get(wrong.code, "form") if wrong else ""
    failures = view.failures
    return pages.show(
        request,
        "admin/event.html",
        status=(409 if field == "form" else 422) if wrong else 200,
        refusal=wrong,
        event=view.event,
        told=told(view.progress),
        failures=failures,
        more=failures[-1].order_id if len(failures) == FAILURES_PAGE else None,
        starts_at=view.event.starts_at.astimezone(VENUE_ZONE).strftime("%Y-%m-%dT%H:%M"),
        zone=VENUE_ZONE,
        errors={field: pages.text(request, wrong.detail)} if wrong else {},
        typed=typed or {},
        reason_max=REASON_CHARS.stop - 1,
        history=await audit.about([event_subject(event_id)], count=HISTORY_MAX),
        done=None if wrong else request.query_params.get("done"),
        here=f"/events/{event_id}",
    )


def told(progress: Progress) -> dict[str, Any]:
    """Its numbers as a page and a program get them; `not_yet`: orders that nobody came to yet."""
    fields: dict[str, Any] = msgspec.structs.asdict(progress)
    fields |= {"total": progress.total, "not_yet": progress.paid - progress.failed}
    return fields | {name: tenge_human(fields[name]) for name in ("amount", "amount_done")}
