"""What to do next about a refund at the gateway, decided from what is known. Pure.

Only an answer of the gateway ends it; a call whose answer was lost is asked about, and repeated
under the same key while the gateway still says that it has the money. Times are counted from the
calls, never from the wish: a gateway that was away for a day has not yet been asked for a second.
"""

from datetime import datetime
from typing import Final

import msgspec

from sales.gateway import Found, Refused, Unknown
from sales.payments_steps import NOT_THERE, PAID
from sales.refund import Paid, Refund

# The money is with the buyer: refunded, or reversed where it was never confirmed there (§1.4).
GIVEN_BACK: Final = frozenset({"REFUNDED", "CANCELLED"})
# Money that was only reserved is also free when the bank lets go of it by itself.
LET_GO: Final = GIVEN_BACK | {"EXPIRED", "REJECTED"}
# A check may be answered from a cache for half a minute (§1.7).
RESEND_S: Final = 35.0
# A call that was lost is repeated after 35 s, after three minutes, then every ten minutes.
RESEND_GROWTH: Final = 4
LOOK_MIN_S: Final = 2.0
LOOK_MAX_S: Final = 600.0
# The gateway's cache of final states lasts five minutes. What a call did whose answer was lost
# shows in `check` after this long; a no that comes earlier may mean that it was carried out.
DOUBT_S: Final = 600.0
# A gateway that does not know a payment for so long has forgotten it.
GIVE_UP_S: Final = 24 * 3600.0


class Rest(msgspec.Struct, frozen=True, tag=True):
    """Nothing is to be done at the gateway."""


class Wait(msgspec.Struct, frozen=True, tag=True):
    delay_s: float


class Send(msgspec.Struct, frozen=True, tag=True):
    """The gateway has the money: have it given back."""

    payment_id: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """The gateway has given it back."""


class Queue(msgspec.Struct, frozen=True, tag=True):
    """The gateway will not: staff pays it out."""

    why: str


class Puzzle(msgspec.Struct, frozen=True, tag=True):
    """What cannot be: staff must look before any money moves."""

    what: str


Step = Rest | Wait | Send | Done | Queue | Puzzle


def decide(refund: Refund, paid: Paid, told: Found | Refused | Unknown, now: datetime) -> Step:
    """`told`: the gateway's answer to `check`."""
    if refund.state not in ("asked", "sent"):
        return Rest()
    if isinstance(told, Found):
        return _found(refund, paid, told, now)
    # A refusal for any other reason (a wrong token, say) tells nothing about the payment.
    forgotten = isinstance(told, Refused) and told.code == NOT_THERE
    if forgotten and waited_s(refund, now) > GIVE_UP_S:
        return Queue("the gateway does not know the payment")
    return Wait(look_s(refund, now))


def _found(refund: Refund, paid: Paid, told: Found, now: datetime) -> Step:
    if (told.order_id, told.amount) != (paid.gateway_order_id, paid.amount):
        return Puzzle(f"the gateway tells of {told.order_id} over {told.amount}")
    if told.status in (LET_GO if paid.state == "owed" else GIVEN_BACK):
        return Done()
    if told.status in PAID:
        if refund.state == "sent" and waited_s(refund, now) < _resend_s(refund):
            return Wait(min(look_s(refund, now), _resend_s(refund)))
        return Send(told.payment_id)
    if waited_s(refund, now) > GIVE_UP_S:
        return Puzzle(f"a captured payment is {told.status}")
    return Wait(look_s(refund, now))


def refused(refund: Refund, answer: Refused, now: datetime, not_cancellable: str) -> Step:
    """`answer`: the gateway's no to giving it back; `refund` as it stood before that call. An
    earlier call may have been carried out in silence: a no counts when that would have shown.
    """
    was_told = refund.state == "sent"
    is_doubtful = waited_s(refund, now) < DOUBT_S if was_told else answer.code == not_cancellable
    if is_doubtful:
        return Wait(look_s(refund, now))
    return Queue(f"{answer.code} {answer.message}".strip())


def waited_s(refund: Refund, now: datetime) -> float:
    """Since the gateway was last told to give it back; before that, since it was asked for."""
    since = refund.updated_at if refund.state == "sent" else refund.created_at
    return (now - since).total_seconds()


def look_s(refund: Refund, now: datetime) -> float:
    """A quarter of the time since it was first sent; before that, since it was asked for."""
    since = refund.sent_at or refund.created_at
    return min(LOOK_MAX_S, max(LOOK_MIN_S, (now - since).total_seconds() / 4))


def _resend_s(refund: Refund) -> float:
    """How long after a call the next one is made, while the gateway says that it has the money."""
    assert refund.sent_at is not None, f"refund {refund.id} was sent, nobody knows when"
    tried_s = (refund.updated_at - refund.sent_at).total_seconds()
    return min(DOUBT_S, max(RESEND_S, RESEND_GROWTH * tried_s))
