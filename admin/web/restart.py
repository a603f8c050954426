"""The page that asks before a room's line is started anew."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from accounts.identity import Caller
from accounts.web import AnyRequest, see_other
from admin.consent import REASON_CHARS, NotConfirmed, ReasonNeeded, reason_with_number
from admin.restarts import Restarts
from admin.staff import need_staff
from admin.web.rooms import as_json, read_given
from kernel.errors import BadInput
from kernel.web.pages import Pages, wants_html
from waitingroom.console import ChangedMeanwhile

GENERATION_DIGITS = 16
# Which field a refusal is about; the others concern the form.
SPOTS = {NotConfirmed.code: "number", ReasonNeeded.code: "reason"}


@get("/rooms/{event:int}/restart", include_in_schema=False)
async def restart_page(
    request: AnyRequest,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    restarts: NamedDependency[Restarts],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    return await _ask(request, pages, restarts, event)


@post("/rooms/{event:int}/restart", status_code=200)
async def restart(
    request: AnyRequest,
    *,
    event: FromPath[int],
    pages: NamedDependency[Pages],
    restarts: NamedDependency[Restarts],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """`number` of the event, `reason`, and `generation` of the line that is meant."""
    need_staff(caller)
    given = {name: str(value) for name, value in (await read_given(request)).items()}
    try:
        reason = reason_with_number(event, given.get("number", ""), given.get("reason", ""))
        standing = await restarts.standing(event)
        meant = _generation(given.get("generation", ""))
        shown = msgspec.structs.replace(standing, generation=meant)
        await restarts.restart(shown, reason, caller)
    except (NotConfirmed, ReasonNeeded, ChangedMeanwhile) as refusal:
        if not wants_html(request):
            raise
        spot = SPOTS.get(refusal.code, "form")
        errors = {spot: pages.text(request, refusal.detail)}
        return await _ask(request, pages, restarts, event, errors=errors, typed=given)
    if wants_html(request):
        return see_other(f"/rooms/{event}?done=restart")
    return as_json(msgspec.structs.asdict(await restarts.standing(event)))


async def _ask(
    request: AnyRequest,
    pages: Pages,
    restarts: Restarts,
    event: int,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response[Any]:
    errors = errors or {}
    return pages.show(
        request,
        "admin/restart.html",
        status=200 if not errors else (409 if "form" in errors else 422),
        room=await restarts.standing(event),
        errors=errors,
        typed=typed or {},
        reason_max=REASON_CHARS.stop - 1,
        here=f"/rooms/{event}/restart",
    )


def _generation(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > GENERATION_DIGITS or not int(text):
        raise BadInput("Не сказано, какую очередь начать заново.")
    return int(text)
