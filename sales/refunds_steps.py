"""What to do next about a refund at the gateway, decided from what is known. Pure.

Only an answer of the gateway ends it; a call whose answer was lost is asked about, and repeated
under the same key while the gateway still says that it has the money.
"""

from datetime import datetime
from typing import Final

import msgspec

from sales.gateway import Found, Refused, Unknown
from sales.payments_steps import NOT_THERE, PAID
from sales.refund import Paid, Refund

# The money is with the buyer: refunded, or reversed where it was never confirmed there (§1.4).
GIVEN_BACK: Final = frozenset({"REFUNDED", "CANCELLED"})
# A check may be answered from a cache for half a minute (§1.7).
RESEND_S: Final = 35.0
LOOK_MIN_S: Final = 2.0
LOOK_MAX_S: Final = 600.0
# The gateway's cache of final states lasts five minutes: "not cancellable" is then no answer yet.
DOUBT_S: Final = 600.0
# A gateway that says nothing usable for so long has given its answer.
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
    if isinstance(told, Refused) and age_s(refund, now) > GIVE_UP_S:
        forgotten = told.code == NOT_THERE
        return Queue("the gateway does not know the payment" if forgotten else told.code)
    return Wait(look_s(refund, now))


def _found(refund: Refund, paid: Paid, told: Found, now: datetime) -> Step:
    if (told.order_id, told.amount) != (paid.gateway_order_id, paid.amount):
        return Puzzle(f"the gateway tells of {told.order_id} over {told.amount}")
    if told.status in GIVEN_BACK:
        return Done()
    if told.status in PAID:
        sent_s = (now - refund.updated_at).total_seconds()
        if refund.state == "sent" and sent_s < RESEND_S:
            return Wait(min(look_s(refund, now), RESEND_S))
        return Send(told.payment_id)
    if age_s(refund, now) > GIVE_UP_S:
        return Puzzle(f"a captured payment is {told.status}")
    return Wait(look_s(refund, now))


def refused(refund: Refund, answer: Refused, now: datetime, not_cancellable: str) -> Step:
    """`answer`: the gateway's no to giving it back."""
    if answer.code == not_cancellable and age_s(refund, now) < DOUBT_S:
        # It may have been given back already by a call whose answer was lost.
        return Wait(look_s(refund, now))
    return Queue(f"{answer.code} {answer.message}".strip())


def age_s(refund: Refund, now: datetime) -> float:
    return (now - refund.created_at).total_seconds()


def look_s(refund: Refund, now: datetime) -> float:
    """A quarter of its age."""
    return min(LOOK_MAX_S, max(LOOK_MIN_S, age_s(refund, now) / 4))
