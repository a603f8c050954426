"""The tables of order and payment states, and what is decided about a payment."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales.gateway import Found, Refused, Unknown
from sales.order import Channel, Order
from sales.payment import Attempt, Payment
from sales.payments_steps import (
    CONFIRM_WITHIN_S,
    Capture,
    Decline,
    Disown,
    End,
    Init,
    Offer,
    Reclaim,
    Rest,
    Wait,
    Withdraw,
    decide,
)
from sales.states import (
    ORDER,
    ORDER_STATES,
    PAYMENT,
    PAYMENT_SETTLED,
    PAYMENT_STATES,
    OrderState,
    move_order,
    move_payment,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VERBS = sorted({verb for _, verb in ORDER})
STATUSES = [
    "NEW",
    "FORM_SHOWED",
    "AUTHORIZED",
    "CONFIRMED",
    "REJECTED",
    "CANCELLED",
    "REFUNDED",
    "EXPIRED",
    "AUTHORIZING",
    "CAPTURED",
    "DEADLINE_EXPIRED",
    "PARTIALLY_REFUNDED",
]
# Which states of payment and order are met together.
SITUATIONS = [
    *((state, "pending") for state in ("started", "unknown", "offered", "authorised")),
    *((state, order) for state in ("lapsed", "authorised") for order in ("expired", "cancelled")),
    *((state, order) for state in ("declined", "disowned") for order in ("pending", "cancelled")),
    *((state, "cancelled") for state in sorted(PAYMENT_SETTLED)),
]
ORDER_ROW = Order(
    id=1,
    account_id=2,
    event_id=3,
    channel="web",
    state="pending",
    reason=None,
    version=2,
    epoch=1,
    total=500_000,
    created_at=NOW,
    updated_at=NOW,
    admission_jti=None,
    expires_at=NOW + timedelta(minutes=12),
    paid_at=None,
)
PAYMENT_ROW = Payment(
    id=1,
    order_id=1,
    attempt=1,
    gateway_order_id="bl-1-1-00000000",
    gateway_payment_id=None,
    amount=500_000,
    state="offered",
    version=1,
    payment_url=None,
    return_base="",
    expires_at=NOW + timedelta(minutes=12),
    created_at=NOW,
    updated_at=NOW,
    last_error=None,
)


def attempt(
    payment: str = "offered",
    order: str = "pending",
    reason: str | None = None,
    *,
    number: int = 1,
    channel: Channel = "web",
    has_rival: bool = False,
) -> Attempt:
    return Attempt(
        msgspec.structs.replace(PAYMENT_ROW, state=payment, attempt=number),
        msgspec.structs.replace(ORDER_ROW, state=order, reason=reason, channel=channel),
        first_at=NOW,
        has_rival=has_rival,
    )


def told(status: str) -> Found:
    return Found("17", "bl-1-1-00000000", status, 500_000)


def test_the_tables_speak_of_known_states_only():
    assert {state for state, _ in ORDER} | set(ORDER.values()) == set(ORDER_STATES)
    assert {state for state, _ in PAYMENT} | set(PAYMENT.values()) <= set(PAYMENT_STATES)


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        *(("refunded", verb) for verb in VERBS),
        *(("cancelled", verb) for verb in VERBS),
        *(("paid", verb) for verb in VERBS if verb != "refund"),
    ],
)
def test_a_final_order_moves_no_more(state, verb):
    with pytest.raises(OrderState) as refused:
        move_order(state, verb)
    assert (refused.value.status, refused.value.code) == (419, "order-state")


@pytest.mark.parametrize("state", sorted(PAYMENT_SETTLED))
def test_a_settled_payment_moves_no_more(state):
    """But by our own wish to give money back, which a refund sees to."""
    verbs = {"captured": ["refund"], "owed": ["reverse"]}.get(state, [])
    assert [verb for one, verb in PAYMENT if one == state] == verbs


def test_a_declined_payment_moves_only_because_of_money_that_came_after_the_no():
    verbs = [verb for state, verb in PAYMENT if state == "declined"]
    assert verbs == ["authorise", "disown"]
    assert [verb for state, verb in PAYMENT if state == "disowned"] == ["reverse", "owe"]


@given(st.lists(st.sampled_from(VERBS), max_size=12))
def test_whatever_is_asked_an_order_is_paid_at_most_once_and_only_while_pending(verbs):
    state, paid = "open", 0
    for verb in verbs:
        before = state
        try:
            state = move_order(state, verb)
        except OrderState:
            assert (before, verb) not in ORDER
            continue
        assert ORDER[before, verb] == state
        if state == "paid":
            assert before == "pending"
            paid += 1
    assert paid <= 1


def test_no_payment_is_captured_without_having_been_authorised():
    assert [state for (state, _), to in PAYMENT.items() if to == "captured"] == ["authorised"]
    assert move_payment("reversed", "authorise") is None


@given(
    states=st.sampled_from(SITUATIONS),
    reason=st.sampled_from([None, "buyer", "unpaid"]),
    answer=st.one_of(
        st.sampled_from(STATUSES).map(told),
        st.sampled_from(["1404", "1003", "TOKEN_INVALID"]).map(Refused),
        st.just(Unknown("silence")),
    ),
    age_s=st.integers(0, 3 * 24 * 3600),
)
def test_every_situation_has_a_step_and_silence_changes_nothing(states, reason, answer, age_s):
    payment, order = states
    seen = attempt(payment, order, reason)
    step = decide(seen, answer, NOW + timedelta(seconds=age_s))
    if payment in PAYMENT_SETTLED:
        assert step == Rest()
    elif isinstance(answer, Unknown):
        # But where the no stands already, only its order ends.
        assert isinstance(step, Wait) or (isinstance(step, End) and step.verb is None)
    elif isinstance(step, Capture):
        assert (order, reason) == ("pending", None)
        assert answer.status in ("AUTHORIZED", "CONFIRMED")
    elif isinstance(step, Reclaim):
        assert (payment, order) == ("lapsed", "expired")
    elif isinstance(step, Init):
        assert answer == Refused("1404")
        assert (order, reason) == ("pending", None)
    if isinstance(step, Wait):
        assert 0 < step.delay_s <= 3600
    if isinstance(step, End):
        is_known = step.verb is None or move_payment(payment, step.verb)
        assert is_known, "a step that the table does not know"


@pytest.mark.parametrize(
    ("seen", "answer", "age_s", "step"),
    [
        (attempt("started"), told("NEW"), 5, Offer("17")),
        (attempt("unknown"), Refused("1404"), 5, Init()),
        (attempt("offered"), told("AUTHORIZED"), 5, Capture("17", confirmed=False)),
        (attempt("authorised"), told("CONFIRMED"), 2000, Capture("17", confirmed=True)),
        (attempt("offered"), told("REJECTED"), 5, Decline(NOW + timedelta(minutes=12))),
        (attempt("offered"), told("REJECTED"), 660, Decline(NOW + timedelta(minutes=15))),
        (attempt("offered"), told("REJECTED"), 1020, Decline(NOW + timedelta(minutes=20))),
        (attempt("offered"), told("REJECTED"), 1160, End("decline", "declined")),
        (attempt("offered", number=5), told("REJECTED"), 5, End("decline", "declined")),
        (attempt("offered", channel="api"), told("REJECTED"), 5, End("decline", "declined")),
        (attempt("offered", reason="buyer"), told("REJECTED"), 5, End("decline", "buyer")),
        (attempt("declined"), told("REJECTED"), 60, Rest()),
        (attempt("declined"), told("REJECTED"), 720, End(None, "declined")),
        (attempt("declined"), Unknown("silence"), 720, End(None, "declined")),
        (attempt("declined", reason="buyer"), told("REJECTED"), 5, End(None, "buyer")),
        (attempt("declined", has_rival=True), told("REJECTED"), 720, Rest()),
        (attempt("declined"), told("AUTHORIZED"), 60, Capture("17", confirmed=False)),
        (attempt("declined"), told("AUTHORIZED"), CONFIRM_WITHIN_S + 1, Disown("17")),
        (attempt("declined", has_rival=True), told("AUTHORIZED"), 60, Disown("17")),
        (attempt("declined", reason="buyer"), told("AUTHORIZED"), 60, Disown("17")),
        (attempt("declined", "paid"), told("CONFIRMED"), 60, Disown("17")),
        (
            attempt("disowned", has_rival=True),
            told("AUTHORIZED"),
            60,
            Withdraw("17", "not-wanted", paid=True),
        ),
        (attempt("disowned"), told("CANCELLED"), 60, End("reverse", "")),
        (attempt("offered"), told("EXPIRED"), 5, End("lapse", "unpaid")),
        (attempt("offered"), told("CANCELLED"), 5, End("cancel", "gateway-cancelled")),
        (attempt("authorised"), told("CANCELLED"), 5, End("reverse", "gateway-cancelled")),
        (
            attempt("offered"),
            told("AUTHORIZED"),
            CONFIRM_WITHIN_S + 1,
            Withdraw("17", "money-late", paid=True),
        ),
        (
            attempt("offered", reason="buyer"),
            told("AUTHORIZED"),
            5,
            Withdraw("17", "buyer", paid=True),
        ),
        (
            attempt("offered"),
            told("NEW"),
            721,
            Withdraw("17", "unpaid", paid=False, untouched=True),
        ),
        (
            attempt("offered"),
            told("FORM_SHOWED"),
            721,
            Withdraw("17", "unpaid", paid=False),
        ),
        (
            attempt("offered"),
            told("FORM_SHOWED"),
            1100,
            Withdraw("17", "unpaid", paid=False, give_up=True),
        ),
        (attempt("lapsed", "expired", "unpaid"), told("AUTHORIZED"), 800, Reclaim("17")),
        (
            attempt("lapsed", "cancelled", "buyer"),
            told("AUTHORIZED"),
            800,
            Withdraw("17", "buyer", paid=True),
        ),
        (attempt("lapsed", "expired", "unpaid"), told("NEW"), 25 * 3600, Rest()),
        (attempt("unknown", reason="buyer"), Refused("1404"), 61, End("lapse", "buyer")),
        (attempt("unknown", reason="buyer"), Refused("1404"), 30, Wait(30)),
    ],
)
def test_what_is_done_next(seen, answer, age_s, step):
    assert decide(seen, answer, NOW + timedelta(seconds=age_s)) == step
