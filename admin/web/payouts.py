"""Refunds that are paid by hand: which wait, which were paid, and how."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from accounts.identity import Caller
from accounts.web import AnyRequest, read_form, see_other
from admin.audit import Audit, actor_of
from admin.staff import need_staff
from admin.web.words import REFUND_REASONS
from kernel.errors import Refusal
from kernel.values import INT64_MAX
from kernel.web.numbers import WHOLE, digits_in
from kernel.web.pages import Pages, wants_html
from sales.payouts import (
    REFERENCE_CHARS_MAX,
    GatewayUnasked,
    PayoutDone,
    Payouts,
    ReferenceNeeded,
)

STATES = ("waiting", "paid")
PAGE = 50
HISTORY_MAX = 30


@get("/payouts", include_in_schema=False, before_request=digits_in("past"))
async def payouts_page(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    payouts: NamedDependency[Payouts],
    caller: NamedDependency[Caller],
    of: FromQuery[str] = "waiting",
    past: FromQuery[int] = 0,
) -> Response[Any]:
    """`of`: waiting (the oldest first) or paid (the newest first); `past`: the page that follows
    this refund.
    """
    need_staff(caller)
    state, past = of if of in STATES else "waiting", min(max(past, 0), INT64_MAX)
    if state == "paid":
        lines = await payouts.paid(past or INT64_MAX, PAGE)
    else:
        lines = await payouts.waiting(past, PAGE)
    return pages.show(
        request,
        "admin/payouts.html",
        lines=lines,
        of=state,
        owed=await payouts.owed(),
        reasons=REFUND_REASONS,
        done=request.query_params.get("done"),
        more=lines[-1].id if len(lines) == PAGE else None,
    )


@get("/payouts/{refund_id:int}", include_in_schema=False)
async def payout_page(
    request: AnyRequest,
    *,
    refund_id: FromPath[int],
    pages: NamedDependency[Pages],
    payouts: NamedDependency[Payouts],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    return await _show(request, pages, payouts, audit, refund_id)


@post("/payouts/{refund_id:int}/paid", include_in_schema=False)
async def pay_out(
    request: AnyRequest,
    *,
    refund_id: FromPath[int],
    pages: NamedDependency[Pages],
    payouts: NamedDependency[Payouts],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """The form's `reference` says how it was paid."""
    need_staff(caller)
    typed = (await read_form(request)).get("reference", "")
    try:
        refund = await payouts.pay(refund_id, typed, actor_of(caller), caller.email)
    except (ReferenceNeeded, PayoutDone) as refusal:
        if not wants_html(request):
            raise
        return await _show(request, pages, payouts, audit, refund_id, wrong=refusal, typed=typed)
    return see_other(f"/payouts?done={refund.id}")


@post("/payouts/{refund_id:int}/again", include_in_schema=False)
async def ask_gateway(
    request: AnyRequest,
    *,
    refund_id: FromPath[int],
    pages: NamedDependency[Pages],
    payouts: NamedDependency[Payouts],
    audit: NamedDependency[Audit],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """The gateway is asked once more; the form's `version` tells a second click from a new wish."""
    need_staff(caller)
    typed = (await read_form(request)).get("version", "")
    try:
        version = int(typed) if WHOLE.fullmatch(typed) else 0
        refund = await payouts.ask_gateway(refund_id, version, actor_of(caller), caller.email)
    except (GatewayUnasked, PayoutDone) as refusal:
        if not wants_html(request):
            raise
        return await _show(request, pages, payouts, audit, refund_id, wrong=refusal)
    return see_other(f"/payouts/{refund.id}?done=again")


async def _show(
    request: AnyRequest,
    pages: Pages,
    payouts: Payouts,
    audit: Audit,
    refund_id: int,
    *,
    wrong: Refusal | None = None,
    typed: str = "",
) -> Response[Any]:
    line = await payouts.get(refund_id)
    refused = 422 if isinstance(wrong, ReferenceNeeded) else 409
    return pages.show(
        request,
        "admin/payout.html",
        status=refused if wrong else 200,
        refusal=wrong,
        line=line,
        reasons=REFUND_REASONS,
        wrong=pages.text(request, wrong.detail) if wrong else None,
        typed=typed,
        reference_max=REFERENCE_CHARS_MAX,
        history=await audit.about([f"order:{line.order_id}"], count=HISTORY_MAX),
        done=None if wrong else request.query_params.get("done"),
        here=f"/payouts/{line.id}",
    )
