"""Backstage: the fault switchboard and the books, for people, tests and checkers."""

from typing import Any

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency

from kernel.web.pages import Pages
from sandbox.toleubar.books import PAGE_MAX
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.faults import STARTING, Faults
from sandbox.toleubar.moments import iso
from sandbox.toleubar.payment import Change, Payment
from sandbox.toleubar.refusals import FieldsRefused
from sandbox.toleubar.states import Status
from sandbox.toleubar.web.answers import AnyRequest, answer
from sandbox.toleubar.web.self_service import change_or_refuse, read_object

OK = 200
RECENT_SHOWN = 15


@get("/sandbox/faults")
async def show_faults(desk: NamedDependency[Desk]) -> Response[bytes]:
    return answer(msgspec.json.encode(desk.switchboard.faults))


@put("/sandbox/faults", status_code=OK)
async def change_faults(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The body is the whole switchboard: `{}` turns everything off."""
    change_or_refuse(desk.switchboard.change, read_object(await request.body()))
    return answer(msgspec.json.encode(desk.switchboard.faults))


@get("/sandbox/books")
async def show_books(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """Payments in order of creation: `?after=<next of the last page>&limit=…&status=…`.
    `next` is null on the last page; `totals` cover all payments.
    """
    after = _whole(request, "after", 0, 2**62)
    limit = _whole(request, "limit", PAGE_MAX, PAGE_MAX) or 1
    status = request.query_params.get("status")
    page = desk.books.page(after, limit, status)
    history = desk.books.history(page)
    body = {
        "payments": [_describe(payment, history[payment.payment_id]) for payment in page],
        "next": page[-1].seq if len(page) == limit else None,
        "totals": _totals(desk),
    }
    return answer(body)


@get("/sandbox")
async def show_switchboard(
    request: AnyRequest, desk: NamedDependency[Desk], pages: NamedDependency[Pages]
) -> Response[Any]:
    return _show(request, desk, pages, errors={})


@post("/sandbox", status_code=OK)
async def change_switchboard(
    request: AnyRequest, desk: NamedDependency[Desk], pages: NamedDependency[Pages]
) -> Response[Any]:
    """The form: all switches, or only the profile, which then brings its starting values."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    try:
        change_or_refuse(desk.switchboard.change, read_switches(form))
    except FieldsRefused as refusal:
        return _show(request, desk, pages, errors=refusal.errors)
    return Response(b"", status_code=303, headers={"Location": "/sandbox"})


def read_switches(form: dict[str, str]) -> dict[str, Any]:
    """Words of the form as the switchboard's types. An unticked box sends nothing: it is off.
    Raises FieldsRefused for what is not a number.
    """
    if "only_profile" in form:
        return {"profile": form.get("profile", "")}
    switches: dict[str, Any] = {"profile": form.get("profile", "documented")}
    for name, start in msgspec.to_builtins(STARTING["documented"]).items():
        if isinstance(start, bool):
            switches[name] = name in form
        elif isinstance(start, float) and name in form:
            try:
                switches[name] = float(form[name].replace(",", "."))
            except ValueError as error:
                raise FieldsRefused({name: ["Not a number"]}) from error
    return switches


def _show(
    request: AnyRequest, desk: Desk, pages: Pages, errors: dict[str, list[str]]
) -> Response[Any]:
    faults: Faults = desk.switchboard.faults
    return pages.show(
        request,
        "toleubar/switchboard.html",
        status=400 if errors else 200,
        faults=faults,
        off=STARTING[faults.profile] == faults,
        errors=errors,
        totals=_totals(desk),
        recent=desk.books.recent(RECENT_SHOWN),
    )


def _describe(payment: Payment, changes: list[Change]) -> dict[str, object]:
    return {
        "paymentId": payment.payment_id,
        "teamSlug": payment.team_slug,
        "orderId": payment.order_id,
        "status": payment.status,
        "reason": payment.reason,
        "amount": payment.amount,
        "currency": payment.currency,
        "createdAt": iso(payment.created_ms),
        "updatedAt": iso(payment.updated_ms),
        "expiresAt": iso(payment.expires_ms),
        "history": [
            {"at": iso(change.at_ms), "status": change.status, "cause": change.cause}
            for change in changes
        ],
    }


def _totals(desk: Desk) -> dict[str, dict[str, object]]:
    totals = desk.books.totals()
    return {
        status.value: {"count": totals[status][0], "amount": totals[status][1]}
        for status in Status
        if status in totals
    }


def _whole(request: AnyRequest, name: str, otherwise: int, high: int) -> int:
    written = request.query_params.get(name, str(otherwise))
    if not written.isascii() or not written.isdigit() or int(written) > high:
        raise FieldsRefused({name: [f"A whole number from 0 to {high}."]})
    return int(written)
