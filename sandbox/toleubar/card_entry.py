"""The card form: what a payer may send, once, and where the browser goes then (contract §2.5)."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from msgspec import Struct

from sandbox.toleubar.cards import Card, judge
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.refusals import GatewayRefusal
from sandbox.toleubar.states import PAID, Status

REQUIRED = ("CardNumber", "ExpiryDate", "Cvv", "CardholderName", "Email")
FIELD_MAX = 254


class PaymentUnknown(GatewayRefusal):
    """Payment not found."""

    status, code = HTTPStatus.NOT_FOUND, "1404"


class PaymentIdMalformed(GatewayRefusal):
    """The payment id is malformed."""

    status, code = HTTPStatus.BAD_REQUEST, "1000"


class Landing(Struct, frozen=True):
    """Where the payment stands, and which of the two addresses the browser is sent to."""

    payment: Payment
    success: bool


def list_missing(form: Mapping[str, str]) -> list[str]:
    """Names of required fields that are empty or far too long. The form may be sent again:
    the payment has not been touched.
    """
    return [name for name in REQUIRED if not 0 < len(form.get(name, "").strip()) <= FIELD_MAX]


async def submit(desk: Desk, payment: Payment, card: Card) -> Landing:
    """Try the card. A post that comes while or after another was taken never tries a second card:
    it waits for the first and goes where the payment stands.
    """
    running = desk.cards.get(payment.payment_id)
    fresh = running is None and payment.status is Status.NEW
    if not fresh and not desk.manners.repeats_submit:
        return Landing(payment, success=False)
    # FORM_SHOWED with nobody at work: the answer to the first post was lost with the process.
    if running is None and payment.status in {Status.NEW, Status.FORM_SHOWED}:
        running = asyncio.ensure_future(_try_card(desk, payment, card))
        desk.cards[payment.payment_id] = running
        running.add_done_callback(lambda _: desk.cards.pop(payment.payment_id, None))
    if running is not None:
        # The payer who goes away must not take the payment's outcome along.
        payment = await asyncio.shield(running)
    return Landing(payment, success=payment.status in PAID)


async def _try_card(desk: Desk, payment: Payment, card: Card) -> Payment:
    board = desk.switchboard
    if payment.status is Status.NEW:
        payment = desk.move(payment, Status.FORM_SHOWED, "submit")
        if payment.status is not Status.FORM_SHOWED:
            return payment
        await desk.wait_for_merchant(payment)
    least_s, most_s = board.faults.card_delay_min_s, board.faults.card_delay_max_s
    if most_s:
        await desk.sleep(board.stream("card_delay").uniform(least_s, most_s))
    verdict = judge(card, desk.today().date(), board)
    outcome = Status.AUTHORIZED if verdict.approved else Status.REJECTED
    payment = desk.move(payment, outcome, verdict.reason)
    await desk.wait_for_merchant(payment)
    return payment


def landing_address(desk: Desk, landing: Landing) -> str:
    """The merchant's address, or the gateway's own result page where there is none."""
    url = return_address(desk, landing.payment, success=landing.success)
    if url is not None:
        return url
    message = "approved" if landing.success else landing.payment.reason
    query = urlencode({"success": str(landing.success).lower(), "message": message})
    return f"/api/v1/paymentform/result/{landing.payment.payment_id}?{query}"


def return_address(desk: Desk, payment: Payment, *, success: bool) -> str | None:
    if not desk.manners.uses_given_addresses:
        return None
    profile = desk.merchant.profile
    if success:
        return payment.success_url or profile.success_url
    return payment.fail_url or profile.fail_url
