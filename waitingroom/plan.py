"""The plan: which settings will be in force at a moment to come, if nobody changes anything."""

from typing import Literal

import msgspec

from waitingroom.settings import RoomSettings

# The contract's word for what a room does.
Word = Literal["off", "prequeue", "open", "paused", "held", "closed", "drained"]


class Span(msgspec.Struct, frozen=True):
    """From this moment (epoch ms; None: it is so already) the room is in this state."""

    since: int | None
    state: Word
    settings: RoomSettings


def in_force(settings: RoomSettings, at_ms: int, now_ms: int) -> RoomSettings:
    """The settings that will be in force at a moment to come if nobody changes anything: what
    the clock will have done by then. A moment that has passed changes nothing.
    """
    at_ms = max(at_ms, now_ms)
    opens = settings.mode == "scheduled" and settings.opens_at and settings.opens_at <= at_ms
    if opens and not settings.awaits_value:
        settings = msgspec.structs.replace(settings, mode="on", generation=settings.generation + 1)
    ends = settings.closes_at and settings.closes_at <= at_ms
    if ends and settings.closed_for != settings.closes_at and settings.mode != "off":
        # An automatic room that is stopped is armed (lua/watch.lua).
        armed_at = settings.armed_at or at_ms if settings.mode == "auto" else 0
        settings = msgspec.structs.replace(
            settings, state="closed", closed_for=settings.closes_at or 0, armed_at=armed_at
        )
    return settings


def state_at(settings: RoomSettings, at_ms: int) -> Word:
    """The contract's word for these settings at this moment. A scheduled room gives no places
    before its pre-queue, so it is closed till then.
    """
    if settings.is_off:
        return "off"
    if settings.mode != "scheduled" or settings.state in ("closed", "drained"):
        return settings.state
    return "closed" if at_ms < settings.begins_at else "prequeue"


def plan(settings: RoomSettings, now_ms: int) -> list[Span]:
    """What the room does by itself from now on, in order: each span lasts till the next."""
    moments = sorted(
        moment
        for moment in {settings.prequeue_at, settings.opens_at, settings.closes_at}
        if moment is not None and moment > now_ms
    )
    spans: list[Span] = []
    for moment in [now_ms, *moments]:
        then = in_force(settings, moment, now_ms)
        state = state_at(then, moment)
        if not spans or spans[-1].state != state:
            spans.append(Span(moment if spans else None, state, then))
    return spans
