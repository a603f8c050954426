"""The payer's pages: card form, status, result. They work without JavaScript."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from kernel.values import tenge_human
from kernel.web.pages import VENUE_ZONE, Pages
from sandbox.toleubar.card_entry import (
    PaymentIdMalformed,
    PaymentUnknown,
    landing_address,
    list_missing,
    return_address,
    submit,
)
from sandbox.toleubar.cards import Card
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.letters import write_viewing
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import FieldsRefused
from sandbox.toleubar.states import PAID, Status
from sandbox.toleubar.web.answers import AnyRequest
from sandbox.toleubar.web.blank import Blanks
from sandbox.toleubar.web.trouble import trouble_after, trouble_before

PAYMENT_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")
FORM_PATH = "/api/v1/paymentform/render/"
RESULT_PATH = "/api/v1/paymentform/result/"
# What is typed into the form and may be shown again; never the card.
SHOWN_AGAIN = ("CardholderName", "Email", "Phone")
SMALLEST_IN_UNIT = 100


class Typed(Struct, frozen=True):
    """What an incomplete form had, and which of its required fields were missing."""

    values: Mapping[str, str]
    missing: list[str]


@get("/api/v1/paymentform/render/{payment_id:str}", short=True)
async def render_form(
    request: AnyRequest, payment_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[Any]:
    pages = _pages(request)
    payment = _find(desk, payment_id)
    if payment.status is not Status.NEW:
        return _show_standing(request, desk, pages, payment, success=payment.status in PAID)
    client_ip = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")[:300]
    letter = write_viewing(payment, desk.clock.ms(), client_ip, pages.language(request), agent)
    desk.post(payment, letter)
    await desk.wait_for_merchant(payment)
    return _show_form(request, desk, pages, payment, Typed({}, []))


@post("/api/v1/paymentform/submit", status_code=200, short=True)
async def submit_form(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[Any]:
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    if not form.get("PaymentId"):
        raise FieldsRefused({"PaymentId": ["The PaymentId field is required."]})
    payment = _find(desk, form["PaymentId"])
    missing = list_missing(form)
    if missing and payment.status is Status.NEW:
        if "text/html" not in request.headers.get("accept", ""):
            raise FieldsRefused({name: [f"The {name} field is required."] for name in missing})
        kept = {name: form.get(name, "") for name in SHOWN_AGAIN}
        return _show_form(request, desk, _pages(request), payment, Typed(kept, missing))
    await trouble_before(desk, "form")
    card = Card(form.get("CardNumber", ""), form.get("ExpiryDate", ""), form.get("Cvv", ""))
    # Whatever time a held line took has passed for the payment, too.
    landing = await submit(desk, _find(desk, form["PaymentId"]), card)
    await trouble_after(desk, "form")
    return Response(b"", status_code=302, headers={"Location": landing_address(desk, landing)})


@get("/api/v1/paymentform/result/{payment_id:str}")
async def show_result(
    request: AnyRequest, payment_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[Any]:
    payment = _find(desk, payment_id)
    success = request.query_params.get("success", "false").lower() == "true"
    return _show_standing(request, desk, _pages(request), payment, success=success)


def _pages(request: AnyRequest) -> Pages:
    """From the app's state: a second injected name would cost each request a task group."""
    return cast("Pages", request.app.state["pages"])


def _find(desk: Desk, payment_id: str) -> Payment:
    """Raises PaymentIdMalformed or PaymentUnknown."""
    if not PAYMENT_ID.fullmatch(payment_id):
        raise PaymentIdMalformed
    payment = desk.find(payment_id)
    if payment is None:
        raise PaymentUnknown
    return payment


def _show_form(
    request: AnyRequest,
    desk: Desk,
    pages: Pages,
    payment: Payment,
    typed: Typed,
) -> Response[Any]:
    values = _values_of(desk, payment)
    if typed.missing or request.query_params:
        response = pages.show(
            request,
            "toleubar/card.html",
            status=400 if typed.missing else 200,
            typed=typed,
            **values,
        )
    else:
        blanks = cast("Blanks", request.app.state["blanks"])
        kind = f"{pages.language(request)} {bool(payment.description)}"

        def render(marks: dict[str, str]) -> str:
            described = marks | {"description": marks["description"] * bool(payment.description)}
            return pages.render(request, "toleubar/card.html", typed=typed, **described)

        html = blanks.fill(kind, values, render)
        response = Response(html, media_type="text/html", headers={"Cache-Control": "no-store"})
    response.headers["Content-Security-Policy"] = _policy(desk, payment)
    return response


def _values_of(desk: Desk, payment: Payment) -> dict[str, Any]:
    """What differs from one card form to the next."""
    fail_url = return_address(desk, payment, success=False)
    due = datetime.fromtimestamp(payment.expires_ms / 1000, VENUE_ZONE)
    return {
        # The language links lead to the form, also from the answer to an incomplete post.
        "here": f"{FORM_PATH}{payment.payment_id}",
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "description": payment.description or "",
        "tiyn": payment.amount,
        "merchant": desk.merchant.profile.team_name,
        "amount": _amount(payment),
        "due": f"{due:%H:%M}",
        "left_s": max(0, (payment.expires_ms - desk.clock.ms()) // 1000),
        "leave_url": fail_url or f"{RESULT_PATH}{payment.payment_id}?success=false&message=left",
        "csrf_token": secrets.token_urlsafe(16),
    }


def _show_standing(
    request: AnyRequest, desk: Desk, pages: Pages, payment: Payment, *, success: bool
) -> Response[Any]:
    shown, times = payment.status, 1
    # The faithful result page believes its address, and forgot to divide by 100.
    if desk.manners.result_believes_address and request.url.path.startswith(RESULT_PATH):
        shown, times = Status.AUTHORIZED if success else Status.REJECTED, 100
    return pages.show(
        request,
        "toleubar/standing.html",
        payment=payment,
        merchant=desk.merchant.profile.team_name,
        amount=_amount(payment, times),
        shown=shown,
        back_url=return_address(desk, payment, success=success),
    )


def _amount(payment: Payment, times: int = 1) -> str:
    if payment.currency == "KZT" and payment.amount == int(payment.amount):
        return tenge_human(int(payment.amount) * times)
    units = payment.amount * times / SMALLEST_IN_UNIT
    return f"{units:,.2f}\u00a0{payment.currency}".replace(",", "\u00a0")


def _policy(desk: Desk, payment: Payment) -> str:
    """The form's answer redirects to the merchant, whose origin the browser must let through."""
    origins = ["'self'"]
    for success in (True, False):
        url = return_address(desk, payment, success=success)
        if url:
            parts = urlsplit(url)
            origins.append(f"{parts.scheme}://{parts.netloc}".replace(";", "").replace(",", ""))
    return (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {' '.join(dict.fromkeys(origins))}"
    )
