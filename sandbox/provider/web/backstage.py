"""Behind the stage: the switchboard and the truth about every hall, as JSON and as a page."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response, get, patch, post, put
from litestar.di import NamedDependency

from kernel.documents import UNREADABLE
from kernel.errors import BadInput
from kernel.web.pages import Pages
from sandbox.provider.desk import Desk
from sandbox.provider.faults import HALL_MAX, Faults
from sandbox.provider.presets import PRESETS
from sandbox.switches import place_and_reason

AnyRequest = Request[Any, Any, Any]
PAGE_MAX = 1000
AFTER_MAX = 2**62
HALLS_SHOWN = 50
# Switches that a form writes as words with commas between.
LISTS = ("verbs", "halls")


class SwitchesRefused(BadInput):
    """Такого переключателя или положения нет."""

    code = "switches-refused"


class NumberRefused(BadInput):
    """Нужно целое число."""

    code = "number-refused"


@get("/", include_in_schema=False)
async def show_door() -> Response[bytes]:
    return Response(b"", status_code=HTTPStatus.FOUND, headers={"Location": "/sandbox"})


@get("/sandbox/faults")
async def show_faults(desk: NamedDependency[Desk]) -> Response[bytes]:
    return _json(desk.switchboard.faults)


@put("/sandbox/faults", status_code=HTTPStatus.OK)
async def change_faults(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The body is the whole switchboard: `{}` turns everything off."""
    _change(desk.switchboard.change, await request.body())
    return _json(desk.switchboard.faults)


@patch("/sandbox/faults", status_code=HTTPStatus.OK)
async def patch_faults(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """Only the named switches change."""
    _change(desk.switchboard.patch, await request.body())
    return _json(desk.switchboard.faults)


@get("/sandbox/faults/struck")
async def show_struck(desk: NamedDependency[Desk]) -> Response[bytes]:
    """How often each fault has struck since the switchboard was last set as a whole."""
    return _json(dict(sorted(desk.switchboard.struck.items())))


@get("/sandbox/faults/presets")
async def show_presets() -> Response[bytes]:
    return _json(PRESETS)


@get("/sandbox/halls")
async def show_halls(desk: NamedDependency[Desk]) -> Response[bytes]:
    """Each hall's counts, as decided and not as shown; `stopped`: it has swallowed the pill."""
    return _json(_halls(desk))


@get("/sandbox/places")
async def show_truth(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """Places of a hall as decided: `?hall=…&after=<next of the last page>&limit=…`."""
    hall = _whole(request, "hall", 0, HALL_MAX)
    after = _whole(request, "after", 0, AFTER_MAX)
    limit = max(_whole(request, "limit", PAGE_MAX, PAGE_MAX), 1)
    rows = desk.records.truth(hall, after, limit)
    places = [
        {
            "id": row["id"],
            "row": row["row"],
            "seat": row["seat"],
            "order_id": row["order_id"],
            "order_status": row["status"],
            "joined": bool(row["joined"]),
        }
        for row in rows
    ]
    return _json({"places": places, "next": rows[-1]["seq"] if len(rows) == limit else None})


@get("/sandbox")
async def show_switchboard(
    request: AnyRequest, desk: NamedDependency[Desk], pages: NamedDependency[Pages]
) -> Response[Any]:
    return _show(request, desk, pages, {})


@post("/sandbox", status_code=HTTPStatus.OK)
async def change_switchboard(
    request: AnyRequest, desk: NamedDependency[Desk], pages: NamedDependency[Pages]
) -> Response[Any]:
    """The form: all switches, or only a preset, which then brings its own values."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    try:
        desk.switchboard.change(read_switches(form))
    except msgspec.ValidationError as error:
        place, why = place_and_reason(error)
        return _show(request, desk, pages, {place.partition("[")[0]: why})
    return Response(b"", status_code=HTTPStatus.SEE_OTHER, headers={"Location": "/sandbox"})


def read_switches(form: dict[str, str]) -> dict[str, Any]:
    """Words of the form as the switchboard's types. An unticked box sends nothing: it is off; an
    empty field is its starting value. Raises msgspec.ValidationError for what is not a number.
    """
    if "preset" in form:
        return {"preset": form["preset"]}
    switches: dict[str, Any] = {}
    for name, start in msgspec.to_builtins(Faults()).items():
        written = form.get(name, "").strip()
        if isinstance(start, bool):
            switches[name] = name in form
        elif name in LISTS:
            words = [word.strip() for word in written.split(",") if word.strip()]
            switches[name] = words if name == "verbs" else [_int(name, one) for one in words]
        elif written:
            switches[name] = _number(name, written)
    return switches


def _int(name: str, written: str) -> int:
    try:
        return int(written)
    except ValueError as error:
        raise msgspec.ValidationError(f"Not a number - at `$.{name}`") from error


def _number(name: str, written: str) -> float:
    if name == "seed":
        return _int(name, written)
    try:
        return float(written.replace(",", "."))
    except ValueError as error:
        raise msgspec.ValidationError(f"Not a number - at `$.{name}`") from error


def _change(change: Any, body: bytes) -> None:
    """Raises SwitchesRefused, naming what is wrong."""
    try:
        change(msgspec.json.decode(body, type=dict[str, Any]))
    except msgspec.ValidationError as error:
        place, why = place_and_reason(error)
        raise SwitchesRefused(errors={place.partition("[")[0]: [why]}) from error
    except UNREADABLE as error:
        raise SwitchesRefused(errors={"$": [str(error)]}) from error


def _halls(desk: Desk) -> list[dict[str, object]]:
    return [
        {"hall": hall, **desk.records.totals(hall), "stopped": hall in desk.consumer.stopped}
        for hall in desk.records.halls()[:HALLS_SHOWN]
    ]


def _whole(request: AnyRequest, name: str, otherwise: int, high: int) -> int:
    written = request.query_params.get(name, str(otherwise))
    if not written.isascii() or not written.isdigit() or int(written) > high:
        raise NumberRefused(errors={name: [f"A whole number from 0 to {high}."]})
    return int(written)


def _json(body: object) -> Response[bytes]:
    return Response(msgspec.json.encode(body), media_type="application/json")


def _show(request: AnyRequest, desk: Desk, pages: Pages, errors: dict[str, str]) -> Response[Any]:
    board = desk.switchboard
    return pages.show(
        request,
        "provider/switchboard.html",
        status=HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        faults=board.faults,
        struck=board.struck,
        off=board.faults == Faults(),
        errors=errors,
        halls=_halls(desk),
    )
