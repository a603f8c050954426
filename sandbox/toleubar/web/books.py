"""The books as JSON: for people, tests, and checkers that trust nobody."""

from collections import Counter

from litestar import Response, get
from litestar.di import NamedDependency

from sandbox.toleubar.books import PAGE_MAX
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.moments import iso
from sandbox.toleubar.payment import Change, Payment
from sandbox.toleubar.refusals import FieldsRefused
from sandbox.toleubar.states import Status
from sandbox.toleubar.web.answers import AnyRequest, answer

AFTER_MAX = 2**62


@get("/sandbox/books")
async def show_books(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """Payments in order of creation: `?after=<next of the last page>&limit=…&status=…`.
    `next` is null on the last page; `totals` cover all payments.
    """
    after = _whole(request, "after", 0, AFTER_MAX)
    limit = _whole(request, "limit", PAGE_MAX, PAGE_MAX) or 1
    status = request.query_params.get("status")
    page = desk.books.page(after, limit, status)
    history = desk.books.history(page)
    body = {
        "payments": [_describe(payment, history[payment.payment_id]) for payment in page],
        "next": page[-1].seq if len(page) == limit else None,
        "totals": totals_of(desk),
    }
    return answer(body)


def totals_of(desk: Desk) -> dict[str, dict[str, object]]:
    """Count and tiyn of the payments in each status."""
    totals = desk.books.totals()
    return {
        status.value: {"count": totals[status][0], "amount": totals[status][1]}
        for status in Status
        if status in totals
    }


def _describe(payment: Payment, changes: list[Change]) -> dict[str, object]:
    acts = Counter(change.cause for change in changes)
    come_to = {change.status for change in changes}
    # The faithful profile takes the money and leaves the status as it was.
    is_captured = Status.CONFIRMED in come_to or acts["confirm"] > 0
    is_refunded = is_captured and not come_to.isdisjoint({Status.REFUNDED, Status.CANCELLED})
    return {
        "paymentId": payment.payment_id,
        "teamSlug": payment.team_slug,
        "orderId": payment.order_id,
        "status": payment.status,
        "reason": payment.reason,
        "amount": payment.amount,
        "captured": payment.amount if is_captured else 0,
        "refunded": payment.amount if is_refunded else 0,
        "acts": acts,
        "currency": payment.currency,
        "createdAt": iso(payment.created_ms),
        "updatedAt": iso(payment.updated_ms),
        "expiresAt": iso(payment.expires_ms),
        "history": [
            {"at": iso(change.at_ms), "status": change.status, "cause": change.cause}
            for change in changes
        ],
    }


def _whole(request: AnyRequest, name: str, otherwise: int, high: int) -> int:
    written = request.query_params.get(name, str(otherwise))
    if not written.isascii() or not written.isdigit() or int(written) > high:
        raise FieldsRefused({name: [f"A whole number from 0 to {high}."]})
    return int(written)
