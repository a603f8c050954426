"""What to do next about an order at a partner, decided from what is known; nothing is done here.

The settle rule: nothing is asked of an order before the partner was seen to have put its place
into it, for a partner's reader that meets a late place in an ended order stops for ever. A call
without an answer is looked into, and said again only when it shows that nothing came of it.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from sales.gateway import Unknown
from sales.partner import ENDED, NotThere, PartnerOrder, Told

# What the order of ours needs of it: to stay, to be frozen there, to be ours for good; or nothing.
Goal = Literal["keep", "submit", "confirm", "free"]
# Between looks at a partner that is a moment behind: a quarter of the time since,
LOOK_MIN_S: Final = 0.1
LOOK_MAX_S: Final = 15.0
# What has not shown this long after a call is not going to: it was never carried out.
SHOWN_S: Final = 3.0
# So long for a place: a busy partner is minutes behind before it is sick.
SELECT_SHOWN_S: Final = 30.0
# The next call on the way to a goal, by state.
NEXT: Final = {
    ("held", "submit"): "submit",
    ("held", "confirm"): "submit",
    ("submitted", "confirm"): "confirm",
    ("held", "free"): "cancel",
    ("submitted", "free"): "cancel",
}
VERBS: Final = {"SUBMITTED": "submit", "CONFIRMED": "confirm", "CANCELLED": "cancel"}
STATES: Final = {"submit": "submitted", "confirm": "confirmed", "cancel": "cancelled"}


class Rest(msgspec.Struct, frozen=True):
    """It is as it should be, or can never be again."""


class Wait(msgspec.Struct, frozen=True):
    """Look again after a while."""

    delay_s: float


class Look(msgspec.Struct, frozen=True):
    """Ask the partner what it knows."""


class Learn(msgspec.Struct, frozen=True):
    """Write down what was seen. `verb` None: only that the place has joined, or that nothing came
    of the call.
    """

    verb: str | None
    is_settled: bool = False


class Call(msgspec.Struct, frozen=True):
    """Ask the partner to do it."""

    call: str


Step = Rest | Wait | Look | Learn | Call


def decide(
    order: PartnerOrder, goal: Goal, told: Told | NotThere | Unknown | None, now: datetime
) -> Step:
    """`told`: the partner's answer to a look; None: it was not asked since the last change."""
    if order.state in ENDED:
        return Rest()
    if order.calling_until is not None and now < order.calling_until:
        return Wait((order.calling_until - now).total_seconds())
    if isinstance(told, Unknown):
        return Wait(max(told.wait_s, look_s(order, now)))
    if isinstance(told, Told) and (seen := seen_in(order, told)) is not None:
        return seen
    if order.call is not None:
        return Look() if told is None else _doubt(order, now)
    return _onward(order, goal, told, now)


def seen_in(order: PartnerOrder, told: Told) -> Learn | None:
    """News about it, whatever was asked."""
    verb = VERBS.get(told.status)
    has_place = told.places_count > 0
    if order.state == "asked":
        if verb == "cancel":
            return Learn("refuse")
        return Learn("hold", is_settled=True) if has_place else None
    if verb is not None and STATES[verb] != order.state and order.state != "confirmed":
        # Submitted there and confirmed here is no news: it tells of some moments ago.
        return Learn(verb, is_settled=True)
    if has_place and order.settled_at is None:
        return Learn(None, is_settled=True) if order.call is None else None
    return None


def _doubt(order: PartnerOrder, now: datetime) -> Step:
    """Nothing shows of its call so far."""
    assert order.calling_until is not None
    since_s = (now - order.calling_until).total_seconds()
    if order.call == "select":
        return Learn("refuse") if since_s > SELECT_SHOWN_S else Wait(look_s(order, now))
    return Learn(None) if since_s > SHOWN_S else Wait(look_s(order, now))


def _onward(order: PartnerOrder, goal: Goal, told: Told | NotThere | None, now: datetime) -> Step:
    if order.state == "confirmed":
        return Rest()
    call = NEXT.get((order.state, goal))
    if order.settled_at is None:
        return Look() if told is None else Wait(look_s(order, now))
    return Rest() if call is None else Call(call)


def look_s(order: PartnerOrder, now: datetime) -> float:
    """A quarter of the time since it last moved: often at first."""
    age_s = (now - (order.calling_until or order.updated_at)).total_seconds()
    return min(LOOK_MAX_S, max(LOOK_MIN_S, age_s / 4))
