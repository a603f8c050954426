"""What to do next about a payment, decided from what is known; nothing is done here.

Our snapshot, the gateway's answer and the time go in, one step comes out. The rules: only an
answer of the gateway moves money or frees seats; silence changes nothing; an authorised payment
is captured while its order wants it, and given back otherwise.
"""

from datetime import datetime
from typing import Final

import msgspec

from sales.gateway import Found, Refused, Unknown
from sales.outbox import PermanentError
from sales.payment import Attempt
from sales.payments_again import payable_until
from sales.states import PAYMENT_NO, PAYMENT_SETTLED

NEW: Final = frozenset({"NEW", "INIT"})
PAID: Final = frozenset({"AUTHORIZED", "CONFIRMED"})
NOT_THERE: Final = "1404"

# The gateway refuses to confirm 15 minutes after init (§1.6); half a minute for clocks and calls.
CONFIRM_WITHIN_S: Final = 14.5 * 60
# An init of ours is surely over after this long: not known then means never received.
INIT_OVER_S: Final = 60
# The web process that placed the order calls init itself; only after this is it taken for dead.
INIT_OURS_S: Final = 12
# A card that is still being looked at this long after the end is not waited for any more.
GIVE_UP_S: Final = 5 * 60
# How long a payment that was given up is watched for money that comes late.
WATCH_S: Final = 24 * 3600
WATCH_EVERY_MAX_S: Final = 3600
POLL_MIN_S: Final = 2.0
POLL_MAX_S: Final = 30.0
# Where money is reserved, somebody waits who has done his part.
POLL_RESERVED_MAX_S: Final = 5.0
SOON_S: Final = 1.5


class Rest(msgspec.Struct, frozen=True, tag=True):
    """Nothing more is to be learnt or done."""


class Wait(msgspec.Struct, frozen=True, tag=True):
    """Ask again after a while."""

    delay_s: float


class Init(msgspec.Struct, frozen=True, tag=True):
    """The gateway never heard of it: open it now, under the same order id."""


class Offer(msgspec.Struct, frozen=True, tag=True):
    """It was opened and the answer got lost: the buyer can pay."""

    payment_id: str


class Capture(msgspec.Struct, frozen=True, tag=True):
    """The money is reserved: take it. `confirmed`: the gateway has done so already."""

    payment_id: str
    confirmed: bool


class Reclaim(msgspec.Struct, frozen=True, tag=True):
    """The money came after the order had expired: take the seats again if all are free."""

    payment_id: str
    confirmed: bool = False


class Withdraw(msgspec.Struct, frozen=True, tag=True):
    """Have the gateway cancel it, and end the order for `reason`. `paid`: money goes back."""

    payment_id: str
    reason: str
    paid: bool
    # Nobody has touched the form: where the gateway refuses to cancel, the order ends all the same,
    untouched: bool = False
    # and so it does when waiting for a card has become pointless.
    give_up: bool = False
    # The gateway has taken the money already: it is not only reserved.
    confirmed: bool = False


class End(msgspec.Struct, frozen=True, tag=True):
    """The gateway has ended it: so do we. `verb` None: the attempt had ended before its order."""

    verb: str | None
    reason: str


class Decline(msgspec.Struct, frozen=True, tag=True):
    """The bank said no; the order may be paid by another card until then."""

    until: datetime


class Disown(msgspec.Struct, frozen=True, tag=True):
    """Paid after its no, and not wanted any more: written down before the money goes back."""

    payment_id: str


class Puzzle(msgspec.Struct, frozen=True, tag=True):
    """What cannot be: staff must look."""

    what: str


Step = Rest | Wait | Init | Offer | Capture | Reclaim | Withdraw | End | Decline | Disown | Puzzle


def decide(attempt: Attempt, told: Found | Refused | Unknown, now: datetime) -> Step:
    """`told`: the gateway's answer to `check`."""
    if attempt.payment.state in PAYMENT_SETTLED:
        return Rest()
    if attempt.payment.state == PAYMENT_NO:
        return _declined(attempt, told, now)
    is_over = attempt.order.state != "pending" or attempt.payment.state == "disowned"
    if isinstance(told, Unknown):
        return Wait(_watch_s(attempt, now) if is_over else _poll_s(attempt, now))
    if isinstance(told, Refused):
        return _not_found(attempt, told, now, is_over=is_over)
    return _late(attempt, told, now) if is_over else _pending(attempt, told, now)


def _pending(attempt: Attempt, told: Found, now: datetime) -> Step:
    payment = attempt.payment
    ended = _ended(attempt, told.status)
    if ended is not None:
        until = payable_until(attempt, now) if ended.reason == "declined" else None
        return ended if until is None else Decline(until)
    wish = attempt.wish
    if told.status in PAID:
        if wish is None and _age_s(attempt, now) > CONFIRM_WITHIN_S and told.status != "CONFIRMED":
            wish = "money-late"
        if wish is not None:
            return Withdraw(told.payment_id, wish, paid=True, confirmed=told.status == "CONFIRMED")
        return Capture(told.payment_id, confirmed=told.status == "CONFIRMED")
    if wish is None and now >= payment.expires_at:
        wish = "unpaid"
    if wish is not None:
        late_s = (now - payment.expires_at).total_seconds()
        return Withdraw(
            told.payment_id,
            wish,
            paid=False,
            untouched=told.status in NEW,
            give_up=late_s > GIVE_UP_S,
        )
    if payment.state in ("started", "unknown"):
        return Offer(told.payment_id)
    return Wait(_poll_s(attempt, now))


def _ended(attempt: Attempt, status: str) -> End | None:
    """Final states of the gateway, and what they are called here."""
    had_money = attempt.payment.state == "authorised"
    verb = {
        "REJECTED": "decline",
        "CANCELLED": "reverse" if had_money else "cancel",
        "EXPIRED": "reverse" if had_money else "lapse",
        "REFUNDED": "reverse",
    }.get(status)
    if verb is None:
        return None
    otherwise = {"REJECTED": "declined", "EXPIRED": "unpaid"}.get(status, "gateway-cancelled")
    return End(verb, attempt.wish or otherwise)


def _declined(attempt: Attempt, told: Found | Refused | Unknown, now: datetime) -> Step:
    """A no is final at the gateway. Should it say otherwise later, one attempt at most is paid."""
    order = attempt.order
    waits = order.state == "pending" and not attempt.has_rival
    if isinstance(told, Found) and told.status in PAID:
        confirmed = told.status == "CONFIRMED"
        in_time = confirmed or _age_s(attempt, now) <= CONFIRM_WITHIN_S
        if waits and attempt.wish is None and in_time:
            return Capture(told.payment_id, confirmed=confirmed)
        return Disown(told.payment_id)
    if waits and attempt.wish is not None:
        return End(None, attempt.wish)
    if waits and order.expires_at is not None and now >= order.expires_at:
        return End(None, "declined")
    return Wait(_poll_s(attempt, now)) if isinstance(told, Unknown) else Rest()


def _not_found(attempt: Attempt, told: Refused, now: datetime, *, is_over: bool) -> Step:
    if is_over:
        # What it has never known nobody can pay; what it has forgotten may come back to it.
        was_there = attempt.payment.gateway_payment_id and _age_s(attempt, now) < WATCH_S
        forgotten = told.code == NOT_THERE and not was_there
        return Rest() if forgotten else Wait(_watch_s(attempt, now))
    # A refusal for any other reason (a wrong token, say) tells nothing about the payment.
    if told.code != NOT_THERE:
        return Wait(_poll_s(attempt, now))
    if attempt.payment.state in ("offered", "authorised"):
        return _forgotten(attempt, now)
    if attempt.wish is not None or now >= attempt.payment.expires_at:
        left_s = INIT_OVER_S - _age_s(attempt, now)
        return Wait(left_s) if left_s > 0 else End("lapse", attempt.wish or "unpaid")
    if attempt.payment.state == "started" and _age_s(attempt, now) < INIT_OURS_S:
        return Wait(SOON_S)
    return Init()


def _forgotten(attempt: Attempt, now: datetime) -> Step:
    """The gateway knew it once. It may remember; money it had reserved is for staff to find."""
    if attempt.payment.state == "authorised":
        return Puzzle("the gateway has forgotten a payment whose money it had reserved")
    if (now - attempt.payment.expires_at).total_seconds() > GIVE_UP_S:
        return End("lapse", attempt.wish or "unpaid")
    return Wait(_poll_s(attempt, now))


def _late(attempt: Attempt, told: Found, now: datetime) -> Step:
    """The order has ended; the payment was given up, or its money could not be given back."""
    had_money = attempt.payment.state in ("authorised", "disowned")
    if told.status in PAID:
        confirmed = told.status == "CONFIRMED"
        in_time = _age_s(attempt, now) <= CONFIRM_WITHIN_S or confirmed
        if attempt.payment.state == "lapsed" and attempt.order.state == "expired" and in_time:
            return Reclaim(told.payment_id, confirmed)
        reason = attempt.order.reason or "not-wanted"
        return Withdraw(told.payment_id, reason, paid=True, confirmed=confirmed)
    ended = _ended(attempt, told.status)
    if ended is not None:
        return End("reverse", attempt.order.reason or "") if had_money else Rest()
    if _age_s(attempt, now) > WATCH_S:
        return Rest()
    return Wait(_watch_s(attempt, now))


def _age_s(attempt: Attempt, now: datetime) -> float:
    return (now - attempt.payment.created_at).total_seconds()


def _poll_s(attempt: Attempt, now: datetime) -> float:
    """A quarter of the age: often at first, when the buyer looks; never past the end by much."""
    left_s = (attempt.payment.expires_at - now).total_seconds()
    most_s = POLL_RESERVED_MAX_S if attempt.payment.state == "authorised" else POLL_MAX_S
    delay_s = min(most_s, max(POLL_MIN_S, _age_s(attempt, now) / 4))
    return min(delay_s, max(POLL_MIN_S, left_s)) if left_s > 0 else delay_s


def _watch_s(attempt: Attempt, now: datetime) -> float:
    return min(WATCH_EVERY_MAX_S, max(POLL_MAX_S, _age_s(attempt, now) / 10))


def compare(attempt: Attempt, told: Found | Refused | Unknown) -> None:
    """An answer about another payment, or another sum, moves nothing here: PermanentError."""
    payment = attempt.payment
    if isinstance(told, Found) and (told.order_id, told.amount) != (
        payment.gateway_order_id,
        payment.amount,
    ):
        raise PermanentError(
            f"payment {payment.id}: the gateway tells of {told.order_id} over {told.amount}"
        )
