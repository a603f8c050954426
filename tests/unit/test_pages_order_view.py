"""What a buyer is told about an order, in every state it can be in."""

from datetime import UTC, datetime

import msgspec
import pytest

from sales.geometry import Hall
from sales.holds import Hold
from sales.order import Line, Order
from sales.payment import Payment
from sales.states import PAYMENT_STATES
from sales.tickets import Ticket
from sales.web.pages.order_view import money_of, stage_of, view
from tests.halls import SMALL

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HALL = Hall(1, SMALL)
ORDER = Order(
    id=7,
    account_id=2,
    event_id=1,
    channel="web",
    state="open",
    reason=None,
    version=1,
    epoch=1,
    total=0,
    created_at=NOW,
    updated_at=NOW,
    admission_jti=None,
    expires_at=None,
    paid_at=None,
)
HOLD = Hold(7, 1, 2, [8, 0], 0, False)
LINE = Line(0, 1, 1, 1, 500_000)
TICKET = Ticket(
    id=1,
    order_id=7,
    account_id=2,
    event_id=1,
    seat=0,
    zone_no=1,
    row_no=1,
    seat_no=1,
    price=500_000,
    serial="abc",
    state="valid",
    refund_until=NOW,
    issued_at=NOW,
)


def order(state: str, reason: str | None = None) -> Order:
    return msgspec.structs.replace(ORDER, state=state, reason=reason)


def payment(state: str) -> Payment:
    return Payment(
        id=1,
        order_id=7,
        attempt=1,
        gateway_order_id="o",
        gateway_payment_id=None,
        amount=1,
        state=state,
        version=1,
        payment_url=None,
        return_base="",
        expires_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        last_error=None,
    )


@pytest.mark.parametrize(
    ("state", "reason", "paid", "tickets", "stage"),
    [
        ("pending", None, "offered", [], "paying"),
        ("pending", None, "started", [], "opening"),
        ("pending", None, "unknown", [], "opening"),
        ("pending", None, "declined", [], "again"),
        ("pending", "buyer", "declined", [], "ending"),
        ("pending", None, "authorised", [], "issuing"),
        ("pending", "buyer", "offered", [], "ending"),
        ("paid", None, "captured", [], "issuing"),
        ("paid", None, "captured", [TICKET], "paid"),
        ("cancelled", "buyer", "cancelled", [], "cancelled"),
        ("cancelled", "declined", "declined", [], "declined"),
        ("cancelled", "gateway-refused", "declined", [], "declined"),
        ("expired", "unpaid", "lapsed", [], "expired"),
        ("refunded", None, "refunded", [TICKET], "refunded"),
    ],
)
def test_each_state_has_its_stage(state, reason, paid, tickets, stage):
    assert stage_of(order(state, reason), None, payment(paid), tickets) == stage


def test_an_open_order_is_its_hold():
    assert stage_of(ORDER, HOLD, None, []) == "choosing"
    assert stage_of(ORDER, None, None, []) == "empty"
    seen = view(ORDER, HALL, hold=HOLD, hold_until=NOW)
    assert [(seat.row, seat.number, seat.zone_name) for seat in seen.seats] == [
        (1, 1, "Партер"),
        (3, 2, "Балкон"),
    ]
    assert (seen.total, seen.until) == (800_000, NOW)


@pytest.mark.parametrize("state", ["started", "unknown"])
def test_before_the_bank_has_answered_the_clock_runs_and_nobody_is_said_to_have_paid(state):
    pending = msgspec.structs.replace(order("pending"), expires_at=NOW)
    assert view(pending, HALL, lines=[LINE], payment=payment(state)).until == NOW
    known = msgspec.structs.replace(payment(state), gateway_payment_id="1")
    assert stage_of(pending, None, known, []) == "asking"


@pytest.mark.parametrize(
    ("state", "stage"), [("started", "silent"), ("unknown", "silent"), ("offered", "asking")]
)
def test_after_its_time_an_order_shows_no_clock_and_goes_on_asking(state, stage):
    pending = msgspec.structs.replace(order("pending"), expires_at=NOW)
    seen = view(pending, HALL, lines=[LINE], payment=payment(state), now=NOW)
    assert (seen.stage, seen.until, seen.is_final) == (stage, None, False)


def test_tickets_stand_beside_their_seats():
    seen = view(order("paid"), HALL, lines=[LINE], payment=payment("captured"), tickets=[TICKET])
    assert seen.seats[0].ticket is TICKET
    assert seen.until is None


def test_nothing_was_charged_is_said_only_where_it_is_certain():
    said = {state for state in PAYMENT_STATES if money_of(payment(state)) == "none"}
    assert said == {"declined", "cancelled"}
    assert money_of(None) == "none"


def test_captured_money_of_an_order_without_tickets_is_owed():
    assert money_of(payment("captured")) == "owed"
    assert money_of(payment("reversed")) == "released"
