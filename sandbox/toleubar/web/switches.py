"""The switchboard: as JSON for programs, and as a page for people."""

from typing import Any

import msgspec
from litestar import Response, get, patch, post, put
from litestar.di import NamedDependency

from kernel.errors import BadInput
from kernel.web.pages import Pages
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.presets import PRESETS, STARTING
from sandbox.toleubar.refusals import FieldsRefused
from sandbox.toleubar.web.answers import AnyRequest, answer
from sandbox.toleubar.web.books import totals_of
from sandbox.toleubar.web.self_service import change_or_refuse, read_object

OK = 200
RECENT_SHOWN = 15


class SwitchesRefused(BadInput):
    """Такого переключателя или положения нет."""

    code = "switches-refused"


@get("/sandbox/faults")
async def show_faults(desk: NamedDependency[Desk]) -> Response[bytes]:
    return answer(msgspec.json.encode(desk.switchboard.faults))


@put("/sandbox/faults", status_code=OK)
async def change_faults(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The body is the whole switchboard: `{}` turns everything off."""
    _change(desk.switchboard.change, await request.body())
    return answer(msgspec.json.encode(desk.switchboard.faults))


@patch("/sandbox/faults", status_code=OK)
async def patch_faults(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """Only the named switches change."""
    _change(desk.switchboard.patch, await request.body())
    return answer(msgspec.json.encode(desk.switchboard.faults))


@get("/sandbox/faults/struck")
async def show_struck(desk: NamedDependency[Desk]) -> Response[bytes]:
    """How often each fault has struck since the switchboard was last set as a whole."""
    return answer(dict(sorted(desk.switchboard.struck.items())))


@get("/sandbox/faults/presets")
async def show_presets() -> Response[bytes]:
    return answer(PRESETS)


@get("/sandbox")
async def show_switchboard(
    request: AnyRequest, desk: NamedDependency[Desk], pages: NamedDependency[Pages]
) -> Response[Any]:
    return _show(request, desk, pages, errors={})


@post("/sandbox", status_code=OK)
async def change_switchboard(
    request: AnyRequest, desk: NamedDependency[Desk], pages: NamedDependency[Pages]
) -> Response[Any]:
    """The form: all switches, or only a preset, which then brings its own values."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    try:
        change_or_refuse(desk.switchboard.change, read_switches(form))
    except FieldsRefused as refusal:
        return _show(request, desk, pages, errors=refusal.errors)
    return Response(b"", status_code=303, headers={"Location": "/sandbox"})


def read_switches(form: dict[str, str]) -> dict[str, Any]:
    """Words of the form as the switchboard's types. An unticked box sends nothing: it is off; an
    empty seed is none. Raises FieldsRefused for what is not a number.
    """
    if "preset" in form:
        return {"preset": form["preset"]}
    switches: dict[str, Any] = {"profile": form.get("profile", "documented")}
    for name, start in msgspec.to_builtins(STARTING["documented"]).items():
        if isinstance(start, bool):
            switches[name] = name in form
        elif name in form and name != "profile" and form[name].strip():
            switches[name] = _number(name, form[name], whole=not isinstance(start, float))
    return switches


def _number(name: str, written: str, *, whole: bool) -> float:
    try:
        return int(written) if whole else float(written.replace(",", "."))
    except ValueError as error:
        raise FieldsRefused({name: ["Not a number"]}) from error


def _change(change: Any, body: bytes) -> None:
    """Raises SwitchesRefused, naming what is wrong."""
    try:
        change_or_refuse(change, read_object(body))
    except FieldsRefused as refusal:
        raise SwitchesRefused(errors=refusal.errors) from refusal


def _show(
    request: AnyRequest, desk: Desk, pages: Pages, errors: dict[str, list[str]]
) -> Response[Any]:
    board = desk.switchboard
    return pages.show(
        request,
        "toleubar/switchboard.html",
        status=400 if errors else 200,
        faults=board.faults,
        struck=board.struck,
        off=STARTING[board.faults.profile] == board.faults,
        errors=errors,
        totals=totals_of(desk),
        recent=desk.books.recent(RECENT_SHOWN),
    )
