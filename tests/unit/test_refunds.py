"""Returning tickets: who may, for how much, by which way; and what is done at the gateway."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales.gateway import Found, Refused, Unknown
from sales.refund import (
    NoTicketsChosen,
    Paid,
    Refund,
    RefundTooLate,
    Sheet,
    TicketReturned,
    TicketUnknown,
    TicketUsed,
)
from sales.refunds_policy import is_returned, plan_return
from sales.refunds_steps import (
    DOUBT_S,
    GIVE_UP_S,
    RESEND_S,
    Done,
    Puzzle,
    Queue,
    Rest,
    Send,
    Wait,
    decide,
    refused,
)
from sales.states import REFUND
from sales.tickets import Ticket
from tests.unit.test_states import NOW as BOUGHT
from tests.unit.test_states import ORDER_ROW

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
PAID = Paid(5, "bl-1-1-00000000", "17", 800_000)
REFUND_ROW = Refund(
    id=3,
    order_id=1,
    payment_id=5,
    event_id=3,
    account_id=2,
    reason="buyer",
    amount=800_000,
    fee=0,
    state="asked",
    version=1,
    created_at=NOW,
    updated_at=NOW,
    sent_at=None,
    last_error=None,
    reference=None,
)


def ticket(number: int, price: int, state: str = "valid", fee: int = 0) -> Ticket:
    return Ticket(
        id=number,
        order_id=1,
        account_id=2,
        event_id=3,
        seat=number,
        zone_no=1,
        row_no=1,
        seat_no=number,
        price=price,
        serial=f"T{number}",
        state=state,
        refund_until=BOUGHT + timedelta(days=3),
        refund_fee=fee,
        refund_id=9 if state == "returned" else None,
        issued_at=BOUGHT,
    )


def sheet(*tickets: Ticket, late: tuple[int, ...] = (), refunds: int = 0) -> Sheet:
    order = msgspec.structs.replace(ORDER_ROW, state="paid", total=800_000)
    return Sheet(order, PAID, list(tickets), frozenset(late), [REFUND_ROW] * refunds)


DAY_S = 25 * 3600
BOTH = (ticket(1, 500_000), ticket(2, 300_000))


def test_the_whole_of_an_order_goes_back_through_the_gateway():
    plan = plan_return(sheet(*BOTH), None)
    assert (plan.amount, plan.fee, plan.state, plan.is_last) == (800_000, 0, "asked", True)


def test_one_ticket_goes_to_the_queue_of_payouts():
    plan = plan_return(sheet(*BOTH), [2])
    assert (plan.amount, plan.state, plan.is_last) == (300_000, "queued", False)


def test_the_rest_after_a_part_goes_there_too():
    left = sheet(ticket(1, 500_000), ticket(2, 300_000, "returned"), refunds=1)
    plan = plan_return(left, None)
    assert (plan.amount, plan.state, plan.is_last) == (500_000, "queued", True)


def test_a_fee_is_kept_and_the_gateway_cannot_do_that():
    plan = plan_return(sheet(ticket(1, 500_000, fee=50_000), ticket(2, 300_000, fee=30_000)), None)
    assert (plan.amount, plan.fee, plan.price, plan.state) == (720_000, 80_000, 800_000, "queued")


def test_what_costs_all_of_its_price_is_over_at_once():
    plan = plan_return(sheet(ticket(1, 500_000, fee=500_000), BOTH[1]), [1])
    assert (plan.amount, plan.fee, plan.state) == (0, 500_000, "done")


def test_the_organiser_asks_neither_for_time_nor_for_a_fee():
    seen = sheet(ticket(1, 500_000, "used", fee=50_000), BOTH[1], late=(1, 2))
    plan = plan_return(seen, None, by_house=True)
    assert (plan.amount, plan.fee, plan.state, plan.is_last) == (800_000, 0, "asked", True)


@pytest.mark.parametrize(
    ("seen", "chosen", "refusal"),
    [
        (sheet(*BOTH), [], NoTicketsChosen),
        (sheet(*BOTH), [3], TicketUnknown),
        (sheet(*BOTH, late=(1,)), [1], RefundTooLate),
        (sheet(*BOTH, late=(1,)), None, RefundTooLate),
        (sheet(ticket(1, 500_000, "used"), BOTH[1]), None, TicketUsed),
        (sheet(ticket(1, 500_000, "used"), BOTH[1]), [1, 2], TicketUsed),
        (sheet(ticket(1, 500_000, "returned"), BOTH[1]), [1, 2], TicketReturned),
    ],
)
def test_what_may_not_come_back_is_refused(seen, chosen, refusal):
    with pytest.raises(refusal):
        plan_return(seen, chosen)


def test_in_time_means_the_ones_that_were_chosen():
    assert plan_return(sheet(*BOTH, late=(1,)), [2]).amount == 300_000


def test_a_second_click_is_known_by_its_tickets():
    left = sheet(ticket(1, 500_000), ticket(2, 300_000, "returned"), refunds=1)
    assert is_returned(left, [2])
    assert not is_returned(left, [1, 2])
    assert not is_returned(left, None)
    assert not is_returned(left, [])


def told(status: str, amount: int = 800_000) -> Found:
    return Found("17", "bl-1-1-00000000", status, amount)


def refund(state: str = "asked", first_s: float = 0, last_s: float = 0) -> Refund:
    """Asked for at NOW; first and last sent so many seconds later."""
    sent_at = NOW + timedelta(seconds=first_s) if state == "sent" else None
    changes = {"sent_at": sent_at, "updated_at": NOW + timedelta(seconds=last_s)}
    return msgspec.structs.replace(REFUND_ROW, state=state, **changes)


@pytest.mark.parametrize(
    ("seen", "answer", "age_s", "step"),
    [
        (refund(), told("CONFIRMED"), 0, Send("17")),
        # The real service never leaves AUTHORIZED.
        (refund(), told("AUTHORIZED"), 0, Send("17")),
        (refund(), told("REFUNDED"), 0, Done()),
        (refund("sent"), told("REFUNDED"), 1, Done()),
        (refund("sent"), told("CANCELLED"), 1, Done()),
        (refund("sent"), told("CONFIRMED"), RESEND_S - 1, Wait((RESEND_S - 1) / 4)),
        (refund("sent"), told("CONFIRMED"), RESEND_S + 1, Send("17")),
        # Sent twice, 35 s apart: the third time after four times as long.
        (refund("sent", 0, 35), told("CONFIRMED"), 35 + 139, Wait(43.5)),
        (refund("sent", 0, 35), told("CONFIRMED"), 35 + 141, Send("17")),
        (refund("sent", 0, 9999), told("CONFIRMED"), 9999 + DOUBT_S - 1, Wait(DOUBT_S)),
        (refund("sent", 0, 9999), told("CONFIRMED"), 9999 + DOUBT_S + 1, Send("17")),
        # The gateway was away for a day after the wish, and has just been told for the first time.
        (refund("sent", DAY_S, DAY_S), told("CONFIRMED"), DAY_S + RESEND_S - 1, Wait(8.5)),
        (refund("sent", DAY_S, DAY_S), Refused("1404"), DAY_S + 20, Wait(5)),
        (refund("sent", DAY_S, DAY_S), told("EXPIRED"), DAY_S + 20, Wait(5)),
        (refund(), told("CONFIRMED", 1), 0, Puzzle("the gateway tells of bl-1-1-00000000 over 1")),
        (refund(), told("EXPIRED"), 10, Wait(2.5)),
        (refund(), told("EXPIRED"), GIVE_UP_S + 1, Puzzle("a captured payment is EXPIRED")),
        (refund(), Refused("1404"), 10, Wait(2.5)),
        (
            refund(),
            Refused("1404"),
            GIVE_UP_S + 1,
            Queue("the gateway does not know the payment"),
        ),
        # A wrong token tells nothing about the payment, however long it lasts.
        (refund(), Refused("TOKEN_INVALID"), GIVE_UP_S + 1, Wait(600)),
        (refund("queued"), told("CONFIRMED"), 0, Rest()),
        (refund("done"), told("CONFIRMED"), 0, Rest()),
    ],
)
def test_what_is_done_next_about_a_refund(seen, answer, age_s, step):
    assert decide(seen, PAID, answer, NOW + timedelta(seconds=age_s)) == step


@pytest.mark.parametrize(
    ("seen", "code", "at_s", "is_believed"),
    [
        # Never told before: a clear no is one; of "not cancellable" a cache may know more.
        (refund(), "3001", 1, True),
        (refund(), "3409", 1, False),
        # Told before: what that call did shows after the caches are over, counted from that call.
        (refund("sent"), "3409", DOUBT_S - 1, False),
        (refund("sent"), "3001", DOUBT_S - 1, False),
        (refund("sent"), "3409", DOUBT_S + 1, True),
        (refund("sent", DAY_S, DAY_S), "3409", DAY_S + DOUBT_S - 1, False),
        (refund("sent", DAY_S, DAY_S), "3409", DAY_S + DOUBT_S + 1, True),
        (refund("sent", 0, DAY_S), "3409", DAY_S + DOUBT_S - 1, False),
    ],
)
def test_a_no_is_believed_when_nothing_before_it_can_have_been_carried_out(
    seen, code, at_s, is_believed
):
    after = refused(seen, Refused(code, "no"), NOW + timedelta(seconds=at_s), "3409")
    assert after == Queue(f"{code} no") if is_believed else isinstance(after, Wait)


def test_money_that_was_only_reserved_is_back_when_the_bank_lets_go_of_it():
    reserved = msgspec.structs.replace(PAID, state="owed")
    for status in ("EXPIRED", "REJECTED", "CANCELLED", "REFUNDED"):
        assert decide(refund("sent"), reserved, told(status), NOW) == Done()
    assert isinstance(decide(refund("sent"), PAID, told("EXPIRED"), NOW), Wait)


@given(
    state=st.sampled_from(REFUND.states),
    answer=st.one_of(
        st.sampled_from(["NEW", "CONFIRMED", "REFUNDED", "CANCELLED", "AUTHORIZED", "ODD"]).map(
            told
        ),
        st.sampled_from(["1404", "TOKEN_INVALID"]).map(Refused),
        st.just(Unknown("silence")),
    ),
    age_s=st.integers(0, 3 * 24 * 3600),
)
def test_silence_moves_no_money_and_what_is_over_stays_over(state, answer, age_s):
    step = decide(refund(state), PAID, answer, NOW + timedelta(seconds=age_s))
    verb = {Send: "send", Done: "finish", Queue: "queue"}.get(type(step))
    if state not in ("asked", "sent"):
        assert step == Rest()
    elif isinstance(answer, Unknown):
        assert isinstance(step, Wait)
    elif verb:
        assert (state, verb) in REFUND
    if isinstance(step, Wait):
        assert 0 < step.delay_s <= 600
